using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

public class DivergenceTests
{
    [Theory, InlineData("relu", "sgd"), InlineData("elu", "sgd"), InlineData("identity", "sgd"), InlineData("gelu", "sgd")]
    public void A_huge_learning_rate_ends_the_run_with_step_and_layer(string activation, string optimizer)
    {
        var run = Train(Runs.Numbers(), activation, optimizer, 1e6, epochs: 20);
        var divergence = run.Result.Divergence;
        Assert.NotNull(divergence);
        Assert.InRange(divergence.Step, 1, 200);
        Assert.Contains(divergence.Layer, run.Layers.Select(l => l.Name).Append(null));
        Assert.NotEmpty(divergence.Message);
        Assert.Equal(divergence.Step, run.Points[^1][0].Step);
        Assert.Equal(divergence.Step, run.Metrics.Where(m => m.Split == Split.Train).Max(m => m.Step));
    }

    [Theory, InlineData(1e6), InlineData(3e38)]
    public void Adam_with_a_huge_learning_rate_ends_with_an_outcome(double rate)
    {
        var run = Train(Runs.Blobs(), "relu", "adam", rate, epochs: 5);
        Assert.True(run.Result.Divergence is not null || float.IsFinite(run.Result.TrainLoss),
            "a run without divergence has a finite loss");
    }

    [Fact]
    public void An_overflow_in_the_very_last_step_is_a_divergence()
    {
        var data = Runs.Numbers(train: 16);
        var run = Runs.Train(data, new() { HiddenLayers = [8] },
            new() { Epochs = 1, BatchSize = 16, Optimizer = new() { Name = "sgd", LearningRate = 3e38, Momentum = 0, WeightDecay = 0 } });
        Assert.False(float.IsFinite(run.Result.TrainLoss));
        Assert.Equal(1, run.Result.Divergence?.Step);
    }

