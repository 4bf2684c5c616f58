using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Models;

namespace TrainingService.Host.Tests.Models;

/// <summary>ONNX Runtime answers raw rows as the service does, to 1e-5, and takes each for the same class.</summary>
public sealed class OnnxTests
{
    private static readonly ModelSpec Small = new() { HiddenLayers = [16, 12] };

    /// <summary>Every one of the catalogue, with its defaults and with other parameters.</summary>
    public static TheoryData<ActivationSpec> Activations =>
    [
        .. ActivationRegistry.All.Select(a => new TheoryDataRow<ActivationSpec>(new() { Name = a.Name })),
        new(new ActivationSpec { Name = "celu", Alpha = 0.7 }),
        new(new ActivationSpec { Name = "elu", Alpha = 1.4 }),
        new(new ActivationSpec { Name = "gelu", Approximate = "tanh" }),
        new(new ActivationSpec { Name = "hard_shrink", Lambda = 0.2 }),
        new(new ActivationSpec { Name = "hard_tanh", Min = -0.3, Max = 2 }),
        new(new ActivationSpec { Name = "leaky_relu", NegativeSlope = -0.4 }),
        new(new ActivationSpec { Name = "prelu", Shared = false }),
        new(new ActivationSpec { Name = "rrelu", Lower = 0.1, Upper = 0.6 }),
        new(new ActivationSpec { Name = "soft_shrink", Lambda = 0.1 }),
        new(new ActivationSpec { Name = "softplus", Beta = 3, Threshold = 1 }),
    ];

    [Theory, MemberData(nameof(Activations))]
    public void Every_activation_agrees(ActivationSpec activation) => Agree("iris", Small with { Activation = activation });

    [Theory]
    [InlineData("batch_norm", 0.0)]
    [InlineData("layer_norm", 0.0)]
    [InlineData("batch_norm", 0.3)]
    [InlineData("none", 0.3)]
    public void Norms_and_dropout_agree(string norm, double dropout) =>
        Agree("wine", Small with { Normalization = norm, Dropout = dropout, Activation = new() { Name = "silu" } });

    [Fact]
    public void Every_kind_of_layer_agrees() => Agree("breast_cancer", new()
    {
        Layers =
        [
            new() { Type = "batch_norm", Epsilon = 1e-3, Momentum = 0.3 },
            new() { Type = "dense", Units = 14, Activation = new() { Name = "selu" } },
            new() { Type = "alpha_dropout", Rate = 0.1 },
            new()
            {
                Type = "residual",
                Layers =
                [
                    new() { Type = "layer_norm", Epsilon = 1e-2 },
                    new() { Type = "dense", Units = 9, Activation = new() { Name = "prelu", Shared = false } },
                    new() { Type = "residual", Layers = [new() { Type = "dense", Units = 9 }, new() { Type = "batch_norm" }] },
                    new() { Type = "dropout", Rate = 0.2 },
                    new() { Type = "dense", Units = 14, Activation = new() { Name = "identity" } },
                ],
            },
            new() { Type = "activation", Activation = new() { Name = "gelu" } },
        ],
    });

    [Theory]
    [InlineData("iris", "cross_entropy", "probabilities")]
    [InlineData("iris", "mse", "scores")]
    [InlineData("iris", "huber", "scores")]
    [InlineData("moons", "binary_cross_entropy", "probabilities")]
    [InlineData("moons", "cross_entropy", "probabilities")]
    [InlineData("friedman1", "mse", "prediction")]
    [InlineData("friedman1", "huber", "prediction")]
    public void Every_loss_has_its_head(string dataset, string loss, string output)
    {
        Agree(dataset, Small, new() { Epochs = 3, Loss = loss });
        var model = Nets.Train(dataset, Small, new() { Epochs = 1, Loss = loss }).Model;
        using var session = new InferenceSession(OnnxModel.Of(model));
        Assert.Contains(output, session.OutputMetadata.Keys);
        var metadata = session.ModelMetadata.CustomMetadataMap;
        var spec = System.Text.Json.JsonDocument.Parse(metadata["spec"]).RootElement;
        Assert.Equal(loss, spec.GetProperty("training").GetProperty("loss").GetString());
        Assert.Equal((dataset, EngineInfo.Version), (metadata["dataset"], metadata["engineVersion"]));
    }

    [Theory]
    [InlineData("friedman1", true)]
    [InlineData("penguins", true)]
    [InlineData("penguins", false)]
    [InlineData("digits", true)]
    [InlineData("digits", false)]
    public void Preprocessing_is_in_the_graph(string dataset, bool standardize) =>
        Agree(dataset, Small, new() { Epochs = 3, StandardizeTarget = dataset == "friedman1" ? false : null }, standardize);

