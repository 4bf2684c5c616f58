using MathNet.Numerics.Statistics;
using static System.Math;

namespace TrainingService.Host.Statistics;

/// <summary>How two quantities go together over points that are independent of each other, such as the means of a sweep's arms.</summary>
/// <param name="N">Points.</param>
/// <param name="Coefficient">-1 to 1; null if one of the quantities does not vary or there are fewer than two points.</param>
/// <param name="Ci95">[lower, upper]; null below four points.</param>
/// <param name="PValue">Two-sided p of no correlation, by Student's t with n - 2 degrees of freedom; null below three points.</param>
public sealed record Correlation(int N, double? Coefficient, double[]? Ci95, double? PValue)
{
    /// <summary>Pearson's r (straight-line relation), its interval by Fisher's z with variance 1 / (n - 3).</summary>
    public static Correlation Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y) =>
        Of(x, y, _ => 1);

    /// <summary>
    /// Spearman's rank correlation (monotone relation; ties share their mean rank), its interval by Fisher's z with variance (1 + r^2 / 2) / (n - 3):
    /// Bonett and Wright, Psychometrika 65 (2000).
    /// </summary>
    public static Correlation Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y) =>
        Of(ArrayStatistics.RanksInplace([.. x]), ArrayStatistics.RanksInplace([.. y]), r => 1 + r * r / 2);

    private static Correlation Of(IReadOnlyList<double> x, IReadOnlyList<double> y, Func<double, double> spread)
    {
        var n = x.Count;
        var r = n < 2 ? double.NaN : Clamp(MathNet.Numerics.Statistics.Correlation.Pearson(x, y), -1, 1);
        if (!double.IsFinite(r))
            return new(n, null, null, null);
        var (z, half) = (Atanh(r), Tails.Normal(Tails.Alpha) * Sqrt(spread(r) / (n - 3)));
        return new(n, r, n < 4 ? null : [Tanh(z - half), Tanh(z + half)], n < 3 ? null : Tails.StudentP(r * Sqrt((n - 2) / (1 - r * r)), n - 2));
    }
}
