using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>
/// All contrasts of one report. Each has its interval, its p and its test of equivalence; Holm's adjustment is over all of them.
/// </summary>
/// <remarks>
/// <para>
/// Verdicts, of the claim "the arm is better": supported or refuted if the adjusted p is below 0.05 and zero lies outside the interval
/// that allows for skewness and for as many contrasts as share alpha with it (<see cref="MeanInterval.At"/>, <see cref="Holm.Sharing"/>);
/// of a metric without a good side, higher or lower. If the 90 % interval lies within delta, such a difference is negligible, and without
/// one the arms are equivalent; all else is inconclusive. Lack of significance alone proves nothing.
/// </para>
/// <para>
/// The p is that of the sign-flip test of the mean. Diverged runs are outcomes, and the worst: with one among the pairs the p is that of
/// the exact signed-rank test, and where a seed has a run of one arm only that finished there is no mean over all pairs, so that the ranks
/// alone decide. The interval is over the seeds with which both finished. A divergence on one side only excludes equivalence. By a metric
/// without a good side a diverged run has no rank; its seed is left out, and counted.
/// </para>
/// <para>
/// Where the test split changes with the seed, intervals allow for the overlap of training sets (<see cref="MeanInterval"/>) and so speak
/// of new rows; the p speaks of these seeds. A verdict needs both.
/// </para>
/// <para>
/// Simulated with seeds that are given, 2,000 sweeps each: arms that behave alike have a winner in at most 4.6 % (normal, skewed, rounded
/// and diverging values; 6, 10, 30 seeds; 1 to 3 contrasts), and a true difference of delta is called equivalent in at most 4.2 % (normal
/// differences of any spread, single rows of a coarse metric).
/// </para>
/// <para>
/// The hard case are arms of equal means whose differences are skewed: before the rare large ones have come, the others look sure of
/// themselves. Exponential differences (skewness 2), false winners in per cent of 16,000 sweeps (4,000 of 30 seeds), with 1, 3 and 6
/// contrasts, by the sign-flip test alone, and with the interval:
/// <code>
/// seeds            6      8                10               16               30
/// p alone          6.4    9.3  13.1  14.1  9.4  13.2  15.9  8.8  13.7  17.2  8.0  10.3  12.5
/// and interval     4.1    3.9   5.0   5.3  4.2   4.5   5.2  3.5   4.7   4.9  3.7   3.7   3.9
/// power, p alone  35     65    39    24    79    56    42   96    88    80   99.9  99    99
/// power, both     29     50    25    14    67    41    27   93    79    67   99.7  99    99
/// </code>
/// The second row of 4,000 sweeps (standard error 0.3). Power is that of each contrast where differences are normal with a mean of one
/// standard deviation, Bonferroni's share for each. False equivalence where an exponential difference of mean delta has its tail beyond
/// delta: 5.1, 4.0, 4.5, 3.6 % with 6, 10, 16, 30 seeds (11.9, 9.8, 8.2, 7.4 without the allowance), with a gamma distribution of shape 2
/// (skewness 1.4) 5.5, 4.5, 3.9 % with 6, 10, 30; what it costs is that normal differences of spread delta about zero are found equivalent
/// in 58 of 76 %, 92 of 96 %, 99.9 of 100 % with 10, 16, 30 seeds. More skewed than that it is not held: of lognormal differences (sigma
/// 1, skewness 6) there is a winner in 6 to 7 % with one contrast and 8 to 12 % with three and six, and false equivalence in 6 to 10 %. A
/// sentence says so where the differences seen are more skewed than 2.
/// </para>
/// </remarks>
public static class Family
{
    /// <param name="contrasts">All contrasts by this metric that the report shows.</param>
    /// <param name="outcome">The metric that they compare.</param>
    /// <param name="delta">The least difference that matters, in the outcome's unit; 0 or more.</param>
    /// <param name="looks">When it was looked, this time included; null for once. Adjusted p and intervals pay for all looks.</param>
    /// <param name="testToTrain">Test rows over training rows where the split changes with the seed, else 0.</param>
    public static IReadOnlyList<ContrastResult> Judge(IReadOnlyList<Contrast> contrasts, Outcome outcome, double delta,
        Looks? looks = null, double testToTrain = 0)
    {
        looks ??= Looks.Once;
        var pairs = contrasts.Select(contrast => contrast.DifferencesIn(outcome)).ToArray();
        var tests = pairs.Select(differences => PairedTest.Of(differences, outcome)).ToArray();
        double[] p = [.. tests.Zip(contrasts, (test, contrast) => looks.PValue(contrast, outcome, test.PValue, contrasts.Count))];
        var (adjusted, sharing) = (Holm.Adjust(p), Holm.Sharing(p));
        var least = Holm.Adjust([.. contrasts.Select(looks.LeastP)]);
        return [.. contrasts.Select((contrast, i) =>
            Judge(contrast, pairs[i], outcome, delta, looks, testToTrain, tests[i], adjusted[i], sharing[i], least[i], contrasts.Count))];
    }

