using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

/// <summary>Layer points against a naive computation in double precision from the weights at that moment, on the same rows.</summary>
public class LayerPointTests
{
    public static MatrixTheoryData<string, string> Cases => new(
        ["relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "gelu", "hard_tanh",
            "hard_shrink", "sigmoid", "tanh", "softplus", "softsign", "identity"],
        ["short", "batch_norm", "residual"]);

    [Theory, MemberData(nameof(Cases))]
    public void Every_metric_is_the_naive_one(string activation, string structure)
    {
        foreach (var loss in new[] { "cross_entropy", "binary_cross_entropy", "mse", "huber" })
            Check(activation, structure, loss);
    }

    private static void Check(string activation, string structure, string loss)
    {
        // 70 rows: more than two blocks, and a part of one
        var data = Runs.Blobs(train: 70, classes: 2);
        LayerSpec linear = new() { Type = "dense", Units = 9, Activation = new() { Name = "identity" } },
            bent = new() { Type = "activation" };
        // weights large enough to saturate tanh and sigmoid, biases low enough that some units are dead
        ModelSpec model = new()
        {
            HiddenLayers = structure == "residual" ? null : [33, 7],
            Normalization = structure == "batch_norm" ? structure : null,
            Layers = structure == "residual" ? [linear with { Activation = null },
                new() { Type = "residual", Layers = [linear, new() { Type = "layer_norm" }, bent, linear] }, bent] : null,
            Activation = new() { Name = activation },
            Initializer = new() { Name = "normal", Std = 0.3 },
            BiasInitializer = new() { Name = "normal", Mean = -1 },
        };
        TrainingSpec training =
            new() { Epochs = 1, BatchSize = 32, Loss = loss, Optimizer = new() { Name = "sgd", LearningRate = 0.01 }, ActivityL1 = 0.01 };
        var before = new List<Dictionary<string, double[]>>();
        bool[][]? bornOff = null, everOff = null;
        var plan = Runs.Plan(data, model, training,
            new() { EverySteps = 1, Rules = new() { SaturatedActivations = new() { Rows = 0.6 } } });
        Runs.Train(plan, data, onLayers: (trainer, points) =>
        {
            var (layers, parameters) = Exported.Of(plan, trainer);
            before.Add(parameters);
            var (naive, off) = Naive(layers, parameters, new(loss), data);
            bornOff ??= off;
            everOff = [.. off.Select((units, i) => units.Select((d, u) => d || everOff?[i][u] == true).ToArray())];
            for (var i = 0; i < naive.Length; i++)
            {
                var born = naive[i].DeadFraction == 0 ? 0 : Share(off[i].Zip(bornOff[i]), d => d.First && d.Second);
                var revived = Share(off[i].Zip(everOff[i]), d => !d.First && d.Second);
                AssertPoint(naive[i] with
                {
                    BornDeadFraction = born,
                    DiedFraction = naive[i].DeadFraction - born,
                    RevivedFraction = revived,
                }, points[i],
                    trainer.Layers[i].Name, before);
            }
        });
        Assert.Equal(4, before.Count);
    }

    [Fact]
    public void The_measured_rows_are_the_same_at_every_evaluation_and_as_many_as_asked()
    {
        var data = Runs.Blobs(train: 300);
        // a frozen net: whatever differs between two points comes from the rows
        TrainingSpec frozen = new() { Epochs = 2, BatchSize = 50, Optimizer = new() { Name = "sgd", LearningRate = 1e-30 } };
        var run = Runs.Train(data, training: frozen, diagnostics: new() { EverySteps = 1, EvaluationRows = 40 });
        Assert.All(run.Points, p => Assert.Equal(run.Points[0].Select(Still), p.Select(Still)));
        Assert.All(run.Points[0].Select(p => p.OffRate * 40 * run.Layers[p.Layer].Units), off => Assert.Equal(Math.Round(off), off, 1e-3));

        static LayerPoint Still(LayerPoint p) => p with { Step = 0, Epoch = 0, UpdateRatio = null, Histogram = null };
    }

