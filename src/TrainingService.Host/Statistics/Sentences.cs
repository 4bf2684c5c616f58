using System.Globalization;

namespace TrainingService.Host.Statistics;

/// <summary>
/// A contrast's verdict in words. What the reader needs to doubt it comes along: effect, interval, p, seeds,
/// divergences, what was out of reach.
/// </summary>
internal static class Sentences
{
    public static string Of(ContrastResult result, Contrast contrast, Outcome outcome, int contrasts)
    {
        var pairs = contrast.Differences.Ranked(outcome);
        string?[] parts = [Capitalized(Finding(result, contrast, outcome)), Doubt(result, pairs, outcome, contrasts),
            Diverged(result, pairs)];
        return string.Join(" ", parts.Where(part => part is not null));
    }

    private static string Finding(ContrastResult result, Contrast contrast, Outcome outcome)
    {
        var (arm, baseline) = (result.Arm, result.Baseline);
        var (more, less) = contrast.IsInteraction ? ("larger", "smaller") : outcome.HigherIsBetter is null ? ("higher", "lower")
            : ("better", "worse");
        var figures = Figures(result, contrast, outcome);
        var delta = $"±{outcome.Amount(result.Equivalence.Delta)}, the least difference that matters";
        return result.Verdict switch
        {
            Verdict.Supported => $"{arm} is {more} than {baseline}: {figures}.",
            Verdict.Refuted => $"{arm} is {less} than {baseline}, not {more}: {figures}.",
            Verdict.Higher or Verdict.Lower when !contrast.IsInteraction =>
                $"{char.ToUpperInvariant(outcome.Words[0])}{outcome.Words[1..]} of {arm} is "
                + $"{(result.Verdict == Verdict.Higher ? more : less)} than of {baseline} by "
                + $"{outcome.Amount(Math.Abs(result.MeanDifference ?? 0))} ({Evidence(result, outcome)}).",
            Verdict.Higher => $"{arm} is {more} than {baseline}: {figures}.",
            Verdict.Lower => $"{arm} is {less} than {baseline}: {figures}.",
            Verdict.Equivalent =>
                $"{arm} and {baseline} are equivalent: {figures}; the 90 % interval ({Range(result.Equivalence.Ci90, outcome)}) "
                + $"lies within {delta}.",
            Verdict.Negligible =>
                $"The difference between {arm} and {baseline} is real but too small to matter: {figures}; "
                + $"the 90 % interval ({Range(result.Equivalence.Ci90, outcome)}) lies within {delta}.",
            _ when outcome.HigherIsBetter is null && !contrast.IsInteraction =>
                $"Whether {outcome.Words} of {arm} is {more} or {less} than of {baseline} can't be said: {figures}.",
            _ => $"Whether {arm} is {more} or {less} than {baseline} can't be said: {figures}.",
        };
    }

    private static string Figures(ContrastResult result, Contrast contrast, Outcome outcome)
    {
        var effect = result.MeanDifference is { } mean ? Effect(mean, contrast, outcome)
            : "there is no seed with which all runs finished";
        return $"{effect} ({Evidence(result, outcome)})";
    }

    private static string Evidence(ContrastResult result, Outcome outcome) =>
        $"{(result.Ci95 is { } ci95 ? $"95 % interval of the difference {Range(ci95, outcome)}, " : "")}"
        + $"{(result.AdjustedPValue > result.PValue ? "adjusted " : "")}p {P(result.AdjustedPValue)}, {Count(result.N, "seed")}";

    private static string Effect(double mean, Contrast contrast, Outcome outcome) =>
        (contrast.IsInteraction, Math.Abs(mean) <= contrast.Differences.Noise) switch
        {
            (true, true) => $"the gains in {outcome.Words} do not differ",
            (true, false) => $"the gains in {outcome.Words} differ by {outcome.Amount(Math.Abs(mean))}",
            (false, true) => $"mean {outcome.Words} does not differ",
            _ => $"mean {outcome.Words} is {(mean > 0 ? "higher" : "lower")} by {outcome.Amount(Math.Abs(mean))}",
        };

    /// <summary>What could not be found with so few seeds, and how many would do.</summary>
    private static string? Doubt(ContrastResult result, PairedDifferences pairs, Outcome outcome, int contrasts)
    {
        if (result.Verdict is not (Verdict.Inconclusive or Verdict.Equivalent))
            return null;
        var needed = SeedCount.ForSignificance(contrasts);
        if (result.LeastAdjustedPValue >= Tails.Alpha)
            return $"With {Count(pairs.Pairs, "seed")}{(contrasts > 1 ? $" and {contrasts} contrasts" : "")} "
                + $"significance can't be reached: the least possible {(contrasts > 1 ? "adjusted " : "")}p is "
                + $"{result.LeastAdjustedPValue.ToString("0.####", CultureInfo.InvariantCulture)}; at least {needed} seeds are needed.";
        if (result.Verdict == Verdict.Equivalent)
            return null;
        if (result.N >= 2 && result.Ci95 is null)
            return "Every run that finished gave the same value: this metric can't tell the arms apart.";
        if (pairs.Differing < needed)
            return $"Only {pairs.Differing} of {Count(pairs.Pairs, "seed")} tell the arms apart; significance takes at least {needed}.";
        if (result.SdDifference is not > 0 || result.Equivalence.Delta <= 0)
            return null;
        var wanted = SeedCount.ToFind(result.Equivalence.Delta, result.SdDifference.Value, contrasts);
        var seeds = wanted < 1e6 ? "about " + wanted.ToString("0", CultureInfo.InvariantCulture) : "a million or more";
        return wanted <= pairs.Pairs
            ? null
            : $"At this spread it takes {seeds} seeds to find a difference of "
                + $"{outcome.Amount(result.Equivalence.Delta)} in four cases of five.";
    }

    private static string? Diverged(ContrastResult result, PairedDifferences pairs)
    {
        var (all, arm, baseline, lost, p) = result.Divergence;
        if (lost > 0)
            return $"{lost} of {Count(all, "seed")} tell nothing, because a run diverged.";
        if (arm + baseline == 0)
            return null;
        var counts = $"Diverged: {arm} of {Count(all, "run")} of {result.Arm} and {baseline} of {result.Baseline}";
        return pairs.ArmOnly + pairs.BaselineOnly == 0
            ? $"{counts}, with the same seeds."
            : $"{counts} (p {P(p)}); the means are of the seeds with which both finished, "
                + "and the verdict's p counts a diverged run as worse than any of these.";
    }

    private static string Range(double[]? interval, Outcome outcome) =>
        interval is [var low, var high] ? $"{outcome.Number(low)} to {outcome.Number(high)}" : "none";

    private static string P(double p) =>
        p < 0.0001 ? "< 0.0001" : "= " + p.ToString(p < 0.01 ? "G2" : "0.####", CultureInfo.InvariantCulture);

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string Capitalized(string sentence) =>
        sentence.StartsWith("the gain", StringComparison.Ordinal) ? "The" + sentence[3..] : sentence;
}
