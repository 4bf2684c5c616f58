using System.Text.Json;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Http;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>Verdicts and what is said of them.</summary>
public sealed class FamilyTests
{
    private const double Diverged = double.NaN;
    private static readonly Outcome Accuracy = Outcome.Of("testAccuracy");
    private static readonly Outcome Loss = Outcome.Of("testLoss");

    /// <summary>Twelve accuracies around 0.9, and differences of 0.8 points with a standard deviation of 0.3.</summary>
    private static readonly double[] Base = new SplitMix64(1).Normal(12, 0.9, 0.01);

    private static readonly double[] Gain = new SplitMix64(2).Normal(12, 0.008, 0.003);

    private static readonly double[] Noise = new SplitMix64(4).Normal(12, 0, 0.003);

    [Fact]
    public void The_verdict_follows_the_metric_s_direction()
    {
        Assert.Equal(Verdict.Supported, Judge(Base.Plus(Gain), Base).Verdict);
        Assert.Equal(Verdict.Refuted, Judge(Base, Base.Plus(Gain)).Verdict);
        Assert.Equal(Verdict.Refuted, Judge(Base.Plus(Gain), Base, Loss).Verdict);
        Assert.Equal(Verdict.Supported, Judge(Base, Base.Plus(Gain), Loss).Verdict);
        Assert.Equal(Verdict.Equivalent, Judge(Base.Plus(Noise), Base).Verdict);
        Assert.Equal(Verdict.Inconclusive, Judge(Base.Plus(new SplitMix64(5).Normal(12, 0, 0.02)), Base).Verdict);
    }

