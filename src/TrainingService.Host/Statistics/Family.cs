using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>
/// All contrasts of one report. Each has its interval, its p and its test of equivalence; Holm's adjustment is over all of them.
/// </summary>
/// <remarks>
/// <para>
/// Verdicts, of the claim "the arm is better": supported or refuted if the adjusted p is below 0.05 and the 95 % interval excludes zero;
/// of a metric without a good side, higher or lower. If the 90 % interval lies within delta, such a difference is negligible, and without
/// one the arms are equivalent; all else is inconclusive. Lack of significance alone proves nothing.
/// </para>
/// <para>
/// Diverged runs are outcomes. In the sign-flip test a diverged run is worse than any that finished. Where the interval of the finished
/// pairs says nothing, an arm wins that diverges significantly less often (McNemar); where it excludes zero, but the arm that it favours
/// diverges more often, nobody wins: that is a trade-off. A divergence on one side only excludes equivalence.
/// </para>
/// <para>
/// Simulated, 6,000 to 20,000 sweeps each: arms that behave alike have a winner in 2.7 to 4.7 % (normal, skewed and heavy-tailed values; 6,
/// 10, 30 seeds), with rounded or diverging values in fewer; a true difference of delta is called equivalent in at most 4.8 % (normal
/// differences of any spread, single rows of a coarse metric). What no method for a mean of few values can promise: arms with equal means
/// whose differences are strongly skewed. With exponential ones a winner was found in 4 to 8 % for one contrast and up to 14 % for four,
/// and equivalence in up to 12 % on the side of the long tail.
/// </para>
/// </remarks>
public static class Family
{
    /// <param name="contrasts">All contrasts that the report shows.</param>
    /// <param name="outcome">The metric that they compare.</param>
    /// <param name="delta">The least difference that matters, in the metric's unit; 0 or more.</param>
    /// <param name="looks">When it was looked, this time included; null for once. Adjusted p and intervals pay for all looks.</param>
    public static IReadOnlyList<ContrastResult> Judge(IReadOnlyList<Contrast> contrasts, Outcome outcome, double delta,
        Looks? looks = null)
    {
        looks ??= Looks.Once;
        var tests = contrasts.Select(contrast =>
            SignFlip.Test(contrast.Differences.Ranked(outcome).WithDivergences(outcome.HigherIsBetter != false), contrast.Differences.Noise))
            .ToArray();
        var adjusted = Holm.Adjust([.. tests.Zip(contrasts, (test, contrast) => looks.PValue(contrast, outcome, test.PValue, contrasts.Count))]);
        var least = Holm.Adjust([.. contrasts.Select(looks.LeastP)]);
        return
            [.. contrasts.Select((contrast, i) => Judge(contrast, outcome, delta, looks, tests[i], adjusted[i], least[i], contrasts.Count))];
    }

    private static ContrastResult Judge(Contrast contrast, Outcome outcome,
        double delta, Looks looks, SignFlip test, double adjusted, double least, int contrasts)
    {
        var pairs = contrast.Differences.Ranked(outcome);
        var n = pairs.Finite.Length;
        var interval = new MeanInterval(pairs.Finite);
        var (ci95, ci90) = (outcome.Resolution ?? pairs.Step) is { } step
            ? (interval.At(looks.Risk(Tails.Alpha), step), interval.At(looks.Risk(Tails.EquivalenceAlpha), step))
            : (null, null);
        var sign = outcome.HigherIsBetter == false ? -1 : 1;
        var better = pairs.Finite.Count(difference => sign * difference > pairs.Noise) + pairs.BaselineOnly;
        var worse = pairs.Finite.Count(difference => -sign * difference > pairs.Noise) + pairs.ArmOnly;
        var ties = pairs.Pairs - pairs.Lost - better - worse;
        var hits = better + ties / 2.0;
        var equivalent = n >= SeedCount.LeastForEquivalence && pairs.ArmOnly + pairs.BaselineOnly + pairs.Lost == 0
            && ci90 is { } within && within.IsWithin(delta) && (looks.HasLeft || looks.FoundWithin(contrast, outcome, delta));
        var result = new ContrastResult
        {
            Arm = contrast.Arm,
            Baseline = contrast.Baseline,
            N = n,
            MeanDifference = n == 0 ? null : pairs.Finite.Mean(),
            MedianDifference = n == 0 ? null : pairs.Finite.Median(),
            SdDifference = n < 2 ? null : pairs.Finite.StandardDeviation(),
            Ci95 = ci95?.ToArray(),
            PValue = test.PValue,
            PValueExact = test.Exact,
            AdjustedPValue = adjusted,
            LeastAdjustedPValue = least,
            ProbabilityOfSuperiority = pairs.Pairs == pairs.Lost ? null : hits / (pairs.Pairs - pairs.Lost),
            ProbabilityOfSuperiorityCi95 = Proportion.Wilson(hits, pairs.Pairs - pairs.Lost)?.ToArray(),
            Equivalence = new(delta, ci90?.ToArray(), equivalent),
            Divergence = new(pairs.Pairs, contrast.Differences.ArmOnly + contrast.Differences.Both,
                contrast.Differences.BaselineOnly + contrast.Differences.Both, pairs.Lost,
                Proportion.PairedP(contrast.Differences.ArmOnly, contrast.Differences.BaselineOnly)),
            Verdict = (Side(pairs, ci95, sign, adjusted), equivalent, outcome.HigherIsBetter) switch
            {
                (0, true, _) => Verdict.Equivalent,
                (0, false, _) => Verdict.Inconclusive,
                (_, true, _) => Verdict.Negligible,
                (> 0, _, null) => Verdict.Higher,
                (_, _, null) => Verdict.Lower,
                (> 0, _, _) => Verdict.Supported,
                _ => Verdict.Refuted,
            },
            Sentence = "",
        };
        return result with { Sentence = Sentences.Of(result, contrast, outcome, contrasts) };
    }

    /// <summary>1 if the arm is better for sure (without a good side: higher), -1 if it is worse, 0 if that can't be said.</summary>
    private static int Side(PairedDifferences pairs, Interval? ci95, int sign, double adjusted)
    {
        if (adjusted >= Tails.Alpha)
            return 0;
        var mean = ci95 is { } interval && interval.Excludes(0) ? sign * Math.Sign(interval.Lower) : 0;
        var lead = Math.Sign(pairs.BaselineOnly - pairs.ArmOnly);
        var sureLead = Proportion.PairedP(pairs.ArmOnly, pairs.BaselineOnly) < Tails.Alpha ? lead : 0;
        return mean == 0 ? sureLead : lead == -mean ? 0 : mean;
    }
}
