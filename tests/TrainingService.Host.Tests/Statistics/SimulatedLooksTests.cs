using MathNet.Numerics.Distributions;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>What sweeps that run until decided promise, tried on sweeps whose truth is known: 6 to 60 seeds in eight looks.</summary>
public sealed class SimulatedLooksTests
{
    private const double Delta = 0.005;
    private const int AtMost = 60;

    private static readonly Outcome Accuracy = Outcome.Of("testAccuracy", 0);

    private static readonly int[] Seeds = [.. Ends()];

    private static readonly Looks[] Plans = [.. Enumerable.Range(1, Seeds.Length).Select(looks =>
        new Looks(Seeds[..looks], [.. Seeds[..looks].Select(seeds => Looks.Share(seeds, AtMost))]))];

    [Theory]
    [InlineData("normal", 1, 300)]
    [InlineData("rows of 36", 1, 300)]
    [InlineData("rows of 360", 3, 100)]
    [InlineData("skewed", 3, 100)]
    public void Over_all_looks_at_most_5_percent_have_a_false_winner(string kind, int contrasts, int sweeps) =>
        Assert.InRange(FalseWinners(kind, contrasts, sweeps), 0, Bound(sweeps));

    // With 2,000 sweeps the standard error is half a percentage point.
    [Theory]
    [Trait("Category", "Simulation")]
    [InlineData("normal", 1)]
    [InlineData("normal", 3)]
    [InlineData("normal", 6)]
    [InlineData("rows of 36", 1)]
    [InlineData("rows of 36", 3)]
    [InlineData("rows of 36", 6)]
    [InlineData("rows of 360", 1)]
    [InlineData("rows of 360", 3)]
    [InlineData("rows of 360", 6)]
    [InlineData("skewed", 1)]
    [InlineData("skewed", 3)]
    [InlineData("skewed", 6)]
    [InlineData("skewed differences", 1)]
    public void Nor_have_they_in_more_sweeps(string kind, int contrasts) =>
        Assert.InRange(FalseWinners(kind, contrasts, 2000), 0, Bound(2000));

    [Theory]
    [InlineData("little noise", 2000)]
    [InlineData("noise", 2000)]
    [InlineData("much noise", 2000)]
    [InlineData("rows of 36", 2000)]
    [InlineData("rows of 360", 2000)]
    [InlineData("skewed", 2000)]
    [InlineData("skewed to the other side", 2000)]
    public void Over_all_looks_at_most_5_percent_call_a_difference_of_delta_equivalent(string kind, int sweeps)
    {
        var random = new SplitMix64(7);
        var step = kind == "rows of 36" ? 1 / 36.0 : kind == "rows of 360" ? 1 / 360.0 : 0;
        var found = Enumerable.Range(0, sweeps).Count(_ =>
        {
            var differences = Draws.Of(AtMost, () => kind switch
            {
                "little noise" => Delta + Delta / 2 * random.NextNormal(),
                "noise" => Delta + Delta * random.NextNormal(),
                "much noise" => Delta + 2 * Delta * random.NextNormal(),
                // With 0.18 of the seeds the arm has one row more, and 1.8 rows in the mean.
                "rows of 36" => random.NextDouble() < 36 * Delta ? step : 0,
                "rows of 360" => step * (Math.Floor(360 * Delta + random.NextDouble()) + random.Next(3) - 1),
                "skewed" => Delta + Delta * random.Skewed(1)[0],
                _ => Delta - Delta * random.Skewed(1)[0],
            });
            return Enumerable.Range(0, Seeds.Length).Any(look =>
                IsWithin(differences.AsSpan(0, Seeds[look]), Plans[look].Level(0.10), step));
        });
        Assert.InRange(found / (double)sweeps, 0, Bound(sweeps));
    }

    [Theory]
    [InlineData(2.0, 1.0, 12, 12)]     // effect and spread in deltas, mean seeds between
    [InlineData(0.0, 0.5, 6, 14)]
    [InlineData(1.0, 1.0, 12, 30)]
    public void Most_of_sixty_seeds_are_saved_where_it_is_plain(double effect, double spread, double least, double most)
    {
        var random = new SplitMix64(3);
        Assert.InRange(Enumerable.Range(0, 8).Average(_ => SeedsNeeded(random, effect, spread)), least, most);
    }