    [Fact]
    public void A_contrast_and_its_mirror_image_agree()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new SplitMix64(seed);
            var (one, other) = (random.Normal(8, 0.9, 0.01), random.Normal(8, 0.908, 0.01));
            var (there, back) = (Judge(one, other), Judge(other, one));
            Assert.Equal(there.MeanDifference, -back.MeanDifference);
            Assert.Equal(there.Ci95!, back.Ci95!.Reverse().Select(end => -end));
            Assert.Equal((there.PValue, there.Equivalence.Equivalent, 1 - there.ProbabilityOfSuperiority),
                (back.PValue, back.Equivalence.Equivalent, back.ProbabilityOfSuperiority));
            Assert.Equal(there.Verdict, back.Verdict switch
            {
                Verdict.Supported => Verdict.Refuted,
                Verdict.Refuted => Verdict.Supported,
                var same => same,
            });
        }
    }

    [Fact]
    public void A_sure_difference_within_delta_is_real_but_negligible()
    {
        double[] small = [.. Gain.Select(gain => gain / 4)];
        var (up, down) = (Judge(Base.Plus(small), Base), Judge(Base, Base.Plus(small)));
        Assert.Equal((Verdict.Negligible, Verdict.Negligible, true), (up.Verdict, down.Verdict, up.Equivalence.Equivalent));
        Assert.True(up.AdjustedPValue < 0.05 && up.Ci95![0] > 0);
        Assert.StartsWith("The difference between leaky_relu and relu is real but too small to matter: the mean test accuracy of "
            + "leaky_relu is higher by 0.",
            up.Sentence, StringComparison.Ordinal);
        Assert.EndsWith("lies within ±0.5 points, the least difference that matters.", up.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("too small", Judge(Base.Plus(Gain), Base).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_metric_without_a_good_side_is_higher_or_lower_and_nothing_is_better()
    {
        var sparsity = SweepMetrics.Named("sparsity").Outcome;
        var (up, down) = (Judge(Base.Plus(Gain), Base, sparsity), Judge(Base, Base.Plus(Gain), sparsity));
        Assert.Equal((Verdict.Higher, Verdict.Lower), (up.Verdict, down.Verdict));
        Assert.StartsWith("The sparsity of leaky_relu is higher than that of relu by 0.", up.Sentence, StringComparison.Ordinal);
        Assert.StartsWith("The sparsity of leaky_relu is lower than that of relu by 0.", down.Sentence, StringComparison.Ordinal);
        Assert.Equal(Verdict.Negligible, Judge(Base.Plus([.. Gain.Select(gain => gain / 4)]), Base, sparsity).Verdict);
        var open = Judge(Base.Plus(new SplitMix64(5).Normal(12, 0, 0.02)), Base, sparsity);
        Assert.StartsWith("Whether the sparsity of leaky_relu is higher or lower than that of relu can't be said: ", open.Sentence,
            StringComparison.Ordinal);
        // A run that diverged is neither high nor low.
        var diverged = Judge([Diverged, .. Base.Plus(Gain)[1..]], Base, sparsity);
        Assert.Equal((Verdict.Higher, 11, 1, 1 / 1024.0, 1.0),
            (diverged.Verdict, diverged.N, diverged.Divergence.Arm, diverged.PValue, diverged.ProbabilityOfSuperiority));
        Assert.EndsWith("1 of 12 seeds tells nothing, because a run diverged.", diverged.Sentence, StringComparison.Ordinal);
        string[] none = ["sparsity", "offRate", "offEveryRowFraction", "cameBackFraction", "deadFraction", "bornDeadFraction",
            "diedFraction", "saturation",
            "biasShift", "initialBiasShift", "gradientFlow", "initialGradientFlow"];
        Assert.Equal(none, SweepMetrics.All.Where(metric => metric.Outcome.HigherIsBetter is null).Select(metric => metric.Name));
        Assert.All(none, name => Assert.Equal("validationLoss", SweepMetrics.Named(name).TunedBy.Name));
        Assert.All(SweepMetrics.All, metric => Assert.NotNull(metric.TunedBy.Outcome.HigherIsBetter));
    }

    [Fact]
    public void Identical_arms_have_no_winner()
    {
        for (var n = 0; n <= 40; n++)
        {
            var values = new SplitMix64(n).Normal(n, 0.9, 0.01);
            var result = Judge(values, [.. values]);
            Assert.Equal(n < 5 ? Verdict.Inconclusive : Verdict.Equivalent, result.Verdict);
            Assert.Equal(1, result.PValue);
            Assert.Equal(n == 0 ? null : 0.5, result.ProbabilityOfSuperiority);
        }
    }

    [Fact]
    public void Ties_on_a_coarse_metric_are_not_equivalence()
    {
        // Thirty test rows; the runs vary by a row, the arms of a seed agree.
        var values = Draws.Of(10, () => 0).Select((_, i) => (i % 2 == 0 ? 29 : 28) / 30.0).ToArray();
        Assert.Equal(Verdict.Inconclusive, Judge(values, values).Verdict);
        Assert.Equal(Verdict.Equivalent, Judge(values, values, Accuracy with { Resolution = 1 / 10_000.0 }).Verdict);
        Assert.Equal(Verdict.Equivalent, Judge([.. values, .. values], [.. values, .. values]).Verdict);
        // Nothing varies at all: how coarse the metric is can only be known from outside.
        var ones = Draws.Of(10, () => 1.0);
        var result = Judge(ones, ones);
        Assert.Equal((Verdict.Inconclusive, null, null), (result.Verdict, result.Ci95, result.Equivalence.Ci90));
        Assert.Contains("this metric can't tell the arms apart", result.Sentence, StringComparison.Ordinal);
        Assert.Equal(Verdict.Equivalent, Judge(ones, ones, Accuracy with { Resolution = 1 / 10_000.0 }).Verdict);
        Assert.Equal(Verdict.Inconclusive, Judge(ones, ones, Accuracy with { Resolution = 1 / 30.0 }).Verdict);
    }

    [Theory]
    [InlineData(1, 1, "With 1 seed significance can't be reached: the least possible p is 1; at least 6 seeds are needed.")]
    [InlineData(5, 1, "With 5 seeds significance can't be reached: the least possible p is 0.0625; at least 6 seeds are needed.")]
    [InlineData(6, 2, "With 6 seeds and 2 contrasts significance can't be reached: "
        + "the least possible adjusted p is 0.0625; at least 7 seeds are needed.")]
    [InlineData(6, 1, null)]
    [InlineData(7, 2, null)]
    public void Significance_out_of_reach_is_said(int seeds, int contrasts, string? said)
    {
        var arm = Base[..seeds].Select(value => value + 0.1).ToArray();
        var results = Family.Judge([.. Enumerable.Repeat(Contrast.Between("a", arm, "b", Base[..seeds]), contrasts)], Accuracy, 0.005);
        Assert.All(results, result =>
        {
            Assert.Equal(said is null ? Verdict.Supported : Verdict.Inconclusive, result.Verdict);
            Assert.Equal(Math.Min(1, contrasts * Math.Pow(2, 1 - seeds)), result.LeastAdjustedPValue);
            if (said is null)
                Assert.DoesNotContain("can't be reached", result.Sentence, StringComparison.Ordinal);
            else
                Assert.EndsWith(said, result.Sentence, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Equal_differences_are_a_result_too()
    {
        var result = Judge([.. Base[..6].Select(value => value + 0.01)], Base[..6]);
        Assert.Equal((Verdict.Supported, 1 / 32.0, 0.01), (result.Verdict, result.PValue, Math.Round(result.MeanDifference!.Value, 12)));
        Assert.InRange(result.Ci95![1] - result.Ci95[0], 0, 0.003);
    }

    [Fact]
    public void A_winner_needs_the_interval_as_well_as_the_p()
    {
        // All signs agree, but one seed in seven makes up most of the mean, and an interval of seven values reaches beyond zero.
        double[] arm = [.. Base[..7].Select((value, i) => value + (i == 0 ? 0.1 : 0.001 + i * 1e-5))];
        var result = Judge(arm, Base[..7]);
        Assert.Equal(1 / 64.0, result.AdjustedPValue);
        Assert.True(result.Ci95![0] < 0);
        Assert.Equal(Verdict.Inconclusive, result.Verdict);
    }

    [Fact]
    public void Nor_is_an_interval_enough_that_does_not_allow_for_skewness()
    {
        // Below zero with all seeds, but crowded at the far end: what a long tail towards zero looks like before its rare values come.
        double[] lean = [-0.0100, -0.0099, -0.0098, -0.0097, -0.0095, -0.0065, -0.0015];
        var (open, back) = (Judge(Base[..7].Plus(lean), Base[..7]), Judge(Base[..7], Base[..7].Plus(lean)));
        Assert.Equal((Verdict.Inconclusive, Verdict.Inconclusive, 1 / 64.0), (open.Verdict, back.Verdict, open.AdjustedPValue));
        Assert.True(open.Ci95![1] < 0 && back.Ci95![0] > 0);
        Assert.Matches("^Whether leaky_relu is better or worse .* The p is below 0.05, but the wider interval that a verdict "
            + "needs, which allows for skewed differences, includes 0: −[0-9.]+ to 0.[0-9]+ points.$", open.Sentence);
        // The tail on the other side, away from zero, takes nothing away; nor does a smaller one.
        double[] away = [.. lean.Select(value => -0.0115 - value)];
        Assert.Equal(Verdict.Refuted, Judge(Base[..7].Plus(away), Base[..7]).Verdict);
        Assert.Equal(Verdict.Refuted, Judge(Base[..7].Plus([.. lean.Select(value => value - 0.01)]), Base[..7]).Verdict);
    }

    [Fact]
    public void Beside_other_comparisons_a_winner_needs_a_wider_interval()
    {
        double[] gain = [0.0005, 0.001, 0.0015, 0.004, 0.006, 0.012, 0.016, 0.018, 0.020, 0.022];
        Contrast[] Contrasts(int others) => [Contrast.Between("a", Base[..10].Plus(gain), "b", Base[..10]), .. Enumerable.Range(0, others)
            .Select(i => Contrast.Between($"c{i}", Base[..10].Plus(new SplitMix64(i).Normal(10, 0, 0.01)), "b", Base[..10]))];
        ContrastResult With(int others) => Family.Judge(Contrasts(others), Accuracy, 0.005)[0];
        Assert.Equal(Verdict.Supported, With(0).Verdict);
        Assert.Equal(With(0).Ci95, With(8).Ci95);
        Assert.InRange(With(8).AdjustedPValue, 0, 0.05);
        Assert.Equal(Verdict.Inconclusive, With(8).Verdict);
        Assert.Contains("which allows for skewed differences and for 9 comparisons, includes 0: −", With(8).Sentence,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_more_skewed_than_was_tried_is_said_so()
    {
        double[] mild = [.. Noise.Select(noise => noise / 10)], rare = [.. mild[..11], 0.004];
        Assert.DoesNotContain("skewed", Judge(Base.Plus(mild), Base).Sentence, StringComparison.Ordinal);
        var result = Judge(Base.Plus(rare), Base);
        Assert.Equal(Verdict.Equivalent, result.Verdict);
        Assert.Matches(" The differences are very skewed [(]skewness 3.[0-9]{1,2}[)]: that at most 5 % of such findings are false "
            + "has been tried up to 2, and not beyond.$", result.Sentence);
        Assert.Contains("(skewness 3.", Judge(Base, Base.Plus(rare)).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Equivalence_allows_for_a_long_tail_with_given_seeds_too()
    {
        var arm = Base.Plus(Gain);
        double[] gain = [.. arm.Zip(Base, (a, b) => a - b)];
        var within = new MeanInterval(gain).At(0.1, 0, MeanInterval.ForEquivalence)!.Value.ToArray();
        Assert.Equal(within, Judge(arm, Base).Equivalence.Ci90!, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.NotEqual(new MeanInterval(gain).At(0.1, 0)!.Value.ToArray(), within);
    }

    [Fact]
    public void A_win_by_5_points_stays_one_when_one_run_of_30_diverges_and_a_loss_stays_a_loss()
    {
        var baseline = new SplitMix64(30).Normal(30, 0.9, 0.003);
        double[] once = [Diverged, .. baseline[1..].Select(value => value + 0.05)];
        var won = Judge(once, baseline);
        // The rank 30 is against it: of the sums of ranks from 1 to 30, those of 30 and below, on either side.
        Assert.Equal((Verdict.Supported, "signed_rank", 29), (won.Verdict, won.Test, won.N));
        Assert.InRange(won.PValue, 1e-7, 1e-5);
        Assert.StartsWith("leaky_relu is better than relu: where both finished, the mean test accuracy is higher by 5 points (95 % "
            + "interval ", won.Sentence, StringComparison.Ordinal);
        Assert.EndsWith("1 of 30 runs of leaky_relu diverged and none of relu; the p is of the ranks of all pairs (signed-rank test), "
            + "where a diverged run is the worst.", won.Sentence, StringComparison.Ordinal);
        Assert.False(won.Equivalence.Equivalent);
        var lost = Judge([.. baseline.Select(value => value - 0.05)], [Diverged, .. baseline[1..]]);
        Assert.Equal(Verdict.Refuted, lost.Verdict);
        Assert.Equal(won.PValue, lost.PValue, 1e-12);
        // By a loss the lower is better, and the same holds.
        Assert.Equal(Verdict.Supported, Judge([Diverged, .. baseline[1..].Select(value => value - 0.05)], baseline, Loss).Verdict);
    }

    [Fact]
    public void Ranks_outweigh_a_few_divergences_and_not_many()
    {
        var many = new SplitMix64(7).Normal(40, 0.9, 0.01);
        double[] With(int diverged) => [.. many.Select((value, i) => i < diverged ? Diverged : value + 0.05 + i * 1e-4)];
        Assert.Equal(Verdict.Supported, Judge(With(4), many).Verdict);
        // Ranks 33 to 40 against 1 to 32 (292 of 820): p = 0.11 by the normal approximation, although where both finished nothing is surer.
        var open = Judge(With(8), many);
        Assert.InRange(open.PValue, 0.105, 0.12);
        Assert.True(open.Ci95![0] > 0);
        Assert.Equal(Verdict.Inconclusive, open.Verdict);
        Assert.EndsWith("8 of 40 runs of leaky_relu diverged and none of relu; the p is of the ranks of all pairs (signed-rank test), "
            + "where a diverged run is the worst.", open.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("it takes", open.Sentence, StringComparison.Ordinal);
        Assert.Equal(Verdict.Refuted, Judge(With(20), many).Verdict);
    }

    [Fact]
    public void Steps_in_single_precision_tie()
    {
        // One row of 360 up with nine seeds of twelve, down with three: as they come from a job's result.
        double[] low = [.. Enumerable.Range(0, 12).Select(i => (double)((330 + i) / 360f))];
        double[] high = [.. Enumerable.Range(0, 12).Select(i => (double)((330 + i + (i < 9 ? 1 : -1)) / 360f))];
        Assert.Equal(598 / 4096.0, Judge(high, low).PValue, 1e-15);
        // With three ties instead of the steps down.
        double[] same = [.. low.Select((value, i) => i < 9 ? high[i] : value)];
        Assert.Equal((2 / 512.0, 10.5 / 12), (Judge(same, low).PValue, Judge(same, low).ProbabilityOfSuperiority));
    }

    [Fact]
    public void Holm_counts_the_family()
    {
        // Each alone 2^-6; seven of them 7 / 64.
        var contrasts = Enumerable.Range(0, 7).Select(i => Contrast.Between($"a{i}", Base[..7].Plus(Gain[..7]), "b", Base[..7])).ToArray();
        Assert.All(Family.Judge(contrasts, Accuracy, 0.005), result =>
            Assert.Equal((1 / 64.0, 7 / 64.0, Verdict.Inconclusive), (result.PValue, result.AdjustedPValue, result.Verdict)));
        Assert.Equal(Verdict.Supported, Family.Judge(contrasts[..3], Accuracy, 0.005)[2].Verdict);
    }

    [Fact]
    public void The_sentences_give_effect_interval_p_and_seeds()
    {
        var result = Judge(Base.Plus(Gain), Base);
        Assert.Equal(
            $"leaky_relu is better than relu: the mean test accuracy is higher by {Numbers.Short(100 * result.MeanDifference!.Value)} "
            + $"points (95 % interval {Numbers.Short(100 * result.Ci95![0])} to {Numbers.Points(result.Ci95[1])}, p < 0.001, 12 seeds).",
            result.Sentence);
        Assert.StartsWith("leaky_relu is worse than relu, not better: the mean test loss is higher by 0.00",
            Judge(Base.Plus(Gain), Base, Loss).Sentence);
        Assert.StartsWith("leaky_relu and relu are equivalent: ", Judge(Base.Plus(Noise), Base).Sentence);
        Assert.Matches("^Whether leaky_relu is better or worse than relu can't be said: .* At this spread it takes about [0-9]+ seeds "
            + "to find a difference of 0.5 points, and about [0-9]+ seeds to show equivalence within ±0.5 points "
            + "if there is none .in four cases of five.[.]$",
            Judge(Base.Plus(new SplitMix64(5).Normal(12, 0, 0.02)), Base).Sentence);
    }

    [Fact]
    public void Diverged_runs_count_and_are_named()
    {
        // The arm always finishes, the baseline with three seeds of twelve.
        var broken = Base.Select((value, i) => i < 9 ? Diverged : value - 0.001 * (i - 10)).ToArray();
        var result = Judge(Base, broken);
        Assert.Equal((Verdict.Supported, 3, new DivergedPairs(12, 0, 9, 0, 1 / 256.0)),
            (result.Verdict, result.N, result.Divergence with { PValue = Math.Round(result.Divergence.PValue, 12) }));
        Assert.Contains("9 of 12 runs of relu diverged and none of leaky_relu; ", result.Sentence, StringComparison.Ordinal);
        Assert.Equal(Verdict.Refuted, Judge(broken, Base).Verdict);
        Assert.Equal(Verdict.Refuted, Judge(broken, Base, Loss).Verdict);
        Assert.Equal(Verdict.Refuted, Judge(Draws.Of(12, () => double.PositiveInfinity), Base, Loss).Verdict);
        Assert.Equal(10.5 / 12, Judge(Base, [.. broken[..9], .. Base[9..]]).ProbabilityOfSuperiority);

        // Both always diverge together: nothing is known, and nothing fails.
        var none = Judge(Draws.Of(12, () => Diverged), Draws.Of(12, () => Diverged));
        Assert.Equal((Verdict.Inconclusive, 0, null, 1, 0.5),
            (none.Verdict, none.N, none.MeanDifference, none.PValue, none.ProbabilityOfSuperiority));
        Assert.EndsWith("Every run of both diverged, so that no number of seeds can tell them apart. "
            + "12 of 12 runs of leaky_relu diverged and 12 of relu, with the same seeds: ties.", none.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lone_divergence_excludes_equivalence()
    {
        Assert.Equal(Verdict.Equivalent, Judge([Diverged, .. Base.Plus(Noise)[1..]], [Diverged, .. Base[1..]]).Verdict);
        Assert.Equal(Verdict.Inconclusive, Judge([Diverged, .. Base.Plus(Noise)[1..]], Base).Verdict);
    }

    [Fact]
    public void An_interaction_compares_gains()
    {
        var contrast = Contrast.Interaction(("relu+dropout", Base), ("relu", Base),
            ("tanh+dropout", Base.Plus(Noise).Plus(Gain)), ("tanh", Base.Plus(Noise)));
        var result = Assert.Single(Family.Judge([contrast], Accuracy, 0.005));
        Assert.Equal((Verdict.Refuted, 12, -Math.Round(Gain.Average(), 12)),
            (result.Verdict, result.N, Math.Round(result.MeanDifference!.Value, 12)));
        Assert.StartsWith("The gain of relu+dropout over relu is smaller than the gain of tanh+dropout over tanh, not larger: "
            + "the gains in test accuracy differ by 0.", result.Sentence);
        // A drop in loss is the gain.
        Assert.Equal(Verdict.Supported, Family.Judge([contrast], Loss, 0.005)[0].Verdict);

        double[] once = [Diverged, .. Base[1..]];
        var lost = Contrast.Interaction(("relu+dropout", once), ("relu", Base), ("tanh+dropout", Base), ("tanh", Base));
        result = Assert.Single(Family.Judge([lost], Accuracy, 0.005));
        Assert.Equal((Verdict.Inconclusive, 11, 1), (result.Verdict, result.N, result.Divergence.Lost));
        Assert.EndsWith("1 of 12 seeds tells nothing, because a run diverged.", result.Sentence);
    }

    [Fact]
    public void Times_are_compared_as_ratios()
    {
        var time = SweepMetrics.Named("fastestEpochSeconds").Outcome;
        var baseline = new SplitMix64(1).Normal(12, 0.003, 0.0003);
        var noise = new SplitMix64(2).Normal(12, 0, 0.005);
        ContrastResult Times(double factor, double delta = 0.05) => Assert.Single(Family.Judge([Contrast.Between("elu",
            [.. baseline.Select((seconds, i) => factor * seconds * Math.Exp(noise[i]))], "relu", baseline)], time, delta));
        var slower = Times(1.12);
        var logs = noise.Select(x => Math.Log(1.12) + x).ToArray();
        Assert.Equal((Verdict.Refuted, "relative"), (slower.Verdict, slower.Unit));
        Assert.Equal(Math.Exp(logs.Average()) - 1, slower.MeanDifference!.Value, 1e-12);
        Assert.Equal(new MeanInterval(logs).At(0.05, 0)!.Value.ToArray().Select(end => Math.Exp(end) - 1), slower.Ci95!,
            (a, b) => Math.Abs(a - b) < 3e-4);
        Assert.Matches("^elu is slower than relu, not faster: the time of the fastest epoch is 1.1[12]? times that of relu "
            + "[(]95 % interval 1.1[12]? to 1.1[12]?, p < 0.001, 12 seeds[)].$", slower.Sentence);
        Assert.Equal(Verdict.Supported, Times(1 / 1.12).Verdict);
        // The unit of time is of no account, nor how long an epoch takes.
        double[] hours = [.. baseline.Select(seconds => 1e6 * seconds)];
        Assert.Equal(slower.MeanDifference!.Value, Family.Judge([Contrast.Between("elu",
            [.. hours.Select((seconds, i) => 1.12 * seconds * Math.Exp(noise[i]))], "relu", hours)], time, 0.05)[0].MeanDifference!.Value,
                1e-9);
        // 3 % longer is real but within 5 %, and so is 3 % shorter; 4.9 % of ReLU's time saved is a ratio below 1 / 1.05.
        Assert.Equal((Verdict.Negligible, Verdict.Negligible), (Times(1.03).Verdict, Times(1 / 1.03).Verdict));
        Assert.Contains("lies within 0.952 to 1.05, the ratios too near to 1 to matter", Times(1.03).Sentence, StringComparison.Ordinal);
        Assert.Equal(Verdict.Supported, Times(0.951).Verdict);
        Assert.Equal(Verdict.Equivalent, Times(1.0001).Verdict);
        Assert.All(["secondsPerEpoch", "fastestEpochSeconds"], name => Assert.Equal(0.05, SweepMetrics.Named(name).Delta));
        Assert.Equal(["relative", "fraction", "decades", "number"],
            new[] { "secondsPerEpoch", "sparsity", "initialGradientFlow", "testLoss" }
                .Select(name => SweepMetrics.Named(name).Outcome.Unit));
    }

    [Theory]
    [InlineData("testAccuracy")]
    [InlineData("testLoss")]
    [InlineData("gradientFlow")]
    [InlineData("fastestEpochSeconds")]
    public void No_interval_is_without_width(string metric)
    {
        var outcome = SweepMetrics.Named(metric).Outcome;
        var random = new SplitMix64(3);
        for (var n = 2; n < 12; n++)
        {
            var baseline = random.Normal(n, 0.9, 0.01);
            double[] constant = [.. Enumerable.Repeat(0.8, n)];
            if (metric == "testAccuracy")
                baseline = [.. baseline.Select(value => Math.Round(360 * value) / 360)];
            double[][] arms = [baseline, [.. baseline.Select(value => value + 0.01)], [.. baseline.Select(value => value * 1.01)],
                constant];
            foreach (var arm in arms)
                foreach (var other in (double[][])[baseline, constant, [.. Enumerable.Repeat(0.5, n)]])
                {
                    var result = Assert.Single(Family.Judge([Contrast.Between("a", arm, "b", other)], outcome, 0.005));
                    Assert.All([result.Ci95, result.Equivalence.Ci90], interval =>
                        Assert.True(interval is null || interval[1] - interval[0] > 1e-6));
                    Assert.Equal(arm == constant && other == constant, result.Ci95 is null);
                }
        }
        // Two equal differences: 84 % of others may be other ones, as far off as the runs of an arm are from each other.
        var two = Assert.Single(Family.Judge([Contrast.Between("a", [1.1, 1.3], "b", [1.0, 1.2])], Outcome.Of("testLoss", 0), 0.005));
        var half = (1 - Math.Sqrt(0.025)) * Math.Sqrt(2) * Math.Sqrt(0.02);
        Assert.Equal([0.1 - half, 0.1 + half], two.Ci95!, (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Null(ArmSummary.Of([0.5, 0.5, 0.5]).Ci95);
    }

    /// <summary>
    /// A mean of 0.3 delta, all of one sign, and three far ones: real, and by the interval that is told too small to matter, though the
    /// wider one that shows two arms to be the same reaches beyond delta.
    /// </summary>
    [Fact]
    public void What_is_real_and_lies_within_delta_by_the_narrower_interval_only_may_be_too_small()
    {
        double[] skewed = [.. Enumerable.Range(0, 24).Select(i => i % 8 == 7 ? 0.0062 : 0.0006 + 0.00002 * i)];
        double[] baseline = [.. Enumerable.Repeat(0.5, 24)];
        var result = Assert.Single(Family.Judge([Contrast.Between("a", baseline.Plus(skewed), "b", baseline)], Outcome.Of("testLoss", 0),
            0.0028));
        Assert.False(result.Equivalence.Equivalent);
        Assert.InRange(result.Ci95![1], 0, 0.0028);
        Assert.Equal(Verdict.Refuted, result.Verdict);
        Assert.Contains(" It may be too small to matter: its 95 % interval lies within ±0.0028.", result.Sentence,
            StringComparison.Ordinal);
    }

    [Fact]
    public void No_interval_of_shares_reaches_beyond_them()
    {
        double[] arm = [0.95, 0.99, 0.1, 0.98], baseline = [0.1, 0.1, 0.1, 0.11];
        var result = Assert.Single(Family.Judge([Contrast.Between("a", arm, "b", baseline)], Accuracy, 0.005, testToTrain: 0.25));
        Assert.Equal(1, result.Ci95![1]);
        Assert.Equal(1, ArmSummary.Of([0.95, 0.99, 0.1, 0.98]).OfShares().Ci95![1]);
    }

    [Fact]
    public void Overlapping_training_sets_widen_both_intervals_and_a_verdict_needs_the_interval_too()
    {
        ContrastResult Judged(double[] gain, double testToTrain) => Assert.Single(
            Family.Judge([Contrast.Between("leaky_relu", Base.Plus(gain), "relu", Base)], Accuracy, 0.005, testToTrain: testToTrain));
        var (fixedSplit, resampled) = (Judged(Gain, 0), Judged(Gain, 0.25));
        // What the overlap adds is t sd sqrt(1/4), in variance: the interval of the seeds alone may lean, and that of the overlap doesn't.
        void Adds(double student, double[] seeds, double[] rows)
        {
            var (mean, overlap) = (resampled.MeanDifference!.Value, student * resampled.SdDifference!.Value / 2);
            foreach (var end in (int[])[0, 1])
                Assert.Equal(double.Hypot(seeds[end] - mean, overlap), Math.Abs(rows[end] - mean), 1e-6);
        }
        Adds(2.2009852, fixedSplit.Ci95!, resampled.Ci95!);
        Adds(1.7958848, fixedSplit.Equivalence.Ci90!, resampled.Equivalence.Ci90!);
        Assert.Equal((fixedSplit.PValue, fixedSplit.MeanDifference), (resampled.PValue, resampled.MeanDifference));
        double[] lean = [.. Gain.Select((gain, i) => gain + (i % 2 == 0 ? 0.008 : -0.008))];
        Assert.Equal((Verdict.Supported, Verdict.Inconclusive), (Judged(lean, 0).Verdict, Judged(lean, 0.25).Verdict));
        Assert.Contains("a verdict needs both", Judged(lean, 0.25).Sentence, StringComparison.Ordinal);
        // At a spread of four times delta no number of seeds finds it: 1/n + 1/4 stays above (0.005 / (0.02 (1.96 + 0.84)))^2.
        var spread = Judged(new SplitMix64(5).Normal(12, 0, 0.02), 0.25);
        Assert.Contains("No number of seeds is enough to find a difference of 0.5 points or to show equivalence within",
            spread.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("it takes", spread.Sentence, StringComparison.Ordinal);
    }

    /// <summary>Better with each of six seeds and far better with one: open, and not for lack of rows.</summary>
    [Fact]
    public void What_more_seeds_may_well_decide_is_not_beyond_them()
    {
        ContrastResult Judged(double[] gain) => Assert.Single(Family.Judge(
            [Contrast.Between("a", Base[..gain.Length].Plus(gain), "b", Base[..gain.Length])], Accuracy, 0.005, testToTrain: 0.25));
        var (near, far) = (Judged([0.02, 0.021, 0.02, 0.022, 0.02, 0.2]), Judged([.. new SplitMix64(5).Normal(12, 0, 0.02)]));
        Assert.Equal((Verdict.Inconclusive, false), (near.Verdict, near.BeyondSeeds));
        Assert.Equal((Verdict.Inconclusive, true), (far.Verdict, far.BeyondSeeds));
        Assert.False(Judged([.. Enumerable.Repeat(0.05, 12)]).BeyondSeeds);
    }

    [Fact]
    public void Seeds_are_advised_only_where_they_would_help()
    {
        // Three seeds that can't tell the arms apart, and three that could.
        var ties = Judge([0.9, 0.9, 0.9], [0.9, 0.9, 0.9]);
        Assert.Contains("significance can't be reached: the least possible p is 0.25. Every run that finished gave the same value",
            ties.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("needed", ties.Sentence, StringComparison.Ordinal);
        Assert.Contains("at least 6 seeds are needed", Judge(Base[..3].Plus(Gain[..3]), Base[..3]).Sentence, StringComparison.Ordinal);
        // One arm that always diverges: six seeds say so.
        double[] never = [.. Base[..3].Select(_ => Diverged)];
        Assert.Contains("at least 6 seeds are needed", Judge(never, Base[..3]).Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("seeds are needed", Judge(never, never).Sentence, StringComparison.Ordinal);
        var lost = Judge(never, Base[..3], SweepMetrics.Named("sparsity").Outcome);
        Assert.DoesNotContain("needed", lost.Sentence, StringComparison.Ordinal);
        Assert.EndsWith("3 of 3 seeds tell nothing, because a run diverged.", lost.Sentence, StringComparison.Ordinal);
        // Decided, so there is nothing to advise.
        Assert.DoesNotContain("needed", Judge(Base[..5], Base[..5]).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Pairs_need_the_same_seeds()
    {
        Assert.Throws<ArgumentException>(() => Contrast.Between("a", [1, 2], "b", [1]));
        Assert.Throws<ArgumentException>(() => Contrast.Interaction(("a", [1]), ("b", [1]), ("c", [1, 2]), ("d", [1])));
        Assert.Empty(Family.Judge([], Accuracy, 0.005));
    }

    [Fact]
    public void The_json_has_the_api_s_names()
    {
        using var json = JsonDocument.Parse(JsonSerializer.Serialize(Judge(Base.Plus(Gain), Base), Json.Options));
        string[] names = ["arm", "baseline", "n", "meanDifference", "ci95", "pValue",
            "adjustedPValue", "probabilityOfSuperiority", "equivalence", "verdict", "sentence"];
        Assert.All(names, name => Assert.True(json.RootElement.TryGetProperty(name, out _), name));
        Assert.Equal(["delta", "ci90", "equivalent"],
            json.RootElement.GetProperty("equivalence").EnumerateObject().Select(property => property.Name));
        Assert.Equal("supported", json.RootElement.GetProperty("verdict").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("ci95").GetArrayLength());
    }

    [Fact]
    public void An_arm_is_summed_up_with_its_divergences()
    {
        var arm = ArmSummary.Of([0.9, Diverged, 0.8, 1.0, Diverged]);
        Assert.Equal((3, 2, 0.9, 0.1, 0.9),
            (arm.N, arm.Diverged, Math.Round(arm.Mean!.Value, 12), Math.Round(arm.Sd!.Value, 12), arm.Median));
        // t_2(0.975) = 4.302653; Wilson for 2 of 5: R's prop.test(2, 5, correct = FALSE).
        Assert.Equal([0.9 - 4.302653 * 0.1 / Math.Sqrt(3), 0.1176208],
            [arm.Ci95![0], arm.DivergedCi95![0]], (a, b) => Math.Abs(a - b) < 1e-6);
        var none = ArmSummary.Of([]);
        Assert.Equal((0, 0, null, null, null), (none.N, none.Diverged, none.Mean, none.Ci95, none.DivergedCi95));
    }

    private static ContrastResult Judge(double[] arm, double[] baseline, Outcome? outcome = null) =>
        Assert.Single(Family.Judge([Contrast.Between("leaky_relu", arm, "relu", baseline)], outcome ?? Accuracy, 0.005));
}
