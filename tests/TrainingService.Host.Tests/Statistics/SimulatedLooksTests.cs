using System.Collections.Concurrent;
using MathNet.Numerics.Distributions;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>What sweeps that run until decided promise, tried on sweeps whose truth is known: 6 to 60 seeds in eight looks.</summary>
public sealed class SimulatedLooksTests(ITestOutputHelper output)
{
    private const double Delta = 0.005;
    private const int AtMost = 60;

    private static readonly Outcome Accuracy = Outcome.Of("testAccuracy", 0);

    private static readonly ConcurrentDictionary<(double, int), double> Quantiles = new();

    private static readonly int[] Seeds = [.. Ends()];

    private static readonly Looks[] Plans = [.. Enumerable.Range(1, Seeds.Length).Select(looks =>
        new Looks(Seeds[..looks], [.. Seeds[..looks].Select(seeds => Looks.Share(seeds, AtMost))]))];

    [Theory]
    [InlineData("normal", 1, 300)]
    [InlineData("rows of 36", 1, 300)]
    [InlineData("rows of 360", 3, 100)]
    [InlineData("skewed", 3, 100)]
    [InlineData("skewed differences", 1, 300)]
    [InlineData("skewed differences", 6, 50)]
    public void Over_all_looks_at_most_5_percent_have_a_false_winner(string kind, int contrasts, int sweeps) =>
        Assert.InRange(FalseWinners(kind, contrasts, sweeps), 0, Bound(sweeps));

    // The table in Looks.
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
    [InlineData("skewed differences", 3)]
    [InlineData("skewed differences", 6)]
    public void Nor_have_they_in_more_sweeps(string kind, int contrasts) =>
        Assert.InRange(FalseWinners(kind, contrasts, 2000), 0, Bound(2000));

    [Theory]
    [InlineData("noise", 300)]
    [InlineData("rows of 36", 300)]
    [InlineData("rows of 360", 300)]
    [InlineData("skewed", 300)]
    [InlineData("skewed to the other side", 300)]
    public void Over_all_looks_at_most_5_percent_call_a_difference_of_delta_equivalent(string kind, int sweeps) =>
        Assert.InRange(FalseEquivalence(kind, sweeps), 0, Bound(sweeps));

    [Theory]
    [Trait("Category", "Simulation")]
    [InlineData("little noise")]
    [InlineData("noise")]
    [InlineData("much noise")]
    [InlineData("rows of 36")]
    [InlineData("rows of 360")]
    [InlineData("skewed")]
    [InlineData("little noise, skewed")]
    [InlineData("skewed to the other side")]
    public void Nor_do_they_in_more_sweeps(string kind) => Assert.InRange(FalseEquivalence(kind, 2000), 0, Bound(2000));

    [Theory]
    [InlineData(2.0, 1.0, 12, 14)]     // effect and spread in deltas, mean seeds between
    [InlineData(0.0, 0.5, 6, 16)]
    [InlineData(1.0, 1.0, 12, 30)]
    public void Most_of_sixty_seeds_are_saved_where_it_is_plain(double effect, double spread, double least, double most)
    {
        var random = new SplitMix64(3);
        Assert.InRange(Enumerable.Range(0, 8).Average(_ => SeedsNeeded(random, effect, spread)), least, most);
    }

    // Without a difference, at a spread of twelve deltas, 60 seeds have an interval of five; with resampled rows no number of seeds has one
    // below 24.
    [Theory]
    [InlineData(0, 40, 58)]
    [InlineData(0.25, 6, 20)]
    public void What_is_hopeless_stops_before_the_last_seed(double testToTrain, double least, double most)
    {
        var random = new SplitMix64(4);
        Assert.InRange(Enumerable.Range(0, 12).Average(_ => SeedsNeeded(random, 0, 12, testToTrain)), least, most);
    }

