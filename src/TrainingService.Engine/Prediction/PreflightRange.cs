namespace TrainingService.Engine.Prediction;

/// <summary>Where a new draw is expected, by draws that there are.</summary>
internal static class PreflightRange
{
    /// <summary>97.5 % of a normal distribution lie below this.</summary>
    private const double Normal = 1.959964;

    /// <summary>
    /// 95 % for one draw more: exp(mean +- t s sqrt(1 + 1/n)) of the n logarithms, which are nearly normal (Hanin &amp; Nica 2020), less
    /// what only the choice of rows brings to their variance. Where one of them isn't finite, from the least to the largest:
    /// 1 - 2/(n + 1), 96 % of 50. Tested: 90 to 99 % of new draws lie within.
    /// </summary>
    /// <param name="sample">At least 50 root mean squares or ratios of them.</param>
    public static (double Low, double High) Of(PreflightSample sample)
    {
        double[] logarithms = [.. sample.Roots.Select(x => Math.Log(x))];
        if (!logarithms.All(double.IsFinite))
            return (sample.Roots.Min(), sample.Roots.Max());
        var (mean, n) = (logarithms.Average(), logarithms.Length);
        var variance = logarithms.Sum(x => (x - mean) * (x - mean)) / (n - 1);
        if (double.IsFinite(sample.Chosen))
            variance = Math.Max(Math.Min(variance, sample.All), variance - sample.Chosen + sample.All);
        var half = Student(n - 1) * Math.Sqrt(variance * (1 + 1.0 / n));
        return (Math.Exp(mean - half), Math.Exp(mean + half));
    }

    /// <summary>As many lie above as below.</summary>
    public static double Median(PreflightSample sample)
    {
        double[] sorted = [.. sample.Roots.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>97.5 % of Student's distribution lie below this: the first two terms of Cornish and Fisher, to 0.001 from 10 on.</summary>
    private static double Student(int freedom)
    {
        const double Z = Normal;
        return Z + (Math.Pow(Z, 3) + Z) / 4 / freedom + (5 * Math.Pow(Z, 5) + 16 * Math.Pow(Z, 3) + 3 * Z) / 96 / freedom / freedom;
    }
}
