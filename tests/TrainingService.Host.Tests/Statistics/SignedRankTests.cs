using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>The exact signed-rank test, and how diverged runs are ranked.</summary>
public sealed class SignedRankTests
{
    private static readonly Outcome Accuracy = Outcome.Of("testAccuracy");

    // R: wilcox.test(maize, exact = TRUE): V = 96, p-value = 0.04126.
    [Fact]
    public void Darwin_s_maize_has_its_known_p()
    {
        var ranks = Ranks(SignFlipTests.Maize, new double[15]);
        Assert.Equal((96.0, 24.0), (ranks.Where(rank => rank > 0).Sum(), -ranks.Where(rank => rank < 0).Sum()));
        Assert.Equal(0.04126, SignedRank.Test(ranks).PValue, 5e-6);
    }

    // Two-sided 5 % critical values of the smaller sum of ranks (Wilcoxon and Wilcox, "Some Rapid Approximate Statistical Procedures"
    // (1964), table 2): significant up to here and not from the next whole number on.
    [Theory]
    [InlineData(6, 0)]
    [InlineData(7, 2)]
    [InlineData(8, 3)]
    [InlineData(9, 5)]
    [InlineData(10, 8)]
    [InlineData(12, 13)]
    [InlineData(15, 25)]
    [InlineData(20, 52)]
    [InlineData(25, 89)]
    [InlineData(30, 137)]
    [InlineData(40, 264)]
    [InlineData(50, 434)]
    public void Critical_values_are_those_of_the_tables(int n, int critical)
    {
        Assert.InRange(SignedRank.Test(WithSum(n, critical)).PValue, 0.025, 0.05);
        Assert.InRange(SignedRank.Test(WithSum(n, critical + 1)).PValue, 0.05 + 1e-12, 0.11);
        Assert.True(SignedRank.Test(WithSum(n, critical)).Exact);
    }

    [Fact]
    public void Counting_agrees_with_all_signs_with_ties_zeros_and_diverged_runs()
    {
        var random = new SplitMix64(8);
        for (var round = 0; round < 200; round++)
        {
            var n = 1 + round % 11;
            double Draw() => random.NextDouble() < 0.2 ? double.NaN : Math.Round(random.NextNormal(), round % 2);
            double[] arm = [.. Enumerable.Range(0, n).Select(_ => Draw())], baseline = [.. Enumerable.Range(0, n).Select(_ => Draw())];
            // By hand: the sizes in tenths, a diverged run beyond all, ranked with the zeros and then without them.
            var tenths = arm.Zip(baseline, (a, b) => (double.IsNaN(a), double.IsNaN(b)) switch
            {
                (true, true) => 0,
                (true, false) => -1000,
                (false, true) => 1000,
                _ => (int)Math.Round(10 * (a - b)),
            }).ToArray();
            if (Array.TrueForAll(arm.Concat(baseline).ToArray(), double.IsFinite))
                continue;
            var ranks = tenths.Where(d => d != 0)
                .Select(d => Math.Sign(d) * (tenths.Count(o => Math.Abs(o) < Math.Abs(d)) * 2
                    + tenths.Count(o => Math.Abs(o) == Math.Abs(d)) + 1))
                .ToArray();
            var seen = Math.Abs(ranks.Sum());
            var hits = Enumerable.Range(0, 1 << ranks.Length)
                .Count(signs => Math.Abs(ranks.Select((rank, i) => (signs >> i & 1) == 0 ? rank : -rank).Sum()) >= seen);
            var test = PairedTest.Of(PairedDifferences.Between(arm, baseline), Accuracy);
            Assert.Equal(("signed_rank", true, Math.Sign(ranks.Sum())), (test.Name, test.Exact, test.Side));
            Assert.Equal(hits / (double)(1 << ranks.Length), test.PValue, 1e-12);
        }
    }

    [Fact]
    public void Without_a_diverged_run_the_test_is_of_the_mean()
    {
        var pairs = PairedDifferences.Between(SignFlipTests.Maize, new double[15]);
        Assert.Equal(new("sign_flip", 1726 / 32768.0, true, 0), PairedTest.Of(pairs, Accuracy));
    }

    [Fact]
    public void One_against_29_counts_by_its_rank()
    {
        // Sums of different ranks up to 30: 296 sets of them have the sum 30, 2,303 one of 30 or less (OEIS A000009: partitions into
        // distinct parts; its partial sums A036469).
        double[] signed = [.. Enumerable.Range(1, 30).Select(rank => rank == 30 ? -30.0 : rank)];
        Assert.Equal(2 * DistinctPartitionsUpTo(30) / Math.Pow(2, 30), SignedRank.Test(signed).PValue, 1e-15);
    }

    [Fact]
    public void Many_pairs_have_the_normal_approximation()
    {
        var random = new SplitMix64(2);
        double[] signed = [.. Enumerable.Range(1, SignedRank.MostExact).Select(rank => random.NextDouble() < 0.58 ? rank : -(double)rank)];
        var exact = SignedRank.Test(signed);
        var approximate = SignedRank.Test([.. signed, 1e-9 + 0.5]);
        Assert.True(exact.Exact);
        Assert.False(approximate.Exact);
        Assert.Equal(exact.PValue, approximate.PValue, 0.003);
    }

    /// <summary>Number of sets of different whole numbers from 1 on whose sum is at most so much.</summary>
    private static long DistinctPartitionsUpTo(int sum)
    {
        return Count(1, sum);

        static long Count(int from, int left) =>
            1 + Enumerable.Range(from, Math.Max(0, left - from + 1)).Sum(part => Count(part + 1, left - part));
    }

    private static double[] Ranks(double[] arm, double[] baseline)
    {
        // One more pair in which both diverged, which takes the lowest rank and is left out.
        var scores = PairedDifferences.Between([.. arm, double.NaN], [.. baseline, double.NaN]).ScoresOf(arm.Length + 1, Accuracy).Signed;
        return [.. scores.Where(rank => rank != 0).Select(rank => rank - Math.Sign(rank))];
    }

    /// <summary>Ranks 1 to n, of which the negative ones have the sum.</summary>
    private static double[] WithSum(int n, int sum)
    {
        var signed = Enumerable.Range(1, n).Select(rank => (double)rank).ToArray();
        for (var rank = n; rank > 0; rank--)
            if (rank <= sum)
            {
                sum -= rank;
                signed[rank - 1] = -rank;
            }
        Assert.Equal(0, sum);
        return signed;
    }
}
