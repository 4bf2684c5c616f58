using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>Whether more seeds can decide a contrast that is open.</summary>
public static class Prospects
{
    /// <summary>Below this chance more seeds aren't worth their time.</summary>
    public const double Least = 0.05;

    /// <summary>
    /// The chance, from what the seeds so far tell, that the contrast is decided at the last of the seeds: that the mean difference is
    /// significant then, or its 90 % interval within delta. The mean of n pairs foretells that of N: their difference is Student's t of
    /// n - 1 degrees times sd sqrt(1/n - 1/N) (predictive power: Spiegelhalter, Freedman and Blackburn, Controlled Clinical Trials 7
    /// (1986)). Earlier looks, other contrasts and skewness, which make it harder, are left out: a sweep is given up rather too late than
    /// too early. Where the seeds' training rows overlap, the standard error that is left with any number of seeds is sd sqrt(test/train).
    /// </summary>
    /// <param name="now">How the contrast stands.</param>
    /// <param name="contrast">Its pairs.</param>
    /// <param name="outcome">The metric.</param>
    /// <param name="seeds">Seeds so far.</param>
    /// <param name="atMost">Seeds at the last look; infinite for any number of them.</param>
    /// <param name="testToTrain">As for <see cref="MeanInterval"/>.</param>
    public static double Of(ContrastResult now, Contrast contrast, Outcome outcome, int seeds, double atMost,
        double testToTrain = 0)
    {
        var differences = contrast.DifferencesIn(outcome);
        var (pairs, growth) = (differences.Finite.Length, atMost / seeds);
        if (pairs + differences.ArmOnly + differences.BaselineOnly == 0)
            return 0;
        if (differences.ArmOnly + differences.BaselineOnly > 0)
            return double.IsInfinity(growth) ? 1 : OfSigns(now.PValue, growth);
        if (pairs < 3)
            return 1;
        var (mean, sd, delta) = (differences.Finite.Mean(), differences.Finite.StandardDeviation(), outcome.Scaled(now.Equivalence.Delta));
        var last = growth * pairs;
        // All differences are one and the same: zero, or else of one sign.
        if (sd <= differences.Noise)
            return Math.Abs(mean) > differences.Noise ? 1 : Unseen(last) < delta ? 1 : 0;
        var spread = sd * Math.Sqrt(1.0 / pairs - 1 / last);
        var error = sd * Math.Sqrt(1 / last + testToTrain);
        var significant = Quantile(Tails.Alpha) * error;
        var within = delta - Math.Max(Quantile(Tails.EquivalenceAlpha) * error, Unseen(last));
        double Below(double bound) => StudentT.CDF(mean, spread, pairs - 1, bound);
        return Math.Min(1, 1 - Below(significant) + Below(-significant) + (within > 0 ? Below(within) - Below(-within) : 0));

        double Quantile(double alpha) => last < int.MaxValue ? Tails.Student(alpha, (int)last - 1) : Tails.Normal(alpha);

        // What an interval of a coarse metric is at least wide by; see MeanInterval.At.
        double Unseen(double n) => (differences.StepIn(outcome) ?? double.PositiveInfinity)
            * (1 - Math.Pow(Tails.EquivalenceAlpha / 2, 1 / n));
    }

    /// <summary>Where runs diverge there is no equivalence; the normal score of the test's p foretells that of more pairs.</summary>
    private static double OfSigns(double p, double growth)
    {
        var score = Tails.Normal(Math.Clamp(p, 1e-12, 1)) * Math.Sqrt(growth);
        var (bound, spread) = (Tails.Normal(Tails.Alpha), Math.Sqrt(growth - 1));
        return Tails.Upper((bound - score) / spread) + Tails.Upper((bound + score) / spread);
    }
}
