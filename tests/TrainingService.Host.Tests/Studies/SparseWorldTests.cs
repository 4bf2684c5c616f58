using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Tests.Studies;

/// <summary>Statements on sparsity, each in a world where it is true, in one where it is false, and in one that can't tell.</summary>
public sealed class SparseWorldTests
{
    private static readonly string[] Penalties =
        ["no penalty", "l1 0.001", "l1 0.003", "l1 0.01", "l1 0.02", "l1 0.03", "l1 0.05", "l1 0.1", "l1 0.15"];

    private static readonly double[] Zeros = [0.5, 0.55, 0.6, 0.7, 0.78, 0.84, 0.9, 0.95, 0.98];

    /// <summary>The knee study's arms with rising sparsity, each by a function of its zeros.</summary>
    private static NetWorld Knee(Func<double, Net> net) =>
        new(new SparsityKnee(), Penalties.Zip(Zeros).ToDictionary(arm => arm.First, arm => net(arm.Second) with { Zeros = arm.Second }));

    [Theory]
    [InlineData(0.0, 0.03, 0.001, Verdict.Supported, Verdict.Supported)]
    [InlineData(0.03, 0.03, 0.001, Verdict.Refuted, Verdict.Supported)]
    [InlineData(0.0, 0.0, 0.001, Verdict.Supported, Verdict.Refuted)]
    [InlineData(0.009, 0.03, 0.004, Verdict.Inconclusive, Verdict.Supported)] // a real loss, which may be less than matters
    [InlineData(0.0, 0.0, 0.2, Verdict.Inconclusive, Verdict.Inconclusive)]
    public void The_knee_is_judged_by_arms_on_either_side_of_85_percent(double lossBelow, double lossBeyond, double noise,
        Verdict a, Verdict b)
    {
        var world = Knee(zeros => new()
        {
            Test = 0.95 - (zeros > 0.85 ? lossBeyond : zeros > 0.75 ? lossBelow : 0),
            Noise = noise,
            Dead = 0,
        });
        Assert.Equal((a, b), (world["C12a"].Verdict, world["C12b"].Verdict));
        Assert.Equal(("testAccuracy", "fraction", "no penalty"), (world["C12a"].Metric, world["C12a"].Unit, world["C12a"].Baseline));
    }

    [Fact]
    public void Equal_accuracy_far_below_the_knee_says_nothing_of_what_lies_up_to_it()
    {
        var world = new NetWorld(new SparsityKnee(), [], new() { Zeros = 0.6 });
        Assert.Equal((Verdict.Inconclusive, Verdict.Inconclusive), (world["C12a"].Verdict, world["C12b"].Verdict));
        Assert.Contains("of those up to 85 % nothing can be said", world["C12a"].Evidence, StringComparison.Ordinal);
    }

