using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>Holm, Wilson, McNemar, correlations, seeds. Reference values from R 4.2.2 and scipy 1.10.1.</summary>
public sealed class PieceTests
{
    [Fact]
    public void Holm_agrees_with_p_adjust()
    {
        // R: p.adjust(p, "holm").
        AssertNear([0.05, 0.08, 0.09, 0.09, 0.09], Holm.Adjust([0.01, 0.02, 0.03, 0.04, 0.05]));
        AssertNear([0.09, 0.005, 0.09, 0.08, 0.6], Holm.Adjust([0.04, 0.001, 0.03, 0.02, 0.6]));
        AssertNear([1, 1, 1], Holm.Adjust([0.5, 0.9, 0.7]));
        AssertNear([0.03], Holm.Adjust([0.03]));
        Assert.Empty(Holm.Adjust([]));
    }

    [Theory]
    // Newcombe 1998, table I, method 3; R: prop.test(correct = FALSE).
    [InlineData(81, 263, 0.2552885199, 0.3662095770)]
    [InlineData(15, 148, 0.06238639953, 0.16048724172)]
    [InlineData(0, 20, 0, 0.16112515805)]
    [InlineData(1, 29, 0.00611321429, 0.17175521879)]
    [InlineData(29, 29, 0.8830302015, 1)]
    public void Wilson_agrees_with_newcombe(int hits, int n, double lower, double upper)
    {
        var interval = Proportion.Wilson(hits, n)!.Value;
        AssertNear([lower, upper], interval.ToArray());
    }

    [Fact]
    public void Wilson_of_nothing_is_nothing() => Assert.Null(Proportion.Wilson(0, 0));

    [Theory]
    // R: binom.test(min(b, c), b + c)$p.value.
    [InlineData(1, 9, 0.021484375)]
    [InlineData(10, 3, 0.09228515625)]
    [InlineData(0, 6, 0.03125)]
    [InlineData(5, 5, 1)]
    [InlineData(0, 0, 1)]
    public void Paired_proportions_agree_with_the_sign_test(int one, int other, double p) => Assert.Equal(p, Proportion.PairedP(one, other), 1e-12);

    [Fact]
    public void Correlations_agree_with_cor_test_and_spearmanr()
    {
        double[] x = [1, 2, 3, 4, 5, 6, 7, 8];
        // R: cor.test.
        AssertCorrelation(0.7380952381, 0.0696466043, 0.9491173174, 0.0365527611, Correlation.Pearson(x, [2, 1, 4, 3, 7, 8, 6, 5]));
        // scipy.stats.spearmanr; the interval is Bonett and Wright's formula in R.
        AssertCorrelation(0.9636241117, 0.7322961800, 0.9955685614, 0.000117072915, Correlation.Spearman(x, [1, 1, 2, 2, 2, 9, 9, 30]));
        AssertCorrelation(0.7787915579, 0.1642675831, 0.9578195230, 0.0227701018, Correlation.Pearson(x, [1, 1, 2, 2, 2, 9, 9, 30]));
    }

    [Fact]
    public void Correlations_of_too_little_are_null()
    {
        Assert.Equal(new Correlation(0, null, null, null), Correlation.Pearson([], []));
        Assert.Equal(new Correlation(3, null, null, null), Correlation.Spearman([1, 2, 3], [5, 5, 5]));
        Assert.Equal(new Correlation(2, 1, null, null), Correlation.Pearson([1, 2], [3, 7]));
        var exact = Correlation.Spearman([1, 2, 3, 4, 5], [1, 4, 9, 16, 25]);
        Assert.Equal(1, exact.Coefficient!.Value, 1e-12);
        Assert.InRange(exact.Ci95![0], 0.99, 1);
        Assert.Equal(0, exact.PValue!.Value, 1e-6);
        Assert.ThrowsAny<ArgumentException>(() => Correlation.Pearson([1, 2], [3]));
    }

    [Fact]
    public void Seeds_that_significance_needs()
    {
        Assert.Equal(6, SeedCount.ForSignificance(1));
        Assert.Equal(7, SeedCount.ForSignificance(2));
        Assert.Equal(8, SeedCount.ForSignificance(5));
        Assert.Equal(11, SeedCount.ForSignificance(49));
        // R: power.t.test(delta = 1, sd = 1, power = 0.8, type = "paired") needs 9.94 pairs, with delta = 0.5 33.4.
        Assert.Equal(10, SeedCount.ToFind(1, 1, 1));
        Assert.Equal(34, SeedCount.ToFind(0.5, 1, 1));
        Assert.Equal(6, SeedCount.ToFind(100, 1, 1));
    }

    [Fact]
    public void Metrics_are_told_in_words_and_in_their_own_unit()
    {
        Assert.Equal(new("testAccuracy", true, true), Outcome.Of("testAccuracy"));
        Assert.Equal(new("testR2", true, false), Outcome.Of("testR2"));
        Assert.Equal(new("testRmse", false, false), Outcome.Of("testRmse"));
        Assert.Equal(new("validationLoss", false, false, 0), Outcome.Of("validationLoss", 0));
        Assert.Equal(new("secondsPerEpoch", false, false), Outcome.Of("secondsPerEpoch"));
        Assert.Null(Outcome.Of("sparsity"));
        Assert.Equal(["test accuracy", "test R2", "seconds per epoch"],
            new[] { "testAccuracy", "testR2", "secondsPerEpoch" }.Select(name => Outcome.Of(name)!.Words));
        Assert.Equal("0.84 percentage points", Outcome.Of("testAccuracy")!.Amount(0.00844));
        Assert.Equal("0.0123", Outcome.Of("testLoss")!.Amount(0.012345));
    }

    private static void AssertCorrelation(double r, double lower, double upper, double p, Correlation actual)
    {
        AssertNear([r, lower, upper, p], [actual.Coefficient!.Value, .. actual.Ci95!, actual.PValue!.Value]);
        Assert.Equal(8, actual.N);
    }

    private static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-8));
    }
}
