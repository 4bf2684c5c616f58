using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>Samples with mean 0 for simulations.</summary>
internal static class Draws
{
    public static double[] Of(int n, Func<int, double> draw) => [.. Enumerable.Range(0, n).Select(draw)];

    public static double[] Of(int n, Func<double> draw) => [.. Enumerable.Range(0, n).Select(_ => draw())];

    public static double[] Normal(this SplitMix64 random, int n, double mean = 0, double sd = 1) =>
        Of(n, () => mean + sd * random.NextNormal());

    /// <summary>Exponential, shifted to mean 0: skewed, standard deviation 1.</summary>
    public static double[] Skewed(this SplitMix64 random, int n) => Of(n, () => -Math.Log(1 - random.NextDouble()) - 1);

    /// <summary>Student's t with 3 degrees of freedom: heavy tails.</summary>
    public static double[] Heavy(this SplitMix64 random, int n) =>
        Of(n, () => random.NextNormal() / Math.Sqrt(random.Normal(3).Sum(z => z * z) / 3));

    public static double[] Plus(this double[] values, double[] others) => [.. values.Zip(others, (a, b) => a + b)];
}
