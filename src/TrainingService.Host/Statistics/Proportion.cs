using MathNet.Numerics.Distributions;

namespace TrainingService.Host.Statistics;

/// <summary>Shares of runs.</summary>
public static class Proportion
{
    /// <summary>
    /// Wilson's score interval for hits / n (Wilson 1927; Newcombe, Statistics in Medicine 17 (1998), method 3). Half hits are allowed:
    /// a mean of values in [0, 1] varies no more than one of zeros and ones. Null for n = 0.
    /// </summary>
    public static Interval? Wilson(double hits, int n, double alpha = Tails.Alpha)
    {
        if (n == 0)
            return null;
        var (p, z) = (hits / n, Tails.Normal(alpha));
        var centre = p + z * z / (2 * n);
        var half = z * Math.Sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
        var scale = 1 + z * z / n;
        return new(Math.Max(0, (centre - half) / scale), Math.Min(1, (centre + half) / scale));
    }

    /// <summary>
    /// Exact two-sided test (McNemar's, as a sign test) of whether pairs in which just one side has the event favour a side:
    /// twice the binomial tail of the rarer side at 1/2.
    /// </summary>
    public static double PairedP(int onlyOne, int onlyOther)
    {
        var n = onlyOne + onlyOther;
        return n == 0 ? 1 : Math.Min(1, 2 * Binomial.CDF(0.5, n, Math.Min(onlyOne, onlyOther)));
    }
}
