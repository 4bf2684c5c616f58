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
        string?[] parts = [Capitalized(Finding(result, contrast, outcome)), Doubt(result, contrast.Differences, outcome, contrasts),
            Diverged(result, contrast.Differences)];
        return string.Join(" ", parts.Where(part => part is not null));
    }

    private static string Finding(ContrastResult result, Contrast contrast, Outcome outcome)
    {
        var (arm, baseline) = (result.Arm, result.Baseline);
        var (more, less) = contrast.IsInteraction ? ("larger", "smaller") : ("better", "worse");
        var figures = Figures(result, contrast, outcome);
        return result.Verdict switch
        {
            Verdict.Supported => $"{arm} is {more} than {baseline}: {figures}.{Small(result, outcome)}",
            Verdict.Refuted => $"{arm} is {less} than {baseline}, not {more}: {figures}.{Small(result, outcome)}",
            Verdict.Equivalent =>
                $"{arm} and {baseline} are equivalent: {figures}; the 90 % interval ({Range(result.Equivalence.Ci90, outcome)}) "
                + $"lies within ±{outcome.Amount(result.Equivalence.Delta)}, the least difference that matters.",
            _ => $"Whether {arm} is {more} or {less} than {baseline} can't be said: {figures}.",
        };
    }

    private static string Figures(ContrastResult result, Contrast contrast, Outcome outcome)
    {
        var p = $"{(result.AdjustedPValue > result.PValue ? "adjusted " : "")}p {P(result.AdjustedPValue)}, {Count(result.N, "seed")}";
        if (result.MeanDifference is not { } mean)
            return $"there is no seed with which all runs finished ({p})";
        var interval = result.Ci95 is { } ci95 ? $"95 % interval of the difference {Range(ci95, outcome)}, " : "";
        return $"{Effect(mean, contrast, outcome)} ({interval}{p})";
    }

    private static string Effect(double mean, Contrast contrast, Outcome outcome) =>
        (contrast.IsInteraction, Math.Abs(mean) <= contrast.Differences.Noise) switch
        {
            (true, true) => $"the gains in {outcome.Words} do not differ",
            (true, false) => $"the gains in {outcome.Words} differ by {outcome.Amount(Math.Abs(mean))}",
            (false, true) => $"mean {outcome.Words} does not differ",
            _ => $"mean {outcome.Words} is {(mean > 0 ? "higher" : "lower")} by {outcome.Amount(Math.Abs(mean))}",
        };

    /// <summary>Significant, but smaller than what matters.</summary>
    private static string Small(ContrastResult result, Outcome outcome) => result.Equivalence.Equivalent
        ? " The difference is real but too small to matter: its 90 % interval lies within "
            + $"±{outcome.Amount(result.Equivalence.Delta)}, the least difference that matters."
        : "";

    /// <summary>What could not be found with so few seeds, and how many would do.</summary>
    private static string? Doubt(ContrastResult result, PairedDifferences pairs, Outcome outcome, int contrasts)
    {
        if (result.Verdict is Verdict.Supported or Verdict.Refuted)
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