    /// <summary>A deep sigmoid net's first layers see gradients whose squares have no float32: they must not read as 0.</summary>
    [Fact]
    public void Vanishing_gradients_are_measured_and_not_lost()
    {
        var data = Runs.Blobs(train: 40);
        ModelSpec model = new()
        {
            HiddenLayers = [.. Enumerable.Repeat(4, 25)],
            Activation = new() { Name = "sigmoid" },
            Initializer = new() { Name = "normal", Std = 0.3 },
        };
        var plan = Runs.Plan(data, model, new() { Epochs = 1, BatchSize = 40 }, new() { EverySteps = 1 });
        Runs.Train(plan, data, onLayers: (trainer, points) =>
        {
            var (layers, parameters) = Exported.Of(plan, trainer);
            var naive = Naive(layers, parameters, new("cross_entropy"), data).Points;
            Assert.True(naive[0].GradientRms is > 1e-30f and < 1e-20f, $"{naive[0].GradientRms}");
            Assert.All(points, p => Assert.Equal(1, p.GradientRms / naive[p.Layer].GradientRms, 1e-3));
        });
    }

    [Fact]
    public void Dropout_is_off_while_measuring()
    {
        var data = Runs.Blobs();
        ModelSpec model = new() { HiddenLayers = [20, 10], Activation = new() { Name = "tanh" } };
        LayerPoint First(double dropout) => Runs.Train(data, model with { Dropout = dropout }).Points[0][1];
        Assert.Equal(First(0), First(0.5));
    }

    [Fact]
    public void A_linear_output_is_never_saturated_and_has_no_slope()
    {
        var run = Runs.Train(Runs.Blobs(), new() { HiddenLayers = [8], Activation = new() { Name = "prelu" } });
        Assert.All(run.Points, p => Assert.True(p[^1] is { Saturation: 0, Slope: null, Sparsity: 0 }));
        Assert.Equal(0.25f, run.Points[0][0].Slope);
        Assert.NotEqual(0.25f, run.Points[^1][0].Slope);
    }

    private static void AssertPoint(LayerPoint naive, LayerPoint actual, string name, List<Dictionary<string, double[]>> weights)
    {
        const double tolerance = 2e-5;
        foreach (var property in typeof(LayerPoint).GetProperties()
            .Where(p => p.PropertyType == typeof(float) || p.PropertyType == typeof(float?)))
            if (property.Name != nameof(LayerPoint.UpdateRatio))
                Close.Assert((float?)property.GetValue(naive) ?? float.NaN, (float?)property.GetValue(actual) ?? float.NaN, tolerance,
                    $"{property.Name} of {name} at step {actual.Step}");
        // gradients and weights are small: compare them relatively too
        Assert.Equal(1, actual.GradientRms / naive.GradientRms, 1e-4);
        Assert.Equal(1, actual.WeightRms / naive.WeightRms, 1e-5);
        if (weights.Count == 1)
        {
            Assert.Null(actual.UpdateRatio);
            return;
        }
        double[] now = weights[^1][$"{name}.weight"], then = weights[^2][$"{name}.weight"];
        var ratio = Math.Sqrt(now.Zip(then).Sum(p => Math.Pow(p.First - p.Second, 2))) / Math.Sqrt(then.Sum(w => w * w));
        Assert.Equal(1, actual.UpdateRatio!.Value / ratio, 1e-4);
    }

    /// <summary>A dense layer with the activation behind it, if only after a norm.</summary>
    private static List<(GoldenLayer Dense, GoldenLayer? Activation)> Observed(IReadOnlyList<GoldenLayer> layers)
    {
        var result = new List<(GoldenLayer, GoldenLayer?)>();
        for (var i = 0; i < layers.Count; i++)
            if (layers[i].Type == "residual")
                result.AddRange(Observed(layers[i].Layers!));
            else if (layers[i].Type == "dense")
            {
                var next = layers.Skip(i + 1).SkipWhile(l => l.Type is "batch_norm" or "layer_norm").FirstOrDefault();
                result.Add((layers[i], next?.Type == "activation" ? next : null));
            }
        return result;
    }

