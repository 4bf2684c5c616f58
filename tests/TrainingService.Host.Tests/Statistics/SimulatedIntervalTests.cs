using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>What the intervals promise, tried on samples whose truth is known.</summary>
public sealed class SimulatedIntervalTests
{
    // The table in MeanInterval. Skewed differences are covered too rarely by every method; this one misses them least but for
    // bootstrap-t.
    public static TheoryData<string, int, double> Documented => new()
    {
        { "normal", 5, 0.958 }, { "normal", 6, 0.963 }, { "normal", 10, 0.959 }, { "normal", 30, 0.957 },
        { "skewed", 6, 0.912 }, { "skewed", 10, 0.931 }, { "skewed", 30, 0.953 },
        { "heavy", 6, 0.965 }, { "heavy", 10, 0.967 }, { "heavy", 30, 0.955 },
        { "rounded", 6, 0.964 }, { "rounded", 10, 0.966 }, { "rounded", 30, 0.959 },
    };

    // within four standard errors: 0.022 = 4 sqrt(0.95 0.05 / 1500)
    [Theory, MemberData(nameof(Documented))]
    public void Coverage_is_as_documented(string kind, int n, double documented) => Covers(kind, n, documented, 1500, 0.022);

    [Theory, MemberData(nameof(Documented)), Trait("Category", "Simulation")]
    public void So_it_is_in_more_samples(string kind, int n, double documented) => Covers(kind, n, documented, 10_000, 0.012);

    private static void Covers(string kind, int n, double documented, int samples, double error)
    {
        var random = new SplitMix64(n);
        var coverage = Coverage(samples, () => kind switch
        {
            "normal" => random.Normal(n),
            "skewed" => random.Skewed(n),
            "heavy" => random.Heavy(n),
            _ => [.. random.Normal(n).Select(value => Math.Round(value))],
        });
        Assert.Equal(documented, coverage, error);
    }

    private static double Coverage(int samples, Func<double[]> draw) =>
        // equal values have no interval, which excludes nothing
        Enumerable.Range(0, samples).Count(_ => new MeanInterval(draw()).At(0.05, 0)?.Excludes(0) != true) / (double)samples;
}
