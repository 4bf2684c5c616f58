using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

public sealed class VarianceSharesTests
{
    [Fact]
    public void Shares_are_those_that_one_works_out_by_hand()
    {
        // 10 + 3 a + b + ab / 2 with a and b -1 or 1: effects' variances are 9, 1 and 1/4. Two seeds 1 above and 1 below each: s^2 = 2, of
        // a mean 1, so that each effect (of one degree of freedom in four combinations) has 1/4 from seeds alone.
        var (levels, values) = (new List<int[]>(), new List<double>());
        foreach (var (a, b, seed) in from a in (int[])[0, 1] from b in (int[])[0, 1] from seed in (int[])[-1, 1] select (a, b, seed))
        {
            levels.Add([a, b]);
            values.Add(10 + 3 * (2 * a - 1) + (2 * b - 1) + 0.5 * (2 * a - 1) * (2 * b - 1) + seed);
        }
        var shares = VarianceShares.Of(levels, values)!;
        const double Total = 8.75 + 0.75 + 0 + 2;
        Assert.Equal([8.75 / Total, 0.75 / Total], shares.Fields, (x, y) => Math.Abs(x - y) < 1e-12);
        Assert.Equal(0, Assert.Single(shares.Pairs).Share, 1e-12);
        Assert.Equal(2 / Total, shares.Seeds!.Value, 1e-12);
        Assert.Equal((4, true, 0.0), (shares.Combinations, shares.IsFull, Math.Round(shares.More, 12)));
    }

    [Fact]
    public void What_only_three_do_together_is_nobodys_alone_and_one_that_is_missing_is_told()
    {
        var levels = (from a in (int[])[0, 1] from b in (int[])[0, 1] from c in (int[])[0, 1] select (int[])[a, b, c]).ToList();
        double Product(int[] one) => one.Aggregate(1.0, (product, level) => product * (2 * level - 1));
        var shares = VarianceShares.Of(levels, [.. levels.Select(Product)])!;
        Assert.Equal(1, shares.More, 1e-12);
        Assert.All(shares.Fields.Concat(shares.Pairs.Select(pair => pair.Share)), share => Assert.Equal(0, share, 1e-12));
        Assert.Null(shares.Seeds);
        Assert.True(shares.IsFull);
        Assert.False(VarianceShares.Of([.. levels.Skip(1)], [.. levels.Skip(1).Select(Product)])!.IsFull);
        Assert.Null(VarianceShares.Of(levels, [.. levels.Select(_ => 1.0)]));
        Assert.Null(VarianceShares.Of([], []));
    }
}
