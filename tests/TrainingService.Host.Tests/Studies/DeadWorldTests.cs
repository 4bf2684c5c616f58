using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Tests.Studies;

/// <summary>Statements on vanishing gradients and dead layers, each in a world where it is true, false, or can't be told.</summary>
public sealed class DeadWorldTests
{
    /// <summary>The usual tale: saturated entries let the gradient vanish, and training stops.</summary>
    [Theory]
    [InlineData(0.6, -3, Verdict.Supported, Verdict.Supported)]
    [InlineData(0.6, 0.5, Verdict.Supported, Verdict.Refuted)] // saturated, and the gradient is larger
    [InlineData(0.0, -3, Verdict.Refuted, Verdict.Inconclusive)] // nothing saturates, so nothing falls with it
    public void Saturation_and_the_gradient_are_links_of_their_own(double saturation, double flow, Verdict a, Verdict b)
    {
        var world = Squashing("tanh", new() { Saturation = saturation, Flow = flow });
        Assert.Equal((a, b), (world["C7a-tanh"].Verdict, world["C7b-tanh"].Verdict));
        Assert.Equal(("tanh x5, gain 4", "tanh x5, gain 0.3"), (world["C7a-tanh"].Arm, world["C7a-tanh"].Baseline));
        Assert.Equal(("initialGradientFlow", "decades"), (world["C7b-tanh"].Metric, world["C7b-tanh"].Unit));
        // the other function is judged by itself
        Assert.Equal(Verdict.Refuted, world["C7a-sigmoid"].Verdict);
    }

    [Fact]
    public void Saturation_that_strays_more_than_it_differs_decides_nothing()
    {
        var world = Squashing("sigmoid", new() { Saturation = 0.3, Noise = 0.5 });
        Assert.Equal(Verdict.Inconclusive, world["C7b-sigmoid"].Verdict);
    }

    [Theory]
    [InlineData(-3, 0.10, Verdict.Supported)]
    [InlineData(-3, 0.99, Verdict.Refuted)] // the gradient vanishes, and the nets learn
    [InlineData(-0.5, 0.10, Verdict.Inconclusive)] // no gradient vanishes
    public void Training_stalls_where_the_gradient_has_vanished(double flow, double train, Verdict c)
    {
        var world = Squashing("tanh", new() { Saturation = 0.6, Flow = flow, Train = train });
        Assert.Equal(c, world["C7c-tanh"].Verdict);
        if (c != Verdict.Inconclusive)
            Assert.Equal("tanh x5, gain 4", world["C7c-tanh"].Arm);
    }