    private static (LayerPoint[] Points, bool[][] Off) Naive(IReadOnlyList<GoldenLayer> layers,
        Dictionary<string, double[]> parameters, GoldenLoss loss, TrainingData data)
    {
        var (inputs, targets) = Exported.Rows(data.Train, data.Shape);
        if (loss.Name is "mse" or "huber")
            targets = [.. targets.Select(t => t[0] == 0 ? new double[] { 1, 0 } : [0, 1])];
        var network = ReferenceNetwork.Of(layers, parameters, loss,
            noise: (_, _, _) => throw new InvalidOperationException("measured with noise"));
        network.Gradients(inputs, targets, training: false);
        var flat = ReferenceNetwork.Flat(network.Layers).ToArray();
        var byName = Flat(layers).Zip(flat).ToDictionary(p => p.First.Name!, p => p.Second);
        var offs = new List<bool[]>();
        var points = Observed(layers).Select((o, i) =>
        {
            var dense = (ReferenceDense)byName[o.Dense.Name!];
            var activation = o.Activation is null ? null : (ReferenceElementwise)byName[o.Activation.Name!];
            var (z, h) = activation is null ? (dense.Z, dense.Z) : (activation.Z, activation.H);
            var function = o.Activation?.Function!.Name ?? "none";
            var slopes = function == "prelu" ? parameters[$"{o.Activation!.Name}.slope"] : [];
            var gradient = (activation?.Gradient ?? dense.Gradient).SelectMany(r => r).Select(g => g * inputs.Length);
            bool[] off = [.. Enumerable.Range(0, o.Dense.Out).Select(u => z.All(row => row[u] <= 0))];
            // the output layer has no units that could be off
            offs.Add([.. off.Select(u => u && activation is not null)]);
            return Point(i, o.Activation?.Function ?? new() { Name = "identity" },
                z, h, gradient, parameters[$"{o.Dense.Name}.weight"], slopes) with
            {
                DeadFraction = Mortal(function) ? Share(off, d => d) : 0,
                NegativeLockedFraction = function == "none" || Mortal(function) ? null : Share(off, d => d),
            };
        }).ToArray();
        return (points, [.. offs]);

        static IEnumerable<GoldenLayer> Flat(IEnumerable<GoldenLayer> layers) =>
            layers.SelectMany(l => l.Type == "residual" ? Flat(l.Layers!) : [l]);
    }

    private static bool Mortal(string function) => function is "relu" or "relu6";

    private static LayerPoint Point(int index, GoldenFunction function, double[][] inputs,
        double[][] outputs, IEnumerable<double> gradient, double[] weight, double[] slope)
    {
        // a learned slope is the leaky rectifier's
        var f = ReferenceActivation.Of(slope.Length == 0 ? function : new() { Name = "leaky_relu", NegativeSlope = slope[0] });
        var steepest = Enumerable.Range(-3000, 6001).Max(i => Math.Abs(f.Derivative(i / 100.0)));
        double[] z = [.. inputs.SelectMany(r => r)], h = [.. outputs.SelectMany(r => r)];
        bool Saturated(double v) => Math.Abs(f.Derivative(v)) < 0.05 * steepest;
        double? bound = function.Name switch { "tanh" or "hard_tanh" or "softsign" or "sigmoid" => 1, "relu6" => 6, _ => null };
        var units = Enumerable.Range(0, inputs[0].Length)
            .Select(u => (Z: inputs.Select(r => r[u]).ToArray(), Mean: outputs.Average(r => Math.Abs(r[u])))).ToArray();
        var mean = units.Average(u => u.Mean);
        return new()
        {
            Step = 0,
            Epoch = 0,
            Layer = index,
            Sparsity = Share(h, v => v == 0),
            OffRate = Share(z, v => v <= 0),
            NearDeadFraction = Mortal(function.Name)
                ? Share(units, u => u.Z.Count(v => v > 0) is var on && on > 0 && on < 0.01 * u.Z.Length)
                : 0,
            DormantFraction = Share(units, u => u.Mean <= 0.025 * mean),
            DormantFractionAt0 = Share(units, u => u.Mean == 0),
            DormantFractionAt10 = Share(units, u => u.Mean <= 0.1 * mean),
            Saturation = Share(z, Saturated),
            SaturationAbove95 = bound is null ? null : Share(h, v => Math.Abs(v) > 0.95 * bound),
            SaturationAbove99 = bound is null ? null : Share(h, v => Math.Abs(v) > 0.99 * bound),
            SaturatedUnitFraction = bound is null ? null
                : Share(units, u => u.Z.Count(v => Saturated(v) && !(Mortal(function.Name) && v <= 0)) > 0.6 * u.Z.Length),
            MeanActivation = (float)h.Average(),
            RmsActivation = Rms(h),
            MeanAbsActivation = (float)h.Average(Math.Abs),
            GradientRms = Rms(gradient),
            WeightRms = Rms(weight),
            Slope = slope.Length == 0 ? null : (float)slope.Average(),
            SlopeMin = slope.Length == 0 ? null : (float)slope.Min(),
            SlopeMax = slope.Length == 0 ? null : (float)slope.Max(),
        };
    }

    private static float Share<T>(IEnumerable<T> values, Func<T, bool> rule) => (float)values.Average(v => rule(v) ? 1.0 : 0);

    private static float Rms(IEnumerable<double> values) => (float)Math.Sqrt(values.Average(v => v * v));
}
