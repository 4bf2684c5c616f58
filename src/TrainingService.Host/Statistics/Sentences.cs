using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>
/// A contrast's verdict in words. What the reader needs to doubt it comes along: effect, interval, p, seeds,
/// divergences, what was out of reach.
/// </summary>
internal sealed class Sentences(ContrastResult result, Contrast contrast, PairedDifferences pairs, Outcome outcome,
    int contrasts, double testToTrain, double[]? sure)
{
    /// <summary>Of the differences that simulations held the promise with: exponential ones. See <see cref="Family"/>.</summary>
    private const double TriedSkewness = 2;

    private readonly (string More, string Less) _sides = contrast.IsInteraction ? ("larger", "smaller") : outcome.Sides;

    public string Of() => string.Join(" ", new[] { Capitalized(Finding()), Doubt(), Skewed(), Diverged() }.Where(part => part is not null));

    private string Finding()
    {
        var (arm, baseline, (more, less)) = (result.Arm, result.Baseline, _sides);
        var figures = Figures();
        var inWords = outcome.HigherIsBetter is null && !contrast.IsInteraction;
        return result.Verdict switch
        {
            Verdict.Supported => Prose.Joined($"{arm} is {more} than {baseline}", ": ", figures),
            Verdict.Refuted => Prose.Joined($"{arm} is {less} than {baseline}, not {more}", ": ", figures),
            Verdict.Higher or Verdict.Lower when inWords && outcome.Amount(Math.Abs(result.MeanDifference ?? 0)) is var by =>
                Prose.Joined($"The {outcome.Words} of {arm} is {(result.Verdict == Verdict.Higher ? more : less)} than that of {baseline}",
                    " ", $"by {by} ({Evidence()})", $"the difference is {by} ({Evidence()})"),
            Verdict.Higher => Prose.Joined($"{arm} is {more} than {baseline}", ": ", figures),
            Verdict.Lower => Prose.Joined($"{arm} is {less} than {baseline}", ": ", figures),
            Verdict.Equivalent => $"{Prose.Joined($"{arm} and {baseline} are equivalent", ": ", figures)} {WithinDelta()}",
            Verdict.Negligible => Prose.Joined($"The difference between {arm} and {baseline} is real but too small to matter", ": ",
                figures)
                + $" {WithinDelta()}",
            _ when inWords => Prose.Joined($"Whether the {outcome.Words} of {arm} is {more} or {less} than that of {baseline} can't be "
                + "said",
                ": ", figures),
            _ => Prose.Joined($"Whether {arm} is {more} or {less} than {baseline} can't be said", ": ", figures),
        };
    }

    private string WithinDelta() => $"The 90 % interval ({outcome.Range(result.Equivalence.Ci90)}) lies within "
        + (outcome.IsRelative ? $"{outcome.Number(1 / (1 + result.Equivalence.Delta) - 1)} to {outcome.Number(result.Equivalence.Delta)}, "
            + "the ratios too near to 1 to matter." : $"±{outcome.Amount(result.Equivalence.Delta)}, the least difference that matters.");

    private string Figures() => $"{Effect()} ({Evidence()})";

    private string Evidence() => (result.Ci95 is null ? "" : $"95 % interval {outcome.Range(result.Ci95)}, ")
        + $"{(Math.Abs(result.AdjustedPValue - result.PValue) > 1e-12 ? "adjusted " : "")}{Numbers.P(result.AdjustedPValue)}, "
        + Numbers.Count(result.N, "seed");

    private string Effect()
    {
        if (result.MeanDifference is not { } mean)
            return "there is no seed with which all runs finished";
        var with = pairs.ArmOnly + pairs.BaselineOnly > 0 ? "where both finished, " : "";
        if (outcome.IsRelative && contrast.IsInteraction)
            return $"{with}the ratio of {outcome.Words} is {outcome.Number(mean)} times the other one";
        // Where the sentence speaks of both, it must say whose is higher.
        var of = result.Verdict is Verdict.Equivalent or Verdict.Negligible ? $" of {result.Arm}" : "";
        if (outcome.IsRelative)
            return $"{with}the {outcome.Words}{of} is {outcome.Number(mean)} times that of {result.Baseline}";
        return with + ((contrast.IsInteraction, Math.Abs(mean) <= pairs.Noise) switch
        {
            (true, true) => $"the gains in {outcome.Words} are the same on average",
            (true, false) => $"the gains in {outcome.Words} differ by {Size(mean)}",
            // of these runs; what it would be over more of them is in the interval
            (false, true) => $"both have the same mean {outcome.Words}",
            _ => $"the mean {outcome.Words}{of} is {(mean > 0 ? "higher" : "lower")} by {Size(mean)}",
        });
    }

    /// <summary>The amount of a difference that isn't 0.</summary>
    private string Size(double mean) => outcome.Amount(Math.Abs(mean));

    /// <summary>What could not be found with so few seeds, and how many would do, where more of them would.</summary>
    private string? Doubt()
    {
        if (result.Verdict is not (Verdict.Inconclusive or Verdict.Equivalent))
            return Small();
        var needed = SeedCount.ForSignificance(contrasts);
        // Of pairs that can't differ more would not help.
        var hopeless = pairs.Pairs > 0 && pairs.Differing == 0;
        if (result.LeastAdjustedPValue >= Tails.Alpha)
            return $"With {Numbers.Count(pairs.Pairs, "seed")}{(contrasts > 1 ? $" and {contrasts} contrasts" : "")} "
                + $"significance can't be reached: the least possible {(contrasts > 1 ? "adjusted " : "")}p is "
                + $"{Numbers.Short(result.LeastAdjustedPValue)}"
                + (hopeless || result.Verdict == Verdict.Equivalent ? "."
                    : pairs.Pairs < needed ? $"; at least {needed} seeds are needed."
                    : ", since by this look only a part of the 5 % may be spent.")
                + (hopeless && result.Verdict != Verdict.Equivalent && Hopeless() is { } why ? $" {why}" : "");
        if (result.Verdict == Verdict.Equivalent)
            return result.AdjustedPValue < Tails.Alpha ? Unsure() : null;
        if (hopeless)
            return Hopeless();
        if (pairs.Differing < needed)
            return $"Only {pairs.Differing} of {Numbers.Count(pairs.Pairs, "seed")} {(pairs.Differing == 1 ? "tells" : "tell")} the arms "
                + $"apart; significance takes at least {needed}.";
        if (result.AdjustedPValue < Tails.Alpha && pairs.ArmOnly + pairs.BaselineOnly == 0)
            return Unsure();
        return pairs.ArmOnly + pairs.BaselineOnly > 0 ? null : Seeds();
    }

    /// <summary>That a sure difference may be too small to matter: the interval that is told has it so, the wider one doesn't.</summary>
    private string? Small() => result.Verdict == Verdict.Negligible || result.Ci95 is not [var low, var high]
        || !new Interval(outcome.Scaled(low), outcome.Scaled(high)).IsWithin(outcome.Scaled(result.Equivalence.Delta)) ? null
        : "It may be too small to matter: its 95 % interval lies within "
            + $"{(outcome.IsRelative ? "" : "±")}{outcome.Amount(result.Equivalence.Delta)}.";

    /// <summary>Why a p below 0.05 is not enough.</summary>
    private string Unsure()
    {
        if (result.Ci95 is [> 0, _] or [_, < 0])
            return "The p is below 0.05, but the wider interval that a verdict needs, which allows for skewed differences"
                + $"{(contrasts > 1 ? $" and for {contrasts} comparisons" : "")}, includes {NoDifference}: {outcome.Range(sure)}.";
        return testToTrain > 0
            ? "The p, which is of these seeds, is below 0.05, but the interval, which allows for the overlap of the seeds' training "
                + $"rows and so is of new rows, includes {NoDifference}; a verdict needs both."
            : $"The p is below 0.05, but the interval includes {NoDifference}: a few seeds make up most of the mean. A verdict needs both.";
    }

    private string NoDifference => outcome.IsRelative ? "a ratio of 1" : "0";

    /// <summary>That the promise of at most 5 % of false findings has not been tried with differences like these.</summary>
    private string? Skewed() => result.Verdict == Verdict.Inconclusive || pairs.Finite.Length < 3 || pairs.AllEqual
        || pairs.ArmOnly + pairs.BaselineOnly > 0 || Math.Abs(pairs.Finite.Skewness()) is not (> TriedSkewness and var skewness) ? null
        : $"The differences are very skewed (skewness {Numbers.Short(skewness)}): that at most 5 % of such "
            + $"findings are false has been tried up to {TriedSkewness:0}, and not beyond.";

    private string? Hopeless() =>
        pairs.Lost == pairs.Pairs ? null
        : pairs.Both == pairs.Pairs ? "Every run of both diverged, so that no number of seeds can tell them apart."
        : result is { N: >= 2, Ci95: null } ? "Every run that finished gave the same value: this metric can't tell the arms apart."
        : "Not one seed tells the arms apart.";

    /// <summary>How many seeds would find a difference of delta, and how many would show that there is none.</summary>
    private string? Seeds()
    {
        var delta = outcome.Scaled(result.Equivalence.Delta);
        if (result.SdDifference is not { } sd || sd <= pairs.Noise || delta <= 0)
            return null;
        var amount = outcome.Amount(result.Equivalence.Delta);
        (double Seeds, string To)[] advice =
        [
            (SeedCount.ToFind(delta, sd, contrasts, testToTrain), $"to find a difference of {amount}"),
            (SeedCount.ToShowEquivalence(delta, sd, testToTrain), $"to show equivalence within ±{amount} if there is none"),
        ];
        var some = advice.Where(part => part.Seeds > pairs.Pairs && !double.IsInfinity(part.Seeds)).ToList();
        var none = advice.Where(part => double.IsInfinity(part.Seeds)).ToList();
        string?[] said =
        [
            some.Count == 0 ? null : "At this spread it takes "
                + $"{string.Join(", and ", some.Select(part => $"{About(part.Seeds)} seeds {part.To}"))} (in four cases of five).",
            none.Count == 0 ? null : $"No number of seeds is enough {string.Join(" or ", none.Select(part => part.To))} on new rows "
                + "(in four cases of five). The interval takes a part of the spread for one that seeds share, as their training rows "
                + "overlap. More rows may help.",
        ];
        return said.All(part => part is null) ? null : string.Join(" ", said.Where(part => part is not null));
    }

    /// <summary>Nobody runs five digits of them, however exactly they are told.</summary>
    private static string About(double seeds) =>
        seeds <= 1000 ? $"about {(int)seeds}" : "more than 1,000";

    private string? Diverged()
    {
        var (all, arm, baseline, lost, _) = result.Divergence;
        if (lost > 0)
            return $"{lost} of {Numbers.Count(all, "seed")} {(lost == 1 ? "tells" : "tell")} nothing, because a run diverged.";
        if (arm + baseline == 0)
            return null;
        var ((most, more), (least, other)) = arm >= baseline ? ((arm, result.Arm), (baseline, result.Baseline))
            : ((baseline, result.Baseline), (arm, result.Arm));
        var counts = $"{most} of {Numbers.Count(all, "run")} of {more} diverged and {(least == 0 ? "none" : $"{least}")} of {other}";
        return pairs.ArmOnly + pairs.BaselineOnly == 0 ? $"{counts}, with the same seeds: ties."
            : $"{counts}; the p is of the ranks of all pairs (signed-rank test), where a diverged run is the worst.";
    }

    private static string Capitalized(string sentence) =>
        sentence.StartsWith("the gain", StringComparison.Ordinal) ? "The" + sentence[3..] : sentence;
}