    // Cells of the table in Looks.
    [Theory]
    [Trait("Category", "Simulation")]
    [InlineData(0, 0.5, 0)]
    [InlineData(0, 1, 0)]
    [InlineData(0.5, 1, 0)]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 0)]
    [InlineData(0, 2, 0)]
    [InlineData(2, 2, 0)]
    [InlineData(2, 4, 0)]
    [InlineData(0, 12, 0)]
    [InlineData(0, 12, 0.25)]
    public void Mean_numbers_of_seeds(double effect, double spread, double testToTrain)
    {
        var random = new SplitMix64(5);
        var mean = Enumerable.Range(0, 150).Average(_ => SeedsNeeded(random, effect, spread, testToTrain));
        output.WriteLine($"effect {effect}, spread {spread}, test/train {testToTrain}: {mean:0.0} seeds");
        Assert.InRange(mean, 6, AtMost);
    }

    /// <summary>
    /// 5 %, and twice the standard error of a share of 5 % among so many: of 50 sweeps 11.2 %, of 100 9.4 %, of 300 7.5 %, of 2,000 6.0 %.
    /// </summary>
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

    private static int SeedsNeeded(SplitMix64 random, double effect, double spread, double testToTrain = 0)
    {
        var baseline = random.Normal(AtMost, 0.9, 0.01);
        var arm = baseline.Plus(random.Normal(AtMost, effect * Delta, spread * Delta));
        for (var look = 0; ; look++)
        {
            var seeds = Seeds[look];
            var contrast = At(look, arm, baseline);
            var result = Assert.Single(Family.Judge([contrast], Accuracy, Delta, Plans[look], testToTrain));
            if (SweepLooks.IsDecided(result) || seeds == AtMost
                || Prospects.Of(result, contrast, Accuracy, seeds, AtMost, testToTrain) < Prospects.Least)
                return seeds;
        }
    }

    private static Contrast At(int look, double[] arm, double[] baseline) =>
        Contrast.Between("a", arm[..Seeds[look]], "b", baseline[..Seeds[look]]) with { PairsAtLooks = Seeds[..(look + 1)] };

    /// <summary>Share of sweeps that call a difference of delta equivalent at any look.</summary>
    private double FalseEquivalence(string kind, int sweeps)
    {
        var random = new SplitMix64(7);
        var step = kind == "rows of 36" ? 1 / 36.0 : kind == "rows of 360" ? 1 / 360.0 : 0;
        var outcome = Accuracy with { Resolution = step };
        double[] baseline = [.. Enumerable.Repeat(0.0, AtMost)];
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
                "little noise, skewed" => Delta + Delta / 2 * random.Skewed(1)[0],
                _ => Delta - Delta * random.Skewed(1)[0],
            });
            return Enumerable.Range(0, Seeds.Length).Any(look =>
            {
                // No interval is narrower than Student's, which is soon known.
                var (mean, half) = Student(differences.AsSpan(0, Seeds[look]), Plans[look].Level(0.10));
                return Math.Abs(mean) + half < Delta && Family.Judge([At(look, differences, baseline)], outcome, Delta, Plans[look])[0]
                    .Equivalence.Equivalent;
            });
        });
        output.WriteLine($"{kind}: equivalent in {100.0 * found / sweeps:0.0} % of {sweeps}");
        return found / (double)sweeps;
    }

    /// <summary>Share of sweeps with a winner at any look among arms that differ in nothing but the noise.</summary>
    private double FalseWinners(string kind, int contrasts, int sweeps)
    {
        var winners = 0;
        for (var sweep = 0; sweep < sweeps; sweep++)
        {
            var random = new SplitMix64(1000L * sweep + contrasts);
            var baseline = Values(random, kind);
            var arms = Enumerable.Range(0, contrasts).Select(_ => kind == "skewed differences"
                ? baseline.Plus([.. random.Skewed(AtMost).Select(value => 0.01 * value)]) : Values(random, kind)).ToArray();
            Contrast[] Contrasts(int look) => [.. arms.Select(arm => At(look, arm, baseline))];
            // At a look without an interval beyond zero there is no winner, and none is narrower than Student's.
            bool Apart(int arm, int look)
            {
                double[] differences = [.. arms[arm].Zip(baseline, (a, b) => a - b)];
                var (mean, half) = Student(differences.AsSpan(0, Seeds[look]), Plans[look].Level(0.05));
                return Math.Abs(mean) >= half - 1e-9;
            }
            int[] looks = [.. Enumerable.Range(0, Seeds.Length).Where(look => Enumerable.Range(0, contrasts).Any(arm => Apart(arm, look)))];
            if (looks.Length == 0)
                continue;
            // What an earlier look has found the last one knows.
            var last = Contrasts(Seeds.Length - 1);
            if (Holm.Adjust([.. last.Select(contrast => Plans[^1].PValue(contrast, Accuracy, 1, contrasts))]).Min() < 0.05
                && looks.Any(look => Family.Judge(Contrasts(look), Accuracy, Delta, Plans[look])
                    .Any(result => result.Verdict is Verdict.Supported or Verdict.Refuted or Verdict.Negligible)))
                winners++;
        }
        output.WriteLine($"{kind}, {contrasts} contrasts: winners in {100.0 * winners / sweeps:0.0} % of {sweeps}");
        return winners / (double)sweeps;
    }

    /// <summary>Mean, and half the width of Student's interval.</summary>
    private static (double Mean, double Half) Student(ReadOnlySpan<double> values, double level)
    {
        var (mean, n) = (0.0, values.Length);
        foreach (var value in values)
            mean += value / n;
        var squares = 0.0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return (mean, level <= 0 ? double.PositiveInfinity : Quantiles.GetOrAdd((level, n), of => StudentT.InvCDF(0, 1, of.Item2 - 1,
            1 - of.Item1 / 2)) * Math.Sqrt(squares / (n - 1) / n));
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
