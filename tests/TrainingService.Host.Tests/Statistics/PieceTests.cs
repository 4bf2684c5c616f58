using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>Holm, Wilson, McNemar, seeds. Reference values from R 4.2.2.</summary>
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
        // Alpha is shared with all that are not below; equal ones alike.
        Assert.Equal([3, 5, 3, 4, 1], Holm.Sharing([0.04, 0.001, 0.04, 0.02, 0.6]));
        Assert.Equal([1], Holm.Sharing([0.03]));
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
    public void Paired_proportions_agree_with_the_sign_test(int one, int other, double p) =>
        Assert.Equal(p, Proportion.PairedP(one, other), 1e-12);

    [Fact]
    public void Seeds_that_significance_needs()
    {
        Assert.Equal(6, SeedCount.ForSignificance(1));
        Assert.Equal(7, SeedCount.ForSignificance(2));
        Assert.Equal(8, SeedCount.ForSignificance(5));
        Assert.Equal(11, SeedCount.ForSignificance(49));
        // R: power.t.test(delta = 1, sd = 1, power = 0.8, type = "paired") needs 9.94 pairs, with delta = 0.5 33.4; a verdict that holds
        // for
        // skewed differences, too, takes two more.
        Assert.Equal(12, SeedCount.ToFind(1, 1, 1));
        Assert.Equal(36, SeedCount.ToFind(0.5, 1, 1));
        Assert.Equal(17, SeedCount.ToFind(1, 1, 3));
        Assert.Equal(6, SeedCount.ToFind(100, 1, 1));
        // 1/n falls short by the overlap: 1 / (1 / 7.849 - 0.02) + 3.84 = 13.2; beyond 1 / 7.849 = 0.127 of test / train there is none.
        Assert.Equal(14, SeedCount.ToFind(1, 1, 1, 0.02));
        Assert.Equal(double.PositiveInfinity, SeedCount.ToFind(1, 1, 1, 0.13));
    }

    // By z alone (1.6449 + 1.2816)^2 (sd / delta)^2 = 8.56 and 34.3 pairs, and (1.96 + 0.8416)^2 (sd / difference)^2 = 7.85 and 31.4.
    [Theory]
    [InlineData(0, 1, 14)]
    [InlineData(1, 1, 12)]
    public void The_advised_number_of_seeds_is_enough_in_four_cases_of_five(double effect, double sd, int seeds) =>
        MustBeEnough(effect, sd, seeds);

    [Theory]
    [Trait("Category", "Simulation")]
    [InlineData(0, 2, 40)]
    [InlineData(1, 2, 36)]
    public void So_it_is_at_a_wide_spread(double effect, double sd, int seeds) => MustBeEnough(effect, sd, seeds);

    private static void MustBeEnough(double effect, double sd, int seeds)
    {
        Assert.Equal(seeds, effect == 0 ? SeedCount.ToShowEquivalence(1, sd) : SeedCount.ToFind(effect, sd, 1));
        var random = new SplitMix64(seeds);
        var baseline = new double[seeds];
        var shown = Enumerable.Range(0, 400).Count(_ => Assert.Single(Family.Judge(
            [Contrast.Between("a", random.Normal(seeds, effect, sd), "b", baseline)], Outcome.Of("testLoss", 0), 1)) is var result
            && (effect == 0 ? result.Equivalence.Equivalent : result.Verdict == Verdict.Refuted));
        // A share of 400 has a standard error of two points.
        Assert.InRange(shown / 400.0, 0.75, 0.88);
    }

    [Theory]
    [InlineData(6, 1, null)]
    [InlineData(7, 3, null)]
    [InlineData(3, 0, null)]
    [InlineData(6, 3, "With 6 seeds and 3 contrasts no difference can be significant: the least possible adjusted p is 0.0938. "
        + "It takes at least 7 seeds.")]
    [InlineData(1, 1, "With 1 seed no difference can be significant: the least possible p is 1. "
        + "Nor can equivalence be shown, which takes 5 seeds. It takes at least 6 seeds.")]
    public void Before_a_run_it_is_said_what_its_seeds_can_not_decide(int seeds, int contrasts, string? warning) =>
        Assert.Equal(warning, SeedCount.Warning(seeds, contrasts));

    [Fact]
    public void Metrics_are_told_in_words_and_in_their_own_unit()
    {
        Assert.Equal(new("testAccuracy", true, true), Outcome.Of("testAccuracy"));
        Assert.Equal(new("testR2", true, false), Outcome.Of("testR2"));
        Assert.Equal(new("testRmse", false, false), Outcome.Of("testRmse"));
        Assert.Equal(new("validationLoss", false, false, 0), Outcome.Of("validationLoss", 0));
        Assert.Equal(new("secondsPerEpoch", false, false), Outcome.Of("secondsPerEpoch"));
        Assert.Throws<ArgumentException>(() => Outcome.Of("sparsity"));
        Assert.Equal(["test accuracy", "test R2", "time per epoch"],
            new[] { "testAccuracy", "testR2", "secondsPerEpoch" }.Select(name => Outcome.Of(name).Words));
        Assert.Equal("0.844 points", Outcome.Of("testAccuracy").Amount(0.00844));
        Assert.Equal("0.0123", Outcome.Of("testLoss").Amount(0.012345));
    }

    private static void AssertNear(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-8));
    }
}
