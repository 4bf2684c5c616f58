using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Comparisons in few words, for answers; their sentences stand with the comparisons.</summary>
public static class InShort
{
    /// <summary>All by one metric, by what is known of each: "Better: a (+1.2 points, 0.5 to 1.9). Not decided: b (...)."</summary>
    /// <param name="all">Label, such as the arm's name, and comparison.</param>
    public static string Of(params IReadOnlyList<(string Label, Comparison By)> all)
    {
        var groups = all.GroupBy(one => Heading(one.By)).OrderBy(group => group.Key.Order)
            .Select(group => Prose.List(group.Key.Words, [.. group.Select(one => $"{one.Label}{Bracketed(one.By)}")]));
        return string.Join(" ", [.. groups, .. new[] { MoreSeeds([.. all.Select(one => one.By)]) }.OfType<string>()]);
    }

    /// <summary>
    /// The difference with its unit and the interval that carries its verdict, by <see cref="Heading"/>: "+1.2 points, 0.5 to 1.9".
    /// </summary>
    /// <param name="sign">-1 to tell how far the baseline is from the arm.</param>
    /// <param name="interval">Another one than that of the verdict.</param>
    public static string Figures(Comparison by, int sign = 1, double[]? interval = null)
    {
        if (by.Result.MeanDifference * sign is not { } mean)
            return "not measured";
        var outcome = by.Metric.Outcome;
        // That two are the same is shown by the 90 % interval.
        interval ??= by.Result.Verdict is Verdict.Equivalent ? by.Result.Equivalence.Ci90 : by.Result.Ci95;
        var range = interval?.Select(end => sign * end).Order().ToArray() is [var low, var high]
            ? $", {Bare(low)} to {Bare(high)}" : "";
        return (outcome.IsRelative ? $"×{Bare(mean)}" : Numbers.Difference(outcome, mean)) + range;

        string Bare(double value) => outcome.Number(value);
    }

    /// <summary>The least difference that matters: "1 point", "5 %".</summary>
    public static string Amount(Comparison by) => by.Metric.Outcome.Amount(by.Result.Equivalence.Delta);

    /// <summary>
    /// What occurs more than once in some texts, such as one doubt about several comparisons, taken out of each and told once.
    /// </summary>
    /// <returns>The texts without it, and what was taken out; null if nothing was.</returns>
    public static (IReadOnlyList<string> Texts, string? Shared) Once(IReadOnlyList<string> texts)
    {
        var parts = texts.Select(Sentences).ToList();
        var counts = parts.SelectMany(part => part.Distinct()).CountBy(sentence => sentence).ToDictionary();
        // "Only 5 of 12 seeds ..." says of which comparison it is by standing there.
        bool IsShared(string sentence) =>
            counts[sentence] > 1 && IsLong(sentence) && !sentence.StartsWith("Only ", StringComparison.Ordinal);
        var shared = counts.Keys.Where(IsShared).Aggregate(new List<(int Count, string Text)>(), (told, sentence) =>
        {
            // sentences that follow each other are of the same comparisons
            if (told.Count > 0 && told[^1].Count == counts[sentence] && Follows(texts, sentence, told[^1].Text))
                told[^1] = (told[^1].Count, $"{told[^1].Text} {sentence}");
            else
                told.Add((counts[sentence], sentence));
            return told;
        }).ConvertAll(one => $"Of {(one.Count == 2 && texts.Count == 2 ? "both" : one.Count)} comparisons: {one.Text}");
        return ([.. parts.Select(part => string.Join(" ", part.Where(sentence => !IsShared(sentence))))],
            shared.Count == 0 ? null : string.Join(" ", shared));
    }

    private static bool Follows(IReadOnlyList<string> texts, string sentence, string text) =>
        texts.Any(one => one.Contains($"{text} {sentence}", StringComparison.Ordinal));

    /// <summary>The text without a sentence that comes again, such as a doubt that two comparisons share.</summary>
    public static string Unrepeated(string text) => Sentences(text) is var sentences
        ? string.Join(" ", sentences.Where((sentence, i) => !IsLong(sentence) || sentences.LastIndexOf(sentence) == i)) : text;

    private static List<string> Sentences(string text) =>
        [.. text.Split(". ").Select(part => part.EndsWith('.') ? part : part + ".")];

    private static bool IsLong(string sentence) => sentence.Count(c => c == ' ') >= 3;

    private static (int Order, string Words) Heading(Comparison by)
    {
        var (more, less) = by.Metric.Outcome.Sides;
        return by.LeftOut.Count > 0 ? by.Result.Divergence is { Arm: 0, Baseline: 0 } ? (5, "Learned nothing, so not compared")
                : (6, "Diverged or learned nothing, so not compared")
            : by.Result.Verdict switch
            {
                Verdict.Supported or Verdict.Higher => (0, Prose.Capital(more)),
                Verdict.Refuted or Verdict.Lower => (1, Prose.Capital(less)),
                Verdict.Negligible => (2, "Different, but by too little to matter"),
                Verdict.Equivalent => (3, $"The same within {Amount(by)} (90 % intervals)"),
                _ => (4, "Not decided"),
            };
    }

    private static string Bracketed(Comparison by)
    {
        if (by.LeftOut.Count > 0)
            return "";
        var (pairs, arm, baseline, _, _) = by.Result.Divergence;
        var finished = arm + baseline == 0 ? Figures(by) : by.Result.N == 0 ? "both finished with no seed"
            : $"{Figures(by)} with {by.Result.N} of {pairs} seeds";
        return $" ({finished}{Why(by)}{Ceiling(by)}"
            + (arm + baseline == 0 ? "" : $", {arm} of {pairs} runs diverged and {baseline} of {by.Result.Baseline}")
            + (by.Result.Divergence.PValue < Tails.Alpha
                ? $", more often ({Numbers.P(by.Result.Divergence.PValue)})" : "") + ")";
    }

    /// <summary>That the same was to be expected, since the baseline can't be beaten by what matters.</summary>
    private static string Ceiling(Comparison by) => by.Result.Verdict == Verdict.Equivalent && by.Metric.Outcome.HigherIsBetter == true
        && !by.HasRoom(1) ? $", at {StudyEvidence.Percent(by.Baseline?.Mean)} without room for {Amount(by)} more" : "";

    /// <summary>Why a difference whose interval excludes none is not decided.</summary>
    public static string Why(Comparison by) => by.Result.Divergence is not { Arm: 0, Baseline: 0 }
            ? $", by ranks {Numbers.P(by.Result.AdjustedPValue)}"
        : by.Result is not { Verdict: Verdict.Inconclusive, Ci95: [> 0, _] or [_, < 0] } result ? ""
        : result.AdjustedPValue < Tails.Alpha ? ", but the wider interval that a verdict needs includes no difference"
        : $", {Numbers.P(result.AdjustedPValue)}";

    /// <summary>If no number of seeds would decide what is open; where some would, the comparisons say how many.</summary>
    private static string? MoreSeeds(IReadOnlyList<Comparison> all)
    {
        var open = all.Where(by => by.LeftOut.Count == 0 && by.Result.Verdict == Verdict.Inconclusive).ToList();
        return open.Count > 0 && open.TrueForAll(by => by.Result.BeyondSeeds && by.Result.SdDifference > 0)
            ? "More seeds would hardly decide these, since the intervals allow for training rows that the seeds share; more rows "
                + "may." : null;
    }
}
