using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Prediction;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Prediction;

public class BornDeadTests
{
    [Theory, InlineData(2, 2, 0.25), InlineData(1, 2, 0.5), InlineData(1, 3, 0.75),
        InlineData(3, 1, 0), InlineData(3, 10, 0.6993), InlineData(10, 50, 0.0467), InlineData(4, 5, 0.2275)]
    public void The_bounds_values(int width, int depth, double expected) =>
        Assert.Equal(expected, BornDead.Bound(width, depth), 0.0001);

    /// <summary>
    /// One unit: dead as soon as the sign that its first weight lets through is lost. Two hidden layers: the first has k of N units on
    /// for x = 1 and the others for x = -1, so that the two signals are independent behind it. 4 wide, 5 deep: by a simulation of its own.
    /// </summary>
    [Theory, InlineData(1, 2, 0), InlineData(1, 3, 0.5), InlineData(1, 6, 0.9375), InlineData(3, 1, 0), InlineData(5, 2, 0),
        InlineData(2, 3, 0.25 * 0.25 * 0.5 + 0.5 * 0.25), InlineData(4, 3, 0.125 * 0.0625 + 0.875 * 0.00390625), InlineData(4, 5, 0.073)]
    public void The_probabilitys_values(int width, int depth, double expected) =>
        Assert.Equal(expected, BornDead.Probabilities(width, depth, TestContext.Current.CancellationToken)[depth], 0.002);

    /// <summary>Lu et al. 2019, theorem 3.3: a lower bound beside the upper one.</summary>
    [Fact]
    public void The_probability_lies_between_the_published_bounds()
    {
        for (var width = 2; width <= 10; width++)
        {
            var computed = BornDead.Probabilities(width, 50, TestContext.Current.CancellationToken);
            for (var depth = 3; depth <= 50; depth++)
            {
                double p = Math.Pow(2, -width), one = 1 - p, both = 1 - 2 * p - (width - 1) * p * p;
                var lower = 1 - Math.Pow(one, depth - 2)
                    + (1 - 2 * p) * (1 - p) / (1 + (width - 1) * p) * (Math.Pow(both, depth - 2) - Math.Pow(one, depth - 2));
                Assert.InRange(computed[depth], lower - 0.002, BornDead.Bound(width, depth));
            }
        }
    }

    /// <summary>
    /// The counts of one width are those of one empirical distribution (of the layer where a net dies), so that the
    /// Dvoretzky-Kiefer-Wolfowitz inequality bounds all depths at once: P(largest deviation > e) at most 2 exp(-2 n e^2), for
    /// nine widths 9 times that, here 0.001.
    /// </summary>
    [Fact]
    public void Counts_agree_with_the_probability_at_every_width_and_depth()
    {
        const int Nets = 4000;
        var band = Math.Sqrt(Math.Log(2 * 9 / 0.001) / (2 * Nets));
        for (var width = 2; width <= 10; width++)
        {
            var dead = BornDead.Count(width, 50, Nets, seed: 1, TestContext.Current.CancellationToken);
            var computed = BornDead.Probabilities(width, 50, TestContext.Current.CancellationToken);
            for (var depth = 2; depth <= 50; depth++)
                Assert.Equal(computed[depth], (double)dead[depth] / Nets, band);
        }
    }

    [Fact]
    public void The_engines_own_nets_die_in_the_same_layers()
    {
        const int Width = 3, Depth = 8, Nets = 60;
        var data = new TrainingData(new(1, TargetKind.Classes, 2, 2, 0, 0), new(2, [1, -1], [0, 1], []), null, null);
        var dead = new int[Depth + 1];
        for (var seed = 7; seed < 7 + Nets; seed++)
        {
            ModelSpec model = new() { HiddenLayers = [.. Enumerable.Repeat(Width, Depth - 1)] };
            using var trainer = new Trainer(Runs.Plan(data, model, new() { Epochs = 1, Seed = seed, BatchSize = 1 }), data);
            IReadOnlyList<LayerPoint>? points = null;
            trainer.OnLayers = layers => points ??= layers;
            trainer.Run(TestContext.Current.CancellationToken);
            for (var depth = 2; depth <= Depth; depth++)
                dead[depth] += points!.Take(depth - 1).Any(layer => layer.DeadFraction == 1) ? 1 : 0;
        }
        Assert.Equal(dead, BornDead.Count(Width, Depth, Nets, seed: 7, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Equal_seeds_give_equal_counts_and_others_do_not()
    {
        int[] Count(long seed) => BornDead.Count(4, 20, 500, seed, TestContext.Current.CancellationToken);
        Assert.Equal(Count(3), Count(3));
        Assert.NotEqual(Count(3), Count(503));
    }
}
