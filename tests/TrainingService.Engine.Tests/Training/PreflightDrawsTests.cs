using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Prediction;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>Draws of the net itself: their ranges hold new draws, and count the dead.</summary>
public class PreflightDrawsTests
{
    private const int Fresh = 200;

    private static readonly string[] Activations =
        ["relu", "leaky_relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "mish", "softplus"];

    private static readonly string[] Initializers = ["xavier_normal", "kaiming_normal", "lecun_normal", "auto"];

    /// <summary>Small signals vanish in silu and gelu, where theory's range held 25 to 80 %.</summary>
    [Theory]
    [InlineData("relu", "kaiming_normal", 10), InlineData("silu", "xavier_normal", 10), InlineData("tanh", "xavier_normal", 3)]
    [InlineData("gelu", "lecun_normal", 20), InlineData("sigmoid", "auto", 3), InlineData("softplus", "kaiming_normal", 10)]
    public void Ranges_hold_what_new_draws_measure(string activation, string initializer, int depth)
    {
        var (rms, flow) = Coverage(activation, initializer, depth);
        Assert.InRange(rms, 0.9, 0.99);
        Assert.InRange(flow, 0.9, 1);
    }

    /// <summary>
    /// Ten activations, four initialisers, three depths. 50 draws leave an uncertainty of 2 % in what their range holds, and 200 new ones
    /// one
    /// of 1.5 % in what is found of that: of 120 settings a few stray, their mean doesn't.
    /// </summary>
    [Fact, Trait("Category", "Simulation")]
    public void Ranges_hold_what_new_draws_measure_whatever_the_net()
    {
        var all = new List<(string Name, double Rms, double Flow)>();
        foreach (var depth in (int[])[3, 10, 30])
            foreach (var activation in Activations)
                foreach (var initializer in Initializers)
                {
                    var (rms, flow) = Coverage(activation, initializer, depth);
                    all.Add(($"{activation} {initializer} {depth}: {rms:F3} {flow:F3}", rms, flow));
                    TestContext.Current.SendDiagnosticMessage(all[^1].Name);
                }
        Assert.InRange(all.Average(s => s.Rms), 0.93, 0.97);
        Assert.InRange(all.Average(s => s.Flow), 0.93, 0.98);
        Assert.True(all.Count(s => s.Rms is < 0.9 or > 0.99) <= 6, string.Join("; ", all.Where(s => s.Rms is < 0.9 or > 0.99)));
        Assert.True(all.Count(s => s.Flow < 0.9) <= 6, string.Join("; ", all.Where(s => s.Flow < 0.9)));
        Assert.All(all, s => Assert.True(s.Rms > 0.85 && s.Flow > 0.8, s.Name));
    }

    [Fact]
    public void Equal_models_on_equal_rows_get_equal_ranges_whatever_their_seed()
    {
        var data = Rows(300);
        ModelSpec model = new() { HiddenLayers = [16, 16] };
        var (one, two) = (Predict(data, model, seed: 1), Predict(data, model, seed: 2));
        Assert.Equal((PreflightBasis.Draws, 50), (one.Basis, one.Draws));
        Assert.Equal(one.GradientFlowRange, two.GradientFlowRange);
        foreach (var (a, b) in one.Layers.Zip(two.Layers))
        {
            Assert.Equal(a.RmsRange, b.RmsRange);
            Assert.InRange(a.RmsMedian!.Value, a.RmsRange![0], a.RmsRange[1]);
            Assert.InRange(a.GradientRmsMedian!.Value, a.GradientRmsRange![0], a.GradientRmsRange[1]);
        }
        Assert.InRange(one.GradientFlowMedian!.Value, one.GradientFlowRange![0], one.GradientFlowRange[1]);
    }

    [Fact]
    public void Large_nets_and_whoever_asks_for_it_get_theory_alone()
    {
        var data = Rows(100);
        ModelSpec small = new() { HiddenLayers = [8, 8] }, large = new() { HiddenLayers = [2048, 2048, 2048] };
        foreach (var theory in (Preflight[])[Predict(data, large),
            Preflight.Theory(Plan(data, small), data, TestContext.Current.CancellationToken)])
        {
            Assert.Equal((PreflightBasis.Theory, 0, null), (theory.Basis, theory.Draws, theory.BornDeadDraws));
            Assert.All(theory.Layers, layer => Assert.True(
                layer is { RmsMedian: null, GradientRmsRange: null, RmsRange: not null, BornDeadBasis: BornDeadBasis.Bound }));
        }
    }

    [Fact]
    public void Where_theory_is_off_the_layer_says_so()
    {
        ModelSpec deep = new() { HiddenLayers = [.. Enumerable.Repeat(8, 60)], Activation = new() { Name = "leaky_relu" } };
        Assert.Contains(Predict(Rows(256), deep).Layers,
            layer => layer.Note?.Contains("outside the range of the draws", StringComparison.Ordinal) == true);
        Assert.All(Predict(Rows(256), new() { HiddenLayers = [64, 64] }).Layers, layer => Assert.Null(layer.Note));
    }

    /// <summary>Lu et al. (2019): four wide, five deep, one input. The one-input formula gives .23, x = 1 and x = -1 give .07.</summary>
    [Fact]
    public void A_net_is_born_dead_if_its_output_does_not_depend_on_its_input()
    {
        float[] inputs = [1, -1];
        TrainingData data = new(new(1, TargetKind.Number, 0, 2, 0, 0), new(2, inputs, [], inputs), null, null);
        var preflight = Predict(data, new() { HiddenLayers = [4, 4, 4, 4] });
        var dead = preflight.Layers[^1];
        Assert.Equal((BornDeadBasis.Draws, 1000), (dead.BornDeadBasis, preflight.BornDeadDraws));
        var exact = BornDead.Probabilities(4, 5, TestContext.Current.CancellationToken)[5];
        Assert.Equal(exact, dead.BornDeadProbability!.Value, 0.025);
        var bound = Preflight.Theory(Plan(data, new() { HiddenLayers = [4, 4, 4, 4] }), data,
            TestContext.Current.CancellationToken).Layers[^1];
        Assert.Equal((BornDeadBasis.Bound, BornDead.Bound(4, 5)), (bound.BornDeadBasis, Math.Round(bound.BornDeadProbability!.Value, 9)),
            new Close(1e-6));
        Assert.Equal(BornDeadBasis.Bound, Predict(data, new() { HiddenLayers = [64, 64] }).Layers[^1].BornDeadBasis);
    }

    private sealed class Close(double most) : IEqualityComparer<(BornDeadBasis?, double)>
    {
        public bool Equals((BornDeadBasis?, double) x, (BornDeadBasis?, double) y) =>
            x.Item1 == y.Item1 && Math.Abs(x.Item2 - y.Item2) < most;

        public int GetHashCode((BornDeadBasis?, double) obj) => 0;
    }

    /// <summary>Their f' is exactly 0 there, in float32 or by definition; they are not off.</summary>
    [Theory, InlineData("tanh"), InlineData("sigmoid"), InlineData("hard_tanh"), InlineData("hard_sigmoid"), InlineData("silu"),
        InlineData("softsign"), InlineData("elu")]
    public void Saturated_units_are_never_dead(string activation)
    {
        ModelSpec model = new()
        {
            HiddenLayers = [2, 2],
            Activation = new() { Name = activation },
            Initializer = new() { Name = "normal", Std = 0.1 },
            BiasInitializer = new() { Name = "constant", Value = -1000 },
        };
        foreach (var preflight in (Preflight[])[Predict(Rows(50), model),
            Preflight.Theory(Plan(Rows(50), model), Rows(50), TestContext.Current.CancellationToken)])
            Assert.All(preflight.Layers, layer => Assert.Equal(0, layer.BornDeadProbability));
        Assert.Equal(1, Predict(Rows(50), model with { Activation = new() { Name = "relu" } }).Layers[^1].BornDeadProbability);
    }

    [Fact]
    public void Draws_can_be_cancelled()
    {
        var data = Rows(300);
        var draws = new PreflightDraws(Plan(data, new() { HiddenLayers = [64, 64] }), data, [.. Enumerable.Range(0, 300)]);
        var held = FloatBuffer.Held;
        Assert.Throws<OperationCanceledException>(() => draws.Measure(50, 1, new(canceled: true)));
        Assert.Throws<OperationCanceledException>(() => draws.CountDeaths(1, new(canceled: true)));
        Assert.True(FloatBuffer.Held <= held + (1 << 20));
    }

    /// <summary>Shares of new draws, by the initialiser itself and on all rows, within the ranges: mean over the layers, and of the
    /// flow.</summary>
    private static (double Rms, double Flow) Coverage(string activation, string initializer, int depth)
    {
        var data = Rows(256);
        ModelSpec model = new()
        {
            HiddenLayers = [.. Enumerable.Repeat(64, depth)],
            Activation = new() { Name = activation },
            Initializer = new() { Name = initializer },
        };
        var preflight = Predict(data, model);
        Assert.Equal(PreflightBasis.Draws, preflight.Basis);
        int within = 0, flows = 0;
        int[] rows = [.. Enumerable.Range(0, data.Train.Rows)];
        float[] weights = [.. rows.Select(_ => 1f / rows.Length)];
        var squares = new double[depth + 1];
        for (var seed = 1; seed <= Fresh; seed++)
        {
            using var trainer = new Trainer(Plan(data, model, seed), data);
            trainer.Network.Load(data.Train, rows);
            trainer.Network.Forward();
            foreach (var (layer, observed) in preflight.Layers.Zip(trainer.Network.Observed))
                within += Holds(layer.RmsRange, Math.Sqrt(Network.ActivationSquares(observed, weights) / observed.Linear.Units));
            Array.Clear(squares);
            trainer.Network.AddGradientSquares(squares);
            flows += Holds(preflight.GradientFlowRange, Math.Log10(squares[0] / squares[^2]) / 2);
        }
        return ((double)within / Fresh / (depth + 1), (double)flows / Fresh);

        static int Holds(IReadOnlyList<float>? range, double value) =>
            range is [var low, var high] && value >= low && value <= high ? 1 : 0;
    }

    private static Preflight Predict(TrainingData data, ModelSpec model, long seed = 1) => Preflight.Predict(Plan(data, model, seed), data);

    private static RunPlan Plan(TrainingData data, ModelSpec model, long seed = 1) =>
        Runs.Plan(data, model, new() { Epochs = 1, BatchSize = data.Train.Rows, Seed = seed });

    /// <summary>Rows whose norms differ by more than a factor of ten.</summary>
    private static TrainingData Rows(int rows, int features = 32)
    {
        var random = new RandomStream(6, StreamPurpose.Order, 0);
        var x = new float[rows * features];
        var y = new int[rows];
        for (var r = 0; r < rows; r++)
        {
            var scale = Math.Exp(0.5 * random.Normals().Item1);
            y[r] = random.Below(5);
            for (var f = 0; f < features; f++)
                x[r * features + f] = (float)(scale * random.Normals().Item1);
        }
        return new(new(features, TargetKind.Classes, 5, rows, 0, 0), new(rows, x, y, []), null, null);
    }
}
