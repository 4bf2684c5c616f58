using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>What the intervals promise, tried on samples whose truth is known.</summary>
public sealed class SimulatedIntervalTests
{
    [Theory]
    [InlineData(6)]
    [InlineData(10)]
    [InlineData(30)]
    public void A_95_percent_interval_covers_the_mean_in_93_to_97_percent(int n)
    {
        var random = new SplitMix64(n);
        Assert.InRange(Coverage(1000, () => random.Normal(n)), 0.93, 0.97);
    }

    // The table in MeanInterval, within its error. Skewed differences are covered too rarely by every method; this one misses
    // them least but for bootstrap-t.
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("normal", 5, 0.958)]
    [InlineData("normal", 6, 0.963)]
    [InlineData("normal", 10, 0.959)]
    [InlineData("normal", 30, 0.957)]
    [InlineData("skewed", 6, 0.912)]
    [InlineData("skewed", 10, 0.931)]
    [InlineData("skewed", 30, 0.953)]
    [InlineData("heavy", 6, 0.965)]
    [InlineData("heavy", 10, 0.967)]
    [InlineData("heavy", 30, 0.955)]
    [InlineData("rounded", 6, 0.964)]
    [InlineData("rounded", 10, 0.966)]
    [InlineData("rounded", 30, 0.959)]
    public void Coverage_is_as_documented(string kind, int n, double documented)
    {
        var random = new SplitMix64(n);
        var coverage = Coverage(10_000, () => kind switch
        {
            "normal" => random.Normal(n),
            "skewed" => random.Skewed(n),
            "heavy" => random.Heavy(n),
            _ => [.. random.Normal(n).Select(value => Math.Round(value))],
        });
        Assert.Equal(documented, coverage, 0.012);
    }

    private static double Coverage(int samples, Func<double[]> draw) =>
        // equal values have no interval, which excludes nothing
        Enumerable.Range(0, samples).Count(_ => new MeanInterval(draw()).At(0.05, 0)?.Excludes(0) != true) / (double)samples;
}
