namespace TrainingService.Engine.Prediction;

/// <summary>Where a new draw is expected, by draws that there are.</summary>
internal static class PreflightRange
{
    /// <summary>97.5 % of Student's distribution with 49 degrees of freedom lie below this.</summary>
    private const double Quantile = 2.009575;

    /// <summary>
    /// 95 % for one draw more: exp(mean +- t s sqrt(1 + 1/n)) of the n = 50 logarithms, which are nearly normal (Hanin &amp; Nica 2020).
    /// Where one of them isn't finite, from the least to the largest: 1 - 2/(n + 1) = 96 %. Tested: 90 to 99 % of new draws lie within.
    /// </summary>
    /// <param name="draws">50 root mean squares or ratios of them.</param>
    public static (double Low, double High) Of(double[] draws)
    {
        double[] logarithms = [.. draws.Select(x => Math.Log(x))];
        if (!logarithms.All(double.IsFinite))
            return (draws.Min(), draws.Max());
        var (mean, n) = (logarithms.Average(), draws.Length);
        var half = Quantile * Math.Sqrt(logarithms.Sum(x => (x - mean) * (x - mean)) / (n - 1) * (1 + 1.0 / n));
        return (Math.Exp(mean - half), Math.Exp(mean + half));
    }

    /// <summary>As many lie above as below.</summary>
    public static double Median(double[] draws)
    {
        double[] sorted = [.. draws.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
