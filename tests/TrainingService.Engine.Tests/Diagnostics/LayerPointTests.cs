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
        ["relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", "softplus", "identity"],
        ["cross_entropy", "binary_cross_entropy", "mse"]);

    [Theory, MemberData(nameof(Cases))]
    public void Every_metric_is_the_naive_one(string activation, string loss)
    {
        // 70 rows: more than two blocks, and a part of one
        var data = Runs.Blobs(train: 70, classes: 2);
        // weights large enough to saturate tanh and sigmoid, biases low enough that some units are dead
        ModelSpec model = new()
        {
            HiddenLayers = [33, 7],
            Activation = new() { Name = activation },
            Initializer = new() { Name = "normal", Std = 0.3 },
            BiasInitializer = new() { Name = "normal", Mean = -1 },
        };
        TrainingSpec training = new() { Epochs = 1, BatchSize = 32, Loss = loss, Optimizer = new() { Name = "sgd", LearningRate = 0.01 } };
        var before = new List<Dictionary<string, double[]>>();
        bool[][]? bornDead = null;
        Runs.Train(Runs.Plan(data, model, training, new() { EverySteps = 1 }), data, onLayers: (trainer, points) =>
        {
            var (layers, parameters) = Exported.Of(trainer);
            before.Add(parameters);
            var (naive, dead) = Naive(layers, parameters, new(loss), data);
            bornDead ??= dead;
            for (var i = 0; i < naive.Length; i++)
            {
                var born = (float)dead[i].Zip(bornDead[i]).Count(d => d.First && d.Second) / dead[i].Length;
                AssertPoint(naive[i] with { BornDeadFraction = born, DiedFraction = naive[i].DeadFraction - born }, points[i], layers[2 * i].Name!, before);
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

        static LayerPoint Still(LayerPoint p) => p with { Step = 0, Epoch = 0, UpdateRatio = null };
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
        Runs.Train(Runs.Plan(data, model, new() { Epochs = 1, BatchSize = 40 }, new() { EverySteps = 1 }), data, onLayers: (trainer, points) =>
        {
            var (layers, parameters) = Exported.Of(trainer);
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
        var run = Runs.Train(Runs.Blobs(), new() { HiddenLayers = [8], Activation = new() { Name = "prelu", Init = 0.125 } });
        Assert.All(run.Points, p => Assert.True(p[^1] is { Saturation: 0, Slope: null, Sparsity: 0 }));
        Assert.Equal(0.125f, run.Points[0][0].Slope);
        Assert.NotEqual(0.125f, run.Points[^1][0].Slope);
    }

    private static void AssertPoint(LayerPoint naive, LayerPoint actual, string name, List<Dictionary<string, double[]>> weights)
    {
        const double tolerance = 2e-5;
        foreach (var property in typeof(LayerPoint).GetProperties().Where(p => p.PropertyType == typeof(float)))
            Close.Assert((float)property.GetValue(naive)!, (float)property.GetValue(actual)!, tolerance, $"{property.Name} of {name} at step {actual.Step}");
        Assert.Equal(naive.Slope ?? double.NaN, actual.Slope ?? double.NaN, 1e-6);
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

    private static (LayerPoint[] Points, bool[][] Dead) Naive(IReadOnlyList<GoldenLayer> layers, Dictionary<string, double[]> parameters, GoldenLoss loss,
        TrainingData data)
    {
        var (inputs, targets) = Exported.Rows(data.Train, data.Shape);
        if (loss.Name == "mse")
            targets = [.. targets.Select(t => t[0] == 0 ? new double[] { 1, 0 } : [0, 1])];
        var network = ReferenceNetwork.Of(layers, parameters, loss);
        var outputs = network.Forward(inputs, training: false);
        var gradient = ReferenceLoss.Of(loss, outputs, targets).Gradient.Select(row => row.Select(g => g * inputs.Length).ToArray()).ToArray();
        var points = new LayerPoint[layers.Count / 2];
        var dead = new bool[points.Length][];
        for (var i = points.Length - 1; i >= 0; i--)
        {
            var (dense, activation) = (network.Layers[2 * i], network.Layers[2 * i + 1]);
            gradient = activation.Backward(gradient);
            dead[i] = [.. Enumerable.Range(0, layers[2 * i].Out).Select(u => activation.PreActivations.All(z => z[u] <= 0))];
            var name = layers[2 * i].Name;
            points[i] = Point(i, layers[2 * i + 1].Function!, activation, gradient, parameters[$"{name}.weight"], parameters[$"{name}.slope"]) with
            {
                DeadFraction = (float)dead[i].Count(d => d) / dead[i].Length,
            };
            gradient = dense.Backward(gradient);
        }
        return (points, dead);
    }

    private static LayerPoint Point(int index, GoldenFunction function, ReferenceLayer activation, double[][] gradient, double[] weight, double[] slope)
    {
        // a learned slope is the leaky rectifier's
        var f = ReferenceActivation.Of(slope.Length == 0 ? function : new() { Name = "leaky_relu", NegativeSlope = slope[0] });
        var steepest = Enumerable.Range(-3000, 6001).Max(i => Math.Abs(f.Derivative(i / 100.0)));
        double[] z = [.. activation.PreActivations.SelectMany(r => r)], h = [.. z.Select(f.Value)];
        return new(0, 0, index,
            Sparsity: Share(h, v => v == 0),
            OffRate: Share(z, v => v <= 0),
            DeadFraction: 0,
            BornDeadFraction: 0,
            DiedFraction: 0,
            Saturation: Share(z, v => Math.Abs(f.Derivative(v)) < 0.05 * steepest),
            MeanActivation: (float)h.Average(),
            RmsActivation: Rms(h),
            MeanAbsActivation: (float)h.Average(Math.Abs),
            GradientRms: Rms(gradient.SelectMany(r => r)),
            WeightRms: Rms(weight),
            UpdateRatio: null,
            Slope: slope.Length == 0 ? null : (float)slope.Average());
    }

    private static float Share(double[] values, Func<double, bool> rule) => (float)values.Count(rule) / values.Length;

    private static float Rms(IEnumerable<double> values) => (float)Math.Sqrt(values.Average(v => v * v));
}
