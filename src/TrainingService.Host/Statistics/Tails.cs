using MathNet.Numerics.Distributions;

namespace TrainingService.Host.Statistics;

/// <summary>Quantiles and tails of the distributions that tests and intervals are made of.</summary>
internal static class Tails
{
    /// <summary>Two-sided risk of every test and of every 95 % interval.</summary>
    public const double Alpha = 0.05;

    /// <summary>Two-sided risk of the 90 % interval of an equivalence test, which is two one-sided tests at 5 %.</summary>
    public const double EquivalenceAlpha = 0.10;

    /// <summary>z with P(|Z| > z) = alpha.</summary>
    public static double Normal(double alpha) => MathNet.Numerics.Distributions.Normal.InvCDF(0, 1, 1 - alpha / 2);

    /// <summary>P(Z > z).</summary>
    public static double Upper(double z) => MathNet.Numerics.Distributions.Normal.CDF(0, 1, -z);

    /// <summary>t with P(|T| > t) = alpha.</summary>
    public static double Student(double alpha, int degrees) => StudentT.InvCDF(0, 1, degrees, 1 - alpha / 2);
}
