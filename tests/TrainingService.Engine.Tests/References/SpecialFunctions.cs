namespace TrainingService.Engine.Tests.References;

/// <summary>What System.Math lacks, to double precision, tails included.</summary>
public static class SpecialFunctions
{
    /// <summary>e^x - 1 without cancellation near 0.</summary>
    public static double ExpM1(double x) => Math.Abs(x) < 1 ? 2 * Math.Sinh(x / 2) * Math.Exp(x / 2) : Math.Exp(x) - 1;

    /// <summary>ln(1 + x) without cancellation near 0.</summary>
    public static double Log1P(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : double.IsPositiveInfinity(u) ? u : Math.Log(u) * x / (u - 1);
    }

    public static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    /// <summary>ln(1 + e^x).</summary>
    public static double Softplus(double x) => Math.Max(x, 0) + Log1P(Math.Exp(-Math.Abs(x)));

    /// <summary>The standard normal's density.</summary>
    public static double NormalDensity(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    /// <summary>The standard normal's distribution function.</summary>
    public static double NormalCdf(double x) => x <= 0 ? Erfc(-x / Math.Sqrt(2)) / 2 : 1 - Erfc(x / Math.Sqrt(2)) / 2;

    /// <summary>For x >= 0: a series of positive terms below 2, a continued fraction above.</summary>
    private static double Erfc(double x)
    {
        if (x < 2)
        {
            var term = x;
            var sum = x;
            for (var n = 1; term > sum * 1e-18; n++)
                sum += term *= 2 * x * x / (2 * n + 1);
            return 1 - 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
        }
        var fraction = x;
        for (var n = 100; n >= 1; n--)
            fraction = x + n / 2.0 / fraction;
        return double.IsInfinity(x) ? 0 : Math.Exp(-x * x) / Math.Sqrt(Math.PI) / fraction;
    }
}