    /// <summary>All that this machine has.</summary>
    public static TheoryData<string> BuiltIn =>
        [.. Kept.Datasets.All.Where(dataset => dataset.FindObstacle() is null).Select(dataset => dataset.Name)];

    /// <summary>The very classes of all test rows, by ONNX Runtime and by what answers requests.</summary>
    [Theory, MemberData(nameof(BuiltIn))]
    public void Its_test_accuracy_is_the_jobs(string name)
    {
        var dataset = Kept.Datasets.Find(name) ?? throw new ArgumentException(name);
        var (model, result) = Nets.Train(name, Small, new() { Epochs = dataset.Rows > 10_000 ? 1 : 5 });
        var (others, otherLabels) = Nets.AskOnnx(model, Nets.TestRows(name));
        Nets.MustBeAsTested(result, dataset, others, otherLabels);
        var (values, labels) = ((List<double>)[], (List<string>)[]);
        foreach (var some in Kept.TestRows(name).Rows.Chunk(1000))
        {
            var errors = new List<SpecError>();
            var read = new InputRows(model.Card, errors).Read(JsonSerializer.SerializeToElement(some));
            Assert.Empty(errors);
            var answered = Nets.Ask(model, read);
            values.AddRange(answered.Values);
            labels.AddRange(answered.Labels);
        }
        Nets.MustBeAsTested(result, dataset, [.. values], [.. labels]);
        Assert.Equal(otherLabels, labels);
    }

    /// <summary>What a person does with it in ML.NET: columns by name, one row at a time or many.</summary>
    [Fact]
    public void MLNET_loads_it()
    {
        var model = Nets.Train("iris", Small, new() { Epochs = 10 }).Model;
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.onnx");
        File.WriteAllBytes(path, OnnxModel.Of(model));
        try
        {
            var ml = new MLContext();
            var rows = Nets.TestRows("iris");
            var names = Kept.Columns("iris");
            var schema = SchemaDefinition.Create(typeof(Flower));
            foreach (var (i, field) in ((string[])[nameof(Flower.A), nameof(Flower.B), nameof(Flower.C), nameof(Flower.D)]).Index())
                schema[field].ColumnName = names[i];
            var data = ml.Data.LoadFromEnumerable(rows.Select(r => new Flower
            {
                A = [(float)r[0]],
                B = [(float)r[1]],
                C = [(float)r[2]],
                D = [(float)r[3]],
            }), schema);
            var answered = ml.Transforms.ApplyOnnxModel(["probabilities"], [.. names], path).Fit(data).Transform(data);
            var probabilities = answered.GetColumn<float[]>("probabilities").SelectMany(p => p).ToArray();
            Assert.All(Nets.Ask(model, rows).Values.Zip(probabilities), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_takes_memory_once()
    {
        var model = Nets.Train("digits", new() { HiddenLayers = [1500, 1500] }, new() { Epochs = 1 }).Model;
        _ = OnnxModel.Of(model);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = OnnxModel.Of(model);
        Assert.InRange(file.Length, model.Weights.Length, model.Weights.Length * 1.05);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, file.Length, file.Length * 1.1);
    }

    private static void Agree(string dataset, ModelSpec spec, TrainingSpec? training = null, bool standardize = true)
    {
        var (model, _) = Nets.Train(dataset, spec, training, standardize: standardize);
        var rows = Nets.TestRows(dataset).ToList();
        // values that are missing where no training row misses one, too
        rows.AddRange(Enumerable.Range(0, rows[0].Length)
            .Select(c => rows[c % rows.Count].Select((cell, i) => i == c ? double.NaN : cell).ToArray()));
        var (values, labels) = Nets.Ask(model, rows);
        var (others, otherLabels) = Nets.AskOnnx(model, rows);
        Assert.Equal(values.Length, others.Length);
        // relative where a number is above 1, as a target in its own unit may be
        var worst = values.Zip(others, (a, b) => Math.Abs(a - b) / Math.Max(1, Math.Abs(a))).Max();
        Assert.True(worst < 1e-5, $"{worst}");
        Assert.Equal(labels, otherLabels);
    }

    private sealed class Flower
    {
        [VectorType(1)]
        public float[] A { get; init; } = [];

        [VectorType(1)]
        public float[] B { get; init; } = [];

        [VectorType(1)]
        public float[] C { get; init; } = [];

        [VectorType(1)]
        public float[] D { get; init; } = [];
    }
}