    /// <summary>81 % on the mean, of a layer with 65 % and one with 97 %, which is silent: it is not 81 % zeros that did it.</summary>
    [Fact]
    public void An_arm_with_a_layer_on_either_side_of_the_knee_speaks_of_neither()
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["l1 0.1"] = new() { Zeros = 0.78, ZerosRise = 0.02 },
            ["l1 0.15"] = new() { Zeros = 0.65, ZerosRise = 0.32, Test = 0.6, Train = 0.6, Stalls = seed => seed < 4 },
        });
        Assert.Equal(Verdict.Supported, world["C12a"].Verdict);
        Assert.Equal(Verdict.Inconclusive, world["C12b"].Verdict);
        Assert.Contains("there are 78/80 % zeros", world["C12a"].Evidence, StringComparison.Ordinal);
        Assert.Contains("shown to be worse is l1 0.15 first (65/97 % zeros)", world.Headline, StringComparison.Ordinal);
        Assert.Matches(@"^With l1 0\.15 50\.\d % of the training rows are right\.", world.Answer);
    }

    /// <summary>One arm beyond the knee that is still flat, and the fall lies further out.</summary>
    [Fact]
    public void A_flat_arm_beyond_the_knee_refutes_the_fall_there()
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["l1 0.05"] = new() { Zeros = 0.88 },
            ["l1 0.1"] = new() { Zeros = 0.93, Test = 0.9 },
        });
        Assert.Equal(Verdict.Refuted, world["C12b"].Verdict);
    }

    /// <summary>Layer one has a higher rank, layer two a lower one: their mean says nothing of "the layers".</summary>
    [Fact]
    public void Layers_that_disagree_decide_nothing_by_their_mean()
    {
        var c5 = Widths(128, new() { Zeros = 0.6, Rank = 22, RankRise = -5 })["C5a-128"];
        Assert.Equal(Verdict.Inconclusive, c5.Verdict);
        Assert.Matches(@"Layer by layer the rank of relu 128 differs by \+3(\.\d+)?, −4(\.\d+)? points\.", c5.Evidence);
    }

    /// <summary>0.002 and 0.01: within 0.02 of each other, which is more than the whole loss, and not the same.</summary>
    [Fact]
    public void Losses_are_not_the_same_for_being_small()
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["no penalty"] = new() { Zeros = 0.5, Loss = 0.004, Noise = 0.0005 },
            ["l1 0.03"] = new() { Zeros = 0.8, Loss = 0.012, Noise = 0.0005 },
        }, new() { Train = 0.5 });
        Assert.Equal(Verdict.Inconclusive, world["C5b"].Verdict);
    }

    /// <summary>The case of the issue: 100 % zeros, 10 % training accuracy.</summary>
    [Fact]
    public void A_net_at_chance_is_left_out_by_name_of_knee_and_capacity()
    {
        var world = Knee(zeros => zeros > 0.97 ? new() { Train = 0.101, Test = 0.1, Loss = 2.3, Rank = 1, Dead = 0.9 } : new());
        Assert.Equal(["l1 0.15"], world["C12b"].LeftOut);
        Assert.Equal(["l1 0.15"], world["C5a"].LeftOut);
        Assert.Equal(Verdict.Refuted, world["C5a"].Verdict);
        Assert.Equal("l1 0.1", world["C5a"].Arm);
        Assert.Contains("l1 0.15 (10.1 %)", world["C5a"].Evidence, StringComparison.Ordinal);
        Assert.Equal(["l1 0.15"], world["C5b"].LeftOut);
    }

    [Theory]
    [InlineData(15, 0.05, 0.001, Verdict.Supported)] // lower rank
    [InlineData(20, 0.15, 0.001, Verdict.Refuted)] // higher loss, as a penalty makes it by itself
    [InlineData(20, 0.05, 0.001, Verdict.Refuted)] // neither
    [InlineData(25, 0.15, 0.001, Verdict.Refuted)] // the opposite
    public void Capacity_is_under_used_if_the_rank_falls_with_sparsity(double rank, double loss, double noise, Verdict verdict)
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["no penalty"] = new() { Zeros = 0.2, Dead = 0 },
            ["l1 0.05"] = new() { Zeros = 0.9, Rank = rank, Loss = loss, Noise = noise, Dead = 0 },
        }, new() { Train = 0.5 });
        Assert.Equal(verdict, world["C5a"].Verdict);
        Assert.Equal(("l1 0.05", "no penalty"), (world["C5a"].Arm, world["C5a"].Baseline));
    }

    /// <summary>Higher rank at 78 % zeros, lower at 90: it doesn't fall with sparsity, whatever the sparsest arm shows.</summary>
    [Fact]
    public void A_rank_that_rises_before_it_falls_does_not_fall_with_sparsity()
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["no penalty"] = new() { Zeros = 0.5, Dead = 0 },
            ["l1 0.02"] = new() { Zeros = 0.78, Rank = 25, Dead = 0 },
            ["l1 0.05"] = new() { Zeros = 0.9, Rank = 15, Dead = 0 },
        }, new() { Train = 0.5 });
        Assert.Equal(Verdict.Refuted, world["C5a"].Verdict);
        Assert.Matches("Higher: l1 0[.]02 .* Lower: l1 0[.]05 ", world["C5a"].Evidence);
        Assert.EndsWith("effective rank is lower, the sparser they are.", world["C5a"].Text, StringComparison.Ordinal);
        // Arms that are counted on neither side of the knee are told of.
        var edge = new NetWorld(new SparsityKnee(), new()
        {
            ["l1 0.05"] = new() { Zeros = 0.8, ZerosRise = 0.12 },
            ["l1 0.15"] = new() { Zeros = 0.97, Test = 0.8 },
        })["C12b"];
        Assert.Matches("Not counted, since .*: .*l1 0[.]05, 80/92 % zeros", edge.Evidence);
    }

    /// <summary>Fewer units that are alive have a lower rank together; each has as much as before.</summary>
    [Fact]
    public void Rank_that_is_lost_with_dead_units_is_not_put_down_to_sparsity()
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["no penalty"] = new() { Zeros = 0.5, Dead = 0, Rank = 20 },
            ["l1 0.05"] = new() { Zeros = 0.75, Dead = 0.5, Rank = 10 },
        }, new() { Train = 0.5 });
        Assert.Equal(Verdict.Refuted, world["C5a"].Verdict);
        Assert.Contains("50 % dead units", world["C5a"].Evidence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.05, 0.97, 0.001, Verdict.Supported)]
    [InlineData(0.05, 0.95, 0.001, Verdict.Refuted)]
    [InlineData(0.05, 0.93, 0.001, Verdict.Refuted)]
    [InlineData(0.05, 0.95, 0.03, Verdict.Inconclusive)]
    [InlineData(0.20, 0.97, 0.001, Verdict.Inconclusive)] // another training loss
    public void The_gap_is_compared_at_equal_training_loss(double loss, double test, double noise, Verdict verdict)
    {
        var world = new NetWorld(new SparsityKnee(), new()
        {
            ["no penalty"] = new() { Zeros = 0.5 },
            ["l1 0.03"] = new() { Zeros = 0.8, Loss = loss, Test = test, Noise = noise },
        }, new() { Train = 0.5 });
        Assert.Equal(verdict, world["C5b"].Verdict);
    }

    [Theory]
    [InlineData(0.60, 0.10, 0.001, Verdict.Supported, Verdict.Supported)]
    [InlineData(0.45, 0.00, 0.001, Verdict.Refuted, Verdict.Refuted)]
    [InlineData(0.95, 0.10, 0.001, Verdict.Supported, Verdict.Refuted)]
    [InlineData(0.50, 0.00, 0.001, Verdict.Refuted, Verdict.Inconclusive)]
    [InlineData(0.52, 0.40, 0.001, Verdict.Supported, Verdict.Refuted)] // most of the zeros are those of dead units
    public void Dying_hits_a_fraction_and_live_units_are_sparse(double zeros, double dead, double noise, Verdict a, Verdict b)
    {
        var world = new NetWorld(new SparsityKnee(), new() { ["no penalty"] = new() { Zeros = zeros, Dead = dead, Noise = noise } });
        Assert.Equal((a, b), (world["C4a"].Verdict, world["C4b"].Verdict));
    }

    [Theory]
    [InlineData(15, 0.05, 0.001, Verdict.Supported)]
    [InlineData(20, 0.15, 0.001, Verdict.Supported)]
    [InlineData(20, 0.05, 0.001, Verdict.Refuted)]
    [InlineData(20, 0.05, 0.6, Verdict.Inconclusive)]
    public void Each_width_has_a_verdict_of_its_own(double rank, double loss, double noise, Verdict verdict)
    {
        var world = Widths(128, new() { Zeros = 0.6, Rank = rank, Loss = loss, Noise = noise });
        Assert.Equal(verdict, world["C5a-128"].Verdict);
        Assert.Equal(Verdict.Refuted, world["C5a-32"].Verdict);
        Assert.Equal(("relu 128", "leaky_relu 128"), (world["C5a-128"].Arm, world["C5a-128"].Baseline));
        Assert.StartsWith("128 units wide:", world["C5a-128"].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.05, 0.97, Verdict.Supported)]
    [InlineData(0.05, 0.93, Verdict.Refuted)]
    [InlineData(0.20, 0.97, Verdict.Inconclusive)]
    public void The_gap_at_a_width_is_compared_at_equal_training_loss(double loss, double test, Verdict verdict) =>
        Assert.Equal(verdict, Widths(32, new() { Zeros = 0.6, Loss = loss, Test = test })["C5b-32"].Verdict);

    [Fact]
    public void Narrow_nets_that_learn_less_or_are_half_dead_carry_nothing()
    {
        var slow = Widths(4, new() { Zeros = 0.7, Train = 0.7, Loss = 0.9, Rank = 5 });
        Assert.Equal((Verdict.Inconclusive, Verdict.Inconclusive), (slow["C5a-4"].Verdict, slow["C5b-4"].Verdict));
        Assert.Equal(["relu 4"], slow["C5a-4"].LeftOut);
        Assert.Contains("relu 4 (70 %)", slow["C5a-4"].Evidence, StringComparison.Ordinal);
        // half of the units dead: the loss is theirs
        var half = Widths(4, new() { Zeros = 0.7, Dead = 0.5, Loss = 0.9, Rank = 10 });
        Assert.Equal(Verdict.Inconclusive, half["C5a-4"].Verdict);
        Assert.Contains("those of the 0 seeds", half["C5a-4"].Evidence, StringComparison.Ordinal);
    }

    /// <summary>Rank higher and loss higher: the one shows the opposite of what the other one does.</summary>
    [Fact]
    public void Of_two_measures_that_contradict_each_other_neither_decides() =>
        Assert.Equal(Verdict.Inconclusive, Widths(128, new() { Zeros = 0.6, Rank = 25, Loss = 0.15 })["C5a-128"].Verdict);

    [Fact]
    public void Widths_at_which_both_fit_alike_are_compared_though_a_third_fits_better()
    {
        var nets = new Dictionary<string, Net>
        {
            ["relu 8"] = new() { Zeros = 0.6, Dead = 0, Train = 0.9 },
            ["leaky_relu 8"] = new() { Zeros = 0, Dead = 0, Train = 0.9 },
        };
        Assert.Equal(Verdict.Refuted, new NetWorld(new Capacity(), nets)["C5a-8"].Verdict);
    }

    private static NetWorld Widths(int width, Net relu)
    {
        var nets = new[] { 4, 8, 32, 128 }.SelectMany(w => new (string, Net)[]
        {
            ($"relu {w}", w == width ? relu : new() { Zeros = 0.6 }), ($"leaky_relu {w}", new() { Zeros = 0 }),
        }).ToDictionary(arm => arm.Item1, arm => arm.Item2 with { Dead = arm.Item2.Dead == 0.5 ? 0.5 : 0 });
        return new(new Capacity(), nets);
    }

    [Theory]
    [InlineData(0.00, 0.03, 0.001, Verdict.Supported)] // no gain in one setting
    [InlineData(-0.03, 0.03, 0.001, Verdict.Supported)] // a loss in one
    [InlineData(0.03, 0.03, 0.001, Verdict.Refuted)] // a gain in every one
    [InlineData(0.00, 0.00, 0.2, Verdict.Inconclusive)]
    public void Dropout_can_be_of_no_benefit_if_it_is_of_none_in_one_sparse_setting(double gain, double others, double noise,
        Verdict verdict)
    {
        var world = Dropout(0.75, gain, others, noise);
        Assert.Equal(verdict, world["C6a"].Verdict);
        if (verdict == Verdict.Supported)
            Assert.Equal("l1 0.03, dropout 0.5", world["C6a"].Arm);
    }

    /// <summary>99.5 % without it: no dropout could have brought a point.</summary>
    [Fact]
    public void That_dropout_brings_nothing_where_nothing_can_be_brought_supports_nothing()
    {
        var c6 = new NetWorld(new DropoutVsSparsity(), [], new() { Zeros = 0.8, Test = 0.995 })["C6a"];
        Assert.Equal(Verdict.Inconclusive, c6.Verdict);
        Assert.Contains("so that dropout could not have brought 1 point", c6.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_dropout_costs_is_called_a_cost()
    {
        var c6 = Dropout(0.75, -0.03, 0.03, 0.001)["C6a"];
        Assert.Matches(@"It costs at least 2(\.\d+)? points", c6.Evidence);
        Assert.DoesNotContain("at most -", c6.Evidence, StringComparison.Ordinal);
        Assert.Contains("Without a penalty dropout changes it by +3", c6.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_sparse_setting_nothing_is_said_of_dropout_there()
    {
        var world = Dropout(0.6, 0, 0, 0.001);
        Assert.Equal(Verdict.Inconclusive, world["C6a"].Verdict);
        Assert.Contains("Of no setting is it shown that more than 70 % are zeros in each "
            + "layer", world["C6a"].Evidence, StringComparison.Ordinal);
    }

    private static NetWorld Dropout(double zeros, double gain, double others, double noise) =>
        new(new DropoutVsSparsity(), (from penalty in new[] { "no penalty", "l1 0.003", "l1 0.01", "l1 0.03" }
                                      from rate in new[] { "", ", dropout 0.2", ", dropout 0.5" }
                                      select (penalty, rate)).ToDictionary(arm => arm.penalty + arm.rate, arm => new Net
                                      {
                                          Zeros = arm.penalty == "no penalty" ? 0.5 : zeros,
                                          Noise = noise > 0.01 && arm.rate.Length > 0 ? noise : 0.001,
                                          Test = 0.9 + (arm.rate.Length == 0 ? 0 : arm is ("l1 0.03", ", dropout 0.5") ? gain : others),
                                      }));
}