    private static ContrastResult Judge(Contrast contrast, PairedDifferences pairs, Outcome outcome,
        double delta, Looks looks, double testToTrain, PairedTest test, double adjusted, int sharing, double least, int contrasts)
    {
        var n = pairs.Finite.Length;
        var interval = new MeanInterval(pairs.Finite, testToTrain);
        var (ci95, sure, ci90) = pairs.StepIn(outcome) is { } step
            ? (interval.At(looks.Risk(Tails.Alpha), step),
                interval.At(looks.Risk(Tails.Alpha / sharing), step, MeanInterval.ForDifference),
                interval.At(looks.Risk(Tails.EquivalenceAlpha), step, MeanInterval.ForEquivalence))
            : (null, null, null);
        var sign = outcome.HigherIsBetter == false ? -1 : 1;
        // No two shares differ by more than 1, however wide an interval is made.
        var most = outcome.IsShare && !contrast.IsInteraction ? 1 : double.PositiveInfinity;
        var better = pairs.Finite.Count(difference => sign * difference > pairs.Noise) + pairs.BaselineOnly;
        var worse = pairs.Finite.Count(difference => -sign * difference > pairs.Noise) + pairs.ArmOnly;
        var ties = pairs.Pairs - pairs.Lost - better - worse;
        var hits = better + ties / 2.0;
        var equivalent = n >= SeedCount.LeastForEquivalence && pairs.ArmOnly + pairs.BaselineOnly + pairs.Lost == 0
            && ci90 is { } within && within.IsWithin(outcome.Scaled(delta))
            && (looks.HasLeft || looks.FoundWithin(contrast, outcome, delta, testToTrain));
        // The side that the mean favours for sure, or the ranks where there is no mean.
        var side = adjusted >= Tails.Alpha ? 0
            : pairs.ArmOnly + pairs.BaselineOnly > 0 ? test.Side
            : sure is { } ends && ends.Excludes(0) ? sign * Math.Sign(ends.Lower) : 0;
        var all = contrast.IsInteraction ? pairs : contrast.DifferencesIn(outcome with { HigherIsBetter = true });
        var result = new ContrastResult
        {
            Arm = contrast.Arm,
            Baseline = contrast.Baseline,
            Unit = outcome.Unit,
            N = n,
            MeanDifference = n == 0 ? null : outcome.Told(pairs.Finite.Mean()),
            MedianDifference = n == 0 ? null : outcome.Told(pairs.Finite.Median()),
            SdDifference = n < 2 ? null : pairs.Finite.StandardDeviation(),
            Ci95 = Told(ci95),
            Test = test.Name,
            PValue = test.PValue,
            PValueExact = test.Exact,
            AdjustedPValue = adjusted,
            LeastAdjustedPValue = least,
            ProbabilityOfSuperiority = pairs.Pairs == pairs.Lost ? null : hits / (pairs.Pairs - pairs.Lost),
            ProbabilityOfSuperiorityCi95 = Proportion.Wilson(hits, pairs.Pairs - pairs.Lost)?.ToArray(),
            Equivalence = new(delta, Told(ci90), equivalent),
            Divergence = new(pairs.Pairs, all.ArmOnly + all.Both, all.BaselineOnly + all.Both, pairs.Lost,
                Proportion.PairedP(all.ArmOnly, all.BaselineOnly)),
            Verdict = (side, equivalent, outcome.HigherIsBetter) switch
            {
                (0, true, _) => Verdict.Equivalent,
                (0, false, _) => Verdict.Inconclusive,
                (_, true, _) => Verdict.Negligible,
                ( > 0, _, null) => Verdict.Higher,
                (_, _, null) => Verdict.Lower,
                ( > 0, _, _) => Verdict.Supported,
                _ => Verdict.Refuted,
            },
            Sentence = "",
        };
        return result with
        {
            BeyondSeeds = result.Verdict == Verdict.Inconclusive
                && Prospects.Of(result, contrast, outcome, pairs.Pairs, double.PositiveInfinity, testToTrain) < Prospects.Least,
            Sentence = new Sentences(result, contrast, pairs, outcome, contrasts, testToTrain, Told(sure)).Of(),
        };

        double[]? Told(Interval? interval) => interval is { } ends
            ? [.. new[] { ends.Lower, ends.Upper }.Select(end => Math.Clamp(outcome.Told(end), -most, most))] : null;
    }
}
