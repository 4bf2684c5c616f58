using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>Whether more seeds can decide a contrast that is open.</summary>
public static class Prospects
{
    /// <summary>Below this chance more seeds aren't worth their time.</summary>
    public const double Least = 0.05;

    /// <summary>
    /// An upper estimate of the chance that the contrast is decided at the last of the seeds: that the mean difference is significant then,
    /// or its 90 % interval within delta. The mean of n pairs foretells that of N with variance sd^2 (1/n - 1/N) (predictive power:
    /// Spiegelhalter, Freedman and Blackburn, Controlled Clinical Trials 7 (1986)); as the sd of that, its upper 90 % limit is taken, and
    /// as that of the intervals at the end the lower one, so that a sweep is given up rather too late than too early.
    /// </summary>
    /// <param name="now">How the contrast stands.</param>
    /// <param name="contrast">Its pairs.</param>
    /// <param name="outcome">The metric.</param>
    /// <param name="seeds">Seeds so far.</param>
    /// <param name="atMost">Seeds at the last look.</param>
    /// <param name="testToTrain">As for <see cref="MeanInterval"/>.</param>
    public static double Of(ContrastResult now, Contrast contrast, Outcome outcome, int seeds, int atMost,
        double testToTrain = 0)
    {
        var differences = contrast.DifferencesIn(outcome);
        var (pairs, growth) = (differences.Finite.Length, (double)atMost / seeds);
        if (pairs + differences.ArmOnly + differences.BaselineOnly == 0)
            return 0;
        if (differences.ArmOnly + differences.BaselineOnly > 0)
            return OfSigns(now.PValue, growth);
        if (pairs < 3)
            return 1;
        var (mean, sd, delta) = (differences.Finite.Mean(), differences.Finite.StandardDeviation(), outcome.Scaled(now.Equivalence.Delta));
        var last = growth * pairs;
        // All differences are one and the same: zero, or else of one sign.
        if (sd <= differences.Noise)
            return Math.Abs(mean) > differences.Noise ? 1 : Unseen(last) < delta ? 1 : 0;
        var least = sd * Math.Sqrt((pairs - 1) / ChiSquared.InvCDF(pairs - 1, 0.9));
        var most = sd * Math.Sqrt((pairs - 1) / ChiSquared.InvCDF(pairs - 1, 0.1));
        var spread = most * Math.Sqrt(1.0 / pairs - 1 / last);
        var error = least * Math.Sqrt(1 / last + testToTrain);
        var significant = Tails.Student(Tails.Alpha, (int)last - 1) * error;
        var within = delta - Math.Max(Tails.Student(Tails.EquivalenceAlpha, (int)last - 1) * error, Unseen(last));
        double Between(double low, double high) => Tails.Upper((low - mean) / spread) - Tails.Upper((high - mean) / spread);
        return Math.Min(1, 1 - Between(-significant, significant) + (within > 0 ? Between(-within, within) : 0));

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
