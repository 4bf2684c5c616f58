using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

public sealed class SignFlipTests
{
    /// <summary>Darwin's maize, crossed minus self-fertilised, in inches (Fisher 1935, section 17).</summary>
    internal static readonly double[] Maize =
        [.. new[] { 49.0, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48 }.Select(eighths => eighths / 8)];

    /// <summary>R's `sleep`: extra hours with drug 1 minus drug 2 (Student 1908).</summary>
    internal static readonly double[] Sleep = [-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4];

    [Fact]
    public void Published_samples_have_their_known_p()
    {
        // Fisher 1935, section 21: 863 of 2^15 on one side; scipy.stats.permutation_test(permutation_type="samples") gives the same.
        Assert.Equal(new(1726 / 32768.0, true), SignFlip.Test(Maize, 0));
        // R: mean(abs(expand.grid signs %*% d) >= abs(sum(d))).
        Assert.Equal(new(0.00390625, true), SignFlip.Test(Sleep, 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(11)]
    public void Counting_by_halves_agrees_with_counting_all(int n)
    {
        var random = new SplitMix64(n);
        for (var round = 0; round < 40; round++)
        {
            // Rounded to tenths, so that many sums tie, zero among them, and 0.1 + 0.2 is not 0.3.
            double[] differences = [.. Enumerable.Range(0, n).Select(_ => Math.Round(random.NextNormal() + 0.3, round < 20 ? 1 : 15))];
            var tenths = differences.Select(d => (decimal)d).ToArray();
            var seen = Math.Abs(tenths.Sum());
            var hits =
                Enumerable.Range(0, 1 << n).Count(signs => Math.Abs(tenths.Select((d, i) => (signs >> i & 1) == 0 ? d : -d).Sum()) >= seen);
            Assert.Equal(hits / (double)(1 << n), SignFlip.Test(differences, 0).PValue, 1e-15);
        }
    }

    [Fact]
    public void Equal_differences_tie_in_single_precision_too()
    {
        // Steps of one test row in 360, each rounded to single precision.
        double[] differences = [.. Enumerable.Range(0, 12).Select(i => (double)((330 + i + (i < 9 ? 1 : -1)) / 360f) - (330 + i) / 360f)];
        Assert.True(differences.Distinct().Count() > 2);
        // P(at least 9 of 12 on one side) = 2 (220 + 66 + 12 + 1) / 4096.
        Assert.Equal(598 / 4096.0, SignFlip.Test(differences, 1.2e-7).PValue, 1e-15);
    }

    [Fact]
    public void Zeros_add_nothing()
    {
        Assert.Equal(SignFlip.Test([1, 2, 3, 4, 5], 0), SignFlip.Test([0, 1, 2, 3, 0, 4, 5, 0], 0));
        Assert.Equal(new(1, true), SignFlip.Test(new double[30], 0));
        Assert.Equal(new(1, true), SignFlip.Test([], 0));
        Assert.Equal(new(1, true), SignFlip.Test([3], 0));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(32)]
    [InlineData(40)]
    public void The_least_p_is_two_to_the_one_minus_n(int n)
    {
        double[] differences = [.. Enumerable.Range(1, n).Select(i => (double)i)];
        Assert.Equal(new(Math.Pow(2, 1 - n), true), SignFlip.Test(differences, 0));
        Assert.Equal(Math.Pow(2, 1 - n), SignFlip.LeastP(n));
    }

    [Theory]
    [InlineData(33, 24)]
    [InlineData(40, 20)]
    [InlineData(40, 27)]
    [InlineData(40, 34)]
    public void Forty_equal_differences_have_the_binomial_p(int n, int up)
    {
        double[] differences = [.. Enumerable.Range(0, n).Select(i => i < up ? 1.0 : -1)];
        var tail = 2 * (1 - MathNet.Numerics.Distributions.Binomial.CDF(0.5, n, up - 1));
        Assert.Equal(Math.Min(1, tail), SignFlip.Test(differences, 0).PValue, 1e-9);
        Assert.True(SignFlip.Test(differences, 0).Exact);
    }

    [Fact]
    public void Above_40_pairs_signs_are_drawn_and_agree_with_the_count()
    {
        double[] most = [.. Enumerable.Range(0, 40).Select(i => Math.Sin(i * 1.7) + 0.25)];
        var exact = SignFlip.Test(most, 0);
        var drawn = SignFlip.Test([.. most, 1e-9], 0);
        Assert.True(exact.Exact);
        Assert.False(drawn.Exact);
        Assert.InRange(exact.PValue, 0.01, 0.5);
        // Four standard errors of a share among 99,999.
        Assert.Equal(exact.PValue, drawn.PValue, 4 * Math.Sqrt(exact.PValue * (1 - exact.PValue) / SignFlip.Draws));
        Assert.Equal(drawn, SignFlip.Test([1e-9, .. most.Reverse()], 0));
        Assert.Equal(1.0 / 100_000, SignFlip.Test([.. Enumerable.Repeat(1.0, 60)], 0).PValue);
    }
}