    public static MatrixTheoryData<float, string> NotFinite =>
        new([float.NaN, float.PositiveInfinity, float.NegativeInfinity], Structures.Keys);

    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 9 }, Residual = new() { Type = "residual", Layers = [Dense] };

    /// <summary>Each begins with hidden1; hidden2 is somewhere behind it.</summary>
    private static readonly Dictionary<string, LayerSpec[]> Structures = new()
    {
        ["plain"] = [Dense, Dense],
        ["bounded"] = [Dense with { Activation = new() { Name = "hard_tanh" } }, Dense with { Activation = new() { Name = "sigmoid" } }],
        ["prelu"] = [Dense with { Activation = new() { Name = "prelu" } }, Dense],
        ["batch_norm"] = [Dense with { Activation = new() { Name = "identity" } },
            new() { Type = "batch_norm" }, new() { Type = "activation" }, Dense],
        ["layer_norm"] = [Dense with { Activation = new() { Name = "identity" } },
            new() { Type = "layer_norm" }, new() { Type = "activation" }, Dense],
        ["norm in front"] = [new() { Type = "batch_norm" }, Dense, Dense],
        ["dropout"] = [Dense, new() { Type = "dropout", Rate = 0.5 }, Dense],
        ["alpha_dropout"] = [Dense, new() { Type = "alpha_dropout", Rate = 0.5 }, Dense],
        ["residual"] = [Dense, new() { Type = "residual", Layers = [Residual, Dense] }, Dense],
    };

    [Theory, MemberData(nameof(NotFinite))]
    public void A_number_that_is_not_finite_in_the_data_names_its_step_and_the_first_layer(float value, string structure)
    {
        var data = Runs.Blobs();
        data.Train.Features.All()[37 * 6 + 2] = value;
        foreach (var clipNorm in new double?[] { null, 1 })
        {
            var divergence = Train(data, structure, 0.01, clipNorm).Result.Divergence;
            Assert.NotNull(divergence);
            Assert.Equal("hidden1", divergence.Layer);
            var order = Enumerable.Range(0, 200).ToArray();
            new RandomStream(1, StreamPurpose.Order, 0).Shuffle(order);
            Assert.Equal(Array.IndexOf(order, 37) / 16 + 1, divergence.Step);
            Assert.Contains("hidden1", divergence.Message);
        }
    }

    [Theory, MemberData(nameof(NotFinite))]
    public void A_weight_that_is_not_finite_names_its_layer(float value, string structure)
    {
        var data = Runs.Blobs();
        foreach (var layer in new[] { 1, 0 })
        {
            var run = Train(data, structure, 0.01, null,
                trainer => trainer.Network.Observed[layer].Linear.Weight.Set([.. Enumerable.Repeat(value, 9 * (layer == 0 ? 6 : 9))]));
            Assert.Equal((1L, $"hidden{layer + 1}"), (run.Result.Divergence!.Step, run.Result.Divergence.Layer));
            Assert.Equal(1, run.Points[^1][0].Step);
        }
    }

    [Theory, InlineData("batch_norm"), InlineData("layer_norm"), InlineData("prelu")]
    public void Norms_and_slopes_belong_to_the_layer_in_front_of_them(string structure)
    {
        var run = Train(Runs.Blobs(), structure, 0.01, null,
            trainer => trainer.Network.Layers[1].Parameters[0].Set([.. Enumerable.Repeat(float.NaN, structure == "prelu" ? 1 : 9)]));
        Assert.Equal((1L, "hidden1"), (run.Result.Divergence!.Step, run.Result.Divergence.Layer));
    }

    [Fact]
    public void A_huge_rate_ends_as_an_outcome_with_every_kind_of_layer()
    {
        foreach (var structure in Structures.Keys)
            foreach (var optimizer in new[] { "sgd", "adam", "adamw", "rmsprop" })
                foreach (var rate in new[] { 1e6, 3e38 })
                {
                    ModelSpec model = new() { Layers = Structures[structure] };
                    var run = Runs.Train(Runs.Numbers(), model,
                        new() { Epochs = 5, BatchSize = 16, Optimizer = new() { Name = optimizer, LearningRate = rate } });
                    if (run.Result.Divergence is not { } divergence)
                        Assert.True(float.IsFinite(run.Result.TrainLoss),
                            $"{structure}, {optimizer}: a run without divergence has a finite loss");
                    else
                        Assert.True(divergence.Message.Length > 0
                            && (divergence.Layer is null || run.Layers.Any(l => l.Name == divergence.Layer)));
                }
    }

    [Theory, InlineData("mse", float.NaN), InlineData("huber", float.NaN), InlineData("mse", float.PositiveInfinity),
        InlineData("huber", float.NegativeInfinity)]
    public void A_target_that_is_not_finite_is_a_divergence_at_its_step(string loss, float value)
    {
        var data = Runs.Numbers();
        data.Train.Values[5] = value;
        var run = Runs.Train(data, new() { HiddenLayers = [12] }, new() { Epochs = 1, BatchSize = 16, Loss = loss });
        var order = Enumerable.Range(0, 200).ToArray();
        new RandomStream(1, StreamPurpose.Order, 0).Shuffle(order);
        Assert.Equal(Array.IndexOf(order, 5) / 16 + 1, run.Result.Divergence?.Step);
    }

    [Fact]
    public void NaN_in_validation_rows_is_a_NaN_metric_and_no_divergence()
    {
        var data = Runs.Blobs();
        data.Validation!.Features.All()[0] = float.NaN;
        var run = Train(data, "relu", "sgd", 0.01, epochs: 2);
        Assert.Null(run.Result.Divergence);
        Assert.All(run.Metrics.Where(m => m.Split == Split.Validation), m => Assert.True(float.IsNaN(m.Loss)));
        Assert.True(float.IsFinite(run.Result.TrainLoss));
    }

    [Fact]
    public void A_healthy_run_has_none() => Assert.Null(Train(Runs.Blobs(), "relu", "sgd", 0.05, epochs: 3).Result.Divergence);

    private static FinishedRun Train(TrainingData data, string activation, string optimizer, double rate, int epochs) => Runs.Train(data,
        new() { HiddenLayers = [12, 9], Activation = new() { Name = activation } },
        new() { Epochs = epochs, BatchSize = 16, Optimizer = new() { Name = optimizer, LearningRate = rate } });

    private static FinishedRun Train(TrainingData data, string structure, double rate, double? clipNorm, Action<Trainer>? prepare = null) =>
        Runs.Train(
            Runs.Plan(data, new() { Layers = Structures[structure] },
                new() { Epochs = 1, BatchSize = 16, Optimizer = new() { Name = "sgd", LearningRate = rate }, ClipNorm = clipNorm }),
            data, prepare);
}
