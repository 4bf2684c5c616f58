using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>What looking more than once costs.</summary>
public sealed class LooksTests
{
    private static readonly int[] Seeds = [6, 9, 12, 16, 21, 28, 37, 60];
    private static readonly Outcome Accuracy = Outcome.Of("testAccuracy");

    [Fact]
    public void Alpha_is_spent_as_seeds_come_and_all_of_it_at_the_end()
    {
        Assert.Equal(1, Looks.Share(60, 60));
        Assert.Equal(1, Looks.Share(61, 60));
        Assert.Equal(Math.Sqrt(0.125), Looks.Share(30, 60), 1e-12);
        Assert.Equal(0.05, Looks.Once.Level(0.05));
        Assert.Throws<ArgumentException>(() => new Looks([6, 6], [0.1, 0.2]));
        Assert.Throws<ArgumentException>(() => new Looks([6, 9], [0.2, 0.1]));
        Assert.Throws<ArgumentException>(() => new Looks([6, 9], [0.2]));
    }

    // Two-sided levels of Pocock's and of O'Brien and Fleming's boundaries for five equal looks, which spend what they spend:
    // Jennison and Turnbull, "Group Sequential Methods" (2000), tables 2.1 and 2.3: 2.413 at every look; 2.040 sqrt(5 / k) at look k.
    [Fact]
    public void Levels_are_those_of_known_boundaries()
    {
        foreach (var boundary in (Func<int, double>[])[_ => 2.413, k => 2.040 * Math.Sqrt(5.0 / k)])
        {
            var spent = new List<double>();
            for (var k = 1; k <= 5; k++)
            {
                // What the boundary spends, found by bisection: the level rises with it.
                var (low, high) = (spent.LastOrDefault(), 1.0);
                for (var halving = 0; halving < 40; halving++)
                {
                    var middle = (low + high) / 2;
                    var level = new Looks([.. Enumerable.Range(1, k)], [.. spent, middle]).Level(0.05);
                    (low, high) = level < 2 * Upper(boundary(k)) ? (middle, high) : (low, middle);
                }
                spent.Add(high);
            }
            // Their sides are one-sided tests of 0.025 each, but for the paths that cross both.
            Assert.Equal(1, spent[^1], 0.005);
        }

        static double Upper(double z) => MathNet.Numerics.Distributions.Normal.CDF(0, 1, -z);
    }

    [Fact]
    public void One_look_that_may_spend_all_has_the_p_of_the_plain_test()
    {
        var random = new SplitMix64(3);
        for (var n = 1; n <= 14; n++)
            for (var round = 0; round < 5; round++)
            {
                var differences = random.Normal(n, 0.5);
                Assert.Equal(SignFlip.Test(differences, 0).PValue,
                    SequentialSignFlip.Test([new(differences, 0)], [1], 1), 1e-12);
                // What may spend a half needs twice as much.
                Assert.Equal(Math.Min(1, 2 * SignFlip.Test(differences, 0).PValue),
                    SequentialSignFlip.Test([new(differences, 0)], [0.5], 1), 1e-12);
            }
        // Beyond fourteen pairs it is a part of all signs.
        var many = random.Normal(30, 0.4);
        Assert.Equal(SignFlip.Test(many, 0).PValue, SequentialSignFlip.Test([new(many, 0)], [1], 1), 0.01);
    }

    [Fact]
    public void The_joint_distribution_of_two_looks_is_counted()
    {
        // Four pairs, then eight; all differences alike, and positive. With four pairs two of sixteen signs are as extreme: 1/8 of all.
        double[] first = [1, 1, 1, 1], both = [1, 1, 1, 1, 1, 1, 1, 1];
        Scores[] looks = [new(first, 1e-9), new(both, 1e-9)];
        // At the second look alone 2 of 256 signs; they have crossed at the first already where that has spent 1/8.
        Assert.Equal(2 / 256.0, SequentialSignFlip.Test(looks, [0.01, 1], 1), 1e-4);
        Assert.Equal(1 / 8.0, SequentialSignFlip.Test([new(first, 1e-9), new([1, 1, 1, 1, -1, -1, -1, -1], 1e-9)], [1, 1], 1), 1e-4);
        // Where a first look at four has spent half of alpha, sums of 6 and more at the second are found at the least alpha of which the
        // half is below the first's 1/8, all is left, and 18 of 256 signs fit in.
        Assert.Equal(18 / 256.0, SequentialSignFlip.Test([new([1, 1, 1, -1], 1e-9), new([1, 1, 1, -1, 1, 1, 1, 1], 1e-9)], [0.5, 1], 1),
            1e-4);
        // Where it has spent all, the second look finds nothing.
        Assert.Equal(10 / 16.0, SequentialSignFlip.Test([new([1, 1, 1, -1], 1e-9), new([1, 1, 1, -1, 1, 1, 1, 1], 1e-9)], [1, 1], 1), 1e-4);
    }