    /// <summary>45 % where others reach 99, and guessing 10: it has not stalled, nor has it learned.</summary>
    [Fact]
    public void What_learned_far_less_has_neither_stalled_nor_not()
    {
        var c = Squashing("tanh", new() { Saturation = 0.6, Flow = -3, Train = 0.45 })["C7c-tanh"];
        Assert.Equal(Verdict.Inconclusive, c.Verdict);
        Assert.Contains("But it learned less: 45 % of the training rows are right, and up to 99 % where", c.Evidence,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Of_nets_at_chance_it_is_not_said_that_units_come_back()
    {
        var world = new NetWorld(new BornDeadNets(), new()
        {
            ["relu 4x20"] = Chance with { DeadLayers = [3], Stalls = _ => true },
            ["leaky_relu 4x20"] = new() { Locked = 0.1, Revived = 0.1, Train = 0.1 },
        }, layers: 5);
        foreach (var id in (string[])["C1a", "C1b", "C1c"])
        {
            Assert.Equal(Verdict.Inconclusive, world[id].Verdict);
            Assert.Contains("relu 4x20", world[id].LeftOut);
            Assert.Contains("At least half of the runs of", world[id].Evidence, StringComparison.Ordinal);
        }
        Assert.Equal((null, 0), (world["C1b"].Effect, world["C1b"].N));
        // its accuracy is one like any other
        Assert.Equal(Verdict.Supported, world["C1d"].Verdict);
        Assert.Contains("16 of 16 relu 4x20 had a dead layer before the first step and 0 of these learned; of the other 0, 0 learned. "
            + "Of the wide ones 0 of 16 relu 32x20 had a dead layer before the first step; of all 16, 16 learned.", world.Answer,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Relus_zeros_are_no_saturation()
    {
        var world = Squashing("tanh", new() { Saturation = 0 }, new() { Saturation = 0.9, Zeros = 0.9 });
        Assert.Equal(Verdict.Refuted, world["C7a-tanh"].Verdict);
        Assert.DoesNotContain("relu", world["C7a-tanh"].Evidence, StringComparison.Ordinal);
    }

    private static NetWorld Squashing(string activation, Net most, Net? relu = null)
    {
        var nets = new Dictionary<string, Net> { [activation == "tanh" ? "tanh x5, gain 4" : "sigmoid x5, gain 8"] = most };
        foreach (var depth in new[] { 2, 5, 10 })
            nets[$"relu x{depth}"] = relu ?? new();
        return new(new Saturation(), nets, layers: 5);
    }

    private static NetWorld Layers(Net one, Net all, Net? half = null) => new(new DeadLayers(), new()
    {
        ["healthy"] = new() { Noise = 0.003 },
        ["half of one layer dead"] = half ?? new() { Noise = 0.003 },
        ["one layer dead"] = one,
        ["all layers dead"] = all,
    }, layers: 3);

    private static Net Chance => new() { Train = 0.102, Test = 0.1, Loss = 2.3, Noise = 0, Flow = null, DeadLayers = [1] };

    [Fact]
    public void One_dead_layer_stops_all_learning_before_it()
    {
        var world = Layers(Chance, Chance with { DeadLayers = [0, 1, 2] });
        Assert.Equal([Verdict.Supported, Verdict.Supported, Verdict.Supported],
            new[] { "C9a", "C9b", "C9c" }.Select(id => world[id].Verdict));
        Assert.Equal((0.0, "upstreamGradientRms", 16), (world["C9a"].Effect, world["C9a"].Metric, world["C9a"].N));
        // both are constant, and there is an interval all the same
        Assert.NotNull(world["C9b"].Ci95);
        Assert.Contains("10 %", world["C9b"].Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_net_that_learns_with_a_dead_layer_refutes_both_and_one_that_does_not_with_half_of_it_the_third()
    {
        var world = Layers(Chance with { Flow = -8, Train = 0.6, Test = 0.6 }, Chance with { DeadLayers = [0, 1, 2] }, half: Chance);
        Assert.Equal([Verdict.Refuted, Verdict.Refuted, Verdict.Refuted], new[] { "C9a", "C9b", "C9c" }.Select(id => world[id].Verdict));
    }

    [Fact]
    public void Too_few_nets_and_straying_ones_decide_nothing_of_dead_layers()
    {
        var few = new NetWorld(new DeadLayers(), new()
        {
            ["one layer dead"] = Chance,
            ["all layers dead"] = Chance with { DeadLayers = [0, 1, 2], Noise = 0.1 },
        }, seeds: 3, layers: 3);
        Assert.Equal([Verdict.Inconclusive, Verdict.Inconclusive, Verdict.Inconclusive],
            new[] { "C9a", "C9b", "C9c" }.Select(id => few[id].Verdict));
    }

    [Theory]
    [InlineData(16, 0.10, Verdict.Supported)]
    [InlineData(16, 0.60, Verdict.Refuted)]
    [InlineData(3, 0.10, Verdict.Inconclusive)]
    public void Nets_born_with_a_dead_layer_learn_nothing(int seeds, double train, Verdict b)
    {
        var world = new NetWorld(new BornDeadNets(), new()
        {
            ["relu 4x20"] = new() { Train = train, Test = 0.1, Flow = null, Noise = 0, DeadLayers = [3, 4] },
        }, seeds: seeds, layers: 5);
        Assert.Equal(b, world["C9b"].Verdict);
        Assert.Equal(seeds < 5 ? Verdict.Inconclusive : Verdict.Supported, world["C9a"].Verdict);
        Assert.Equal("fraction", world["C9b"].Unit);
    }

    [Theory]
    [InlineData(0.4, 0.1, Verdict.Supported, Verdict.Supported)]
    [InlineData(0.4, 0.4, Verdict.Supported, Verdict.Refuted)]
    [InlineData(0.0, 0.1, Verdict.Refuted, Verdict.Refuted)]
    public void Leaky_units_are_counted_as_off_by_the_same_measure(double relu, double leaky, Verdict a, Verdict b)
    {
        var world = new NetWorld(new BornDeadNets(), new()
        {
            ["relu 4x20"] = new() { Dead = relu },
            ["leaky_relu 4x20"] = new() { Dead = 0, Locked = leaky, Noise = leaky == 0 ? 0 : 0.001, Test = 0.97 },
        });
        Assert.Equal((a, b, Verdict.Supported), (world["C1a"].Verdict, world["C1b"].Verdict, world["C1d"].Verdict));
    }

    [Fact]
    public void The_bound_on_born_dead_nets_is_called_one()
    {
        var measured = new StudyMeasurement([new(4, 5, 2000, 0.07, 0.0726, [0.06, 0.082])]);
        var world = new NetWorld(new BornDeadNets(), [], measured: measured);
        Assert.Matches(@" % are born dead; computed 7\.\d+ %, at most \(bound\) 22\.8 %", world.Answer);
        Assert.Equal(0.2275, measured.BornDead![0].Bound, 0.0001);
    }
}