    /// <summary>Two standard errors above 5 %.</summary>
    private static double Bound(int sweeps) => 0.05 + 2 * Math.Sqrt(0.05 * 0.95 / sweeps);

    private static IEnumerable<int> Ends()
    {
        for (var seeds = 6; ; seeds = SweepLooks.Next(seeds, 6, AtMost))
        {
            yield return seeds;
            if (seeds == AtMost)
                yield break;
        }
    }

    private static bool IsWithin(ReadOnlySpan<double> differences, double level, double step)
    {
        // No interval is narrower than Student's, which is soon known.
        var (values, n) = (differences.ToArray(), differences.Length);
        var mean = values.Average();
        var error = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (n - 1) / n);
        return Math.Abs(mean) + StudentT.InvCDF(0, 1, n - 1, 1 - level / 2) * error < Delta
            && new MeanInterval(differences).At(level, step, leans: true) is { } interval && interval.IsWithin(Delta);
    }

    private static int SeedsNeeded(SplitMix64 random, double effect, double spread)
    {
        var baseline = random.Normal(AtMost, 0.9, 0.01);
        var arm = baseline.Plus(random.Normal(AtMost, effect * Delta, spread * Delta));
        for (var look = 0; ; look++)
        {
            var seeds = Seeds[look];
            var contrast = Contrast.Between("a", arm[..seeds], "b", baseline[..seeds]) with { PairsAtLooks = Seeds[..(look + 1)] };
            var result = Assert.Single(Family.Judge([contrast], Accuracy, Delta, Plans[look]));
            if (SweepLooks.IsDecided(result) || seeds == AtMost
                || Prospects.Of(result, contrast, Accuracy, seeds, AtMost) < Prospects.Least)
                return seeds;
        }
    }

    /// <summary>Share of sweeps with a winner at any look among arms that differ in nothing but the noise.</summary>
    private static double FalseWinners(string kind, int contrasts, int sweeps)
    {
        var winners = 0;
        for (var sweep = 0; sweep < sweeps; sweep++)
        {
            var random = new SplitMix64(1000L * sweep + contrasts);
            var baseline = Values(random, kind);
            var arms = Enumerable.Range(0, contrasts).Select(_ => kind == "skewed differences"
                ? baseline.Plus([.. random.Skewed(AtMost).Select(value => 0.01 * value)]) : Values(random, kind)).ToArray();
            Contrast[] Family(int look) => [.. arms.Select((arm, i) =>
                Contrast.Between($"a{i}", arm[..Seeds[look]], "b", baseline[..Seeds[look]]) with { PairsAtLooks = Seeds[..(look + 1)] })];
            // What an earlier look has found the last one knows.
            var p = Holm.Adjust([.. Family(Seeds.Length - 1).Select(contrast => Plans[^1].PValue(contrast, Accuracy, 1, contrasts))]);
            if (p.Min() < 0.05 && Enumerable.Range(0, Seeds.Length).Any(look => Host.Statistics.Family.Judge(Family(look), Accuracy, Delta,
                Plans[look]).Any(result => result.Verdict is Verdict.Supported or Verdict.Refuted or Verdict.Negligible)))
                winners++;
        }
        return winners / (double)sweeps;
    }

    private static double[] Values(SplitMix64 random, string kind)
    {
        double Rows(int rows) => (float)Enumerable.Range(0, rows).Count(_ => random.NextDouble() < 0.9) / rows;
        return kind switch
        {
            "rows of 36" => Draws.Of(AtMost, () => Rows(36)),
            "rows of 360" => Draws.Of(AtMost, () => Rows(360)),
            "skewed" => [.. random.Skewed(AtMost).Select(value => 0.9 - 0.01 * value)],
            _ => random.Normal(AtMost, 0.9, 0.01),
        };
    }
}