    [Fact]
    public void A_later_look_never_takes_back_what_an_earlier_one_has_found()
    {
        var random = new SplitMix64(5);
        for (var round = 0; round < 20; round++)
        {
            var values = random.Normal(60, 0.3);
            var p = 1.0;
            for (var looks = 1; looks <= Seeds.Length; looks++)
            {
                var now = SequentialSignFlip.Test([.. Seeds[..looks].Select(n => new Scores(values[..n], 0))],
                    [.. Seeds[..looks].Select(n => Looks.Share(n, 60))], 3);
                Assert.InRange(now, 0, p + 1e-4);
                p = now;
            }
        }
    }

    [Fact]
    public void What_was_spent_at_a_sweep_s_end_is_not_there_a_second_time()
    {
        // Twelve seeds gave nothing, twelve more by hand are all in favour.
        var random = new SplitMix64(1);
        var baseline = random.Normal(24, 0.9, 0.01);
        double[] arm = [.. baseline.Select((value, i) => value + (i < 12 ? (i % 2 == 0 ? 0.01 : -0.009) : 0.02) + 1e-4 * i)];
        var once = Assert.Single(Family.Judge([Contrast.Between("a", arm, "b", baseline)], Accuracy, 0.005));
        Assert.Equal(Verdict.Supported, once.Verdict);
        var contrast = Contrast.Between("a", arm, "b", baseline) with { PairsAtLooks = [12, 24] };
        var twice = Assert.Single(Family.Judge([contrast], Accuracy, 0.005, new([12, 24], [1, 1])));
        var before = Assert.Single(Family.Judge([Contrast.Between("a", arm[..12], "b", baseline[..12])], Accuracy, 0.005));
        Assert.Equal((Verdict.Inconclusive, once.PValue), (twice.Verdict, twice.PValue));
        Assert.Equal(before.AdjustedPValue, twice.AdjustedPValue, 1e-4);
        // A sweep that was to take 24 seeds from the start had something left, and pays for its look.
        var planned = Assert.Single(Family.Judge([contrast], Accuracy, 0.005, new([12, 24], [Looks.Share(12, 24), 1])));
        Assert.Equal(Verdict.Supported, planned.Verdict);
        Assert.InRange(planned.AdjustedPValue, 0, 0.05);
        Assert.True(planned.Ci95![1] - planned.Ci95[0] > once.Ci95![1] - once.Ci95[0]);
    }

    [Theory]
    [InlineData(4, 1, 0)]       // least p 1/8
    [InlineData(6, 1, 0.625)]   // 1/32 of 0.05
    [InlineData(6, 3, 0)]       // 1/32 is more than 0.05 / 3
    [InlineData(7, 3, 0.9375)]
    [InlineData(12, 1, 1)]
    public void What_few_seeds_could_not_spend_is_left_for_more(int seeds, int contrasts, double spent)
    {
        var looks = new Looks([seeds, 24], [1, 1]);
        Assert.Equal([spent, 1], looks.OnTests(contrasts).Select(share => Math.Round(share, 9)));
        Assert.Equal([1.0], looks.First(1).OnTests(contrasts));
        Assert.Equal(seeds == 4, looks.HasLeft);   // no interval of four seeds says that arms are equivalent
        // The first look finds nothing; what came after it is all in favour.
        var baseline = new SplitMix64(seeds).Normal(24, 0.9, 0.01);
        double[] arm = [.. baseline.Select((value, i) => value + (i >= seeds ? 0.02 + 1e-4 * i : i % 2 == 0 ? 1e-3 : -1.1e-3))];
        Contrast[] family = [.. Enumerable.Range(0, contrasts).Select(i =>
            Contrast.Between($"a{i}", arm, "b", baseline) with { PairsAtLooks = [seeds, 24] })];
        Assert.All(Family.Judge(family, Accuracy, 0.005, looks), result =>
            Assert.Equal(spent < 1 ? Verdict.Supported : Verdict.Inconclusive, result.Verdict));
    }

    [Fact]
    public void A_divergence_ranks_worst_at_every_look()
    {
        double[] arm = [.. Enumerable.Range(0, 20).Select(i => i == 3 ? double.NaN : 0.95 + 1e-3 * i)];
        double[] baseline = [.. Enumerable.Range(0, 20).Select(i => 0.9 + 2e-4 * i)];
        var differences = PairedDifferences.Between(arm, baseline);
        Assert.Equal([0.05, 0.0508, 0.0516], differences.ScoresOf(3, Accuracy).Signed.Select(score => Math.Round(score, 12)));
        Assert.Equal([1.0, 2, 3, -5, 4], differences.ScoresOf(5, Accuracy).Signed);
        Assert.Equal([1.0, 2, 3, 5, 4], differences.ScoresOf(5, Outcome.Of("testLoss")).Signed);
        // Ties share their places; what does not differ takes the lowest before it is left out.
        Assert.Equal([2.5, -2.5, 0, 4], PairedDifferences.Between([1.5, 0.5, 1, 3], [1, 1, 1, double.NaN]).ScoresOf(4, Accuracy).Signed);
        var found = Assert.Single(Family.Judge([Contrast.Between("a", arm, "b", baseline) with { PairsAtLooks = [6, 12, 20] }],
            Accuracy, 0.005, new([6, 12, 20], [0.1, 0.4, 1])));
        Assert.InRange(found.AdjustedPValue, 0, 0.01);
    }
}
