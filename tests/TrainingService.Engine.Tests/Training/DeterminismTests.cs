using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

public class DeterminismTests
{
    private static readonly ModelSpec Model = new() { HiddenLayers = [19, 33], Activation = new() { Name = "gelu" }, Dropout = 0.2 };

    [Fact]
    public void Equal_plans_give_equal_weights_metrics_and_points()
    {
        var data = Runs.Blobs();
        FinishedRun first = Train(data, seed: 1), second = Train(data, seed: 1);
        Assert.Equal(first.Result.WeightsSha256, second.Result.WeightsSha256);
        Assert.Equal(first.Metrics, second.Metrics);
        Assert.Equal(first.Points.SelectMany(p => p), second.Points.SelectMany(p => p));
        Assert.Equal(Runs.Untimed(first.Result), Runs.Untimed(second.Result));
    }

    [Fact]
    public async Task Runs_side_by_side_do_not_disturb_each_other()
    {
        var data = Runs.Blobs();
        var alone = Train(data, seed: 1).Result.WeightsSha256;
        var hashes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => Train(data, seed: i % 2).Result.WeightsSha256)));
        Assert.Equal(alone, hashes[1]);
        Assert.Equal(alone, hashes[3]);
        Assert.Equal(hashes[0], hashes[2]);
    }

    [Fact]
    public void Other_seeds_give_other_runs()
    {
        var data = Runs.Blobs();
        string[] hashes = [.. new long[] { 0, 1, 2, -1, long.MaxValue }.Select(seed => Train(data, seed).Result.WeightsSha256)];
        Assert.Equal(hashes, hashes.Distinct());
    }

    [Fact]
    public void The_seed_orders_the_rows_too()
    {
        var data = Runs.Blobs();
        ModelSpec constant = new() { HiddenLayers = [4], Initializer = new() { Name = "constant", Value = 0.1 } };
        string Hash(long seed) => Runs.Train(data, constant, new() { Epochs = 1, BatchSize = 16, Seed = seed }).Result.WeightsSha256;
        Assert.Equal(Hash(1), Hash(1));
        Assert.NotEqual(Hash(1), Hash(2));
    }

    [Theory, InlineData(1, 200), InlineData(7, 5), InlineData(100_000, 64)]
    public void Looking_does_not_change_what_is_seen(int everySteps, int evaluationRows)
    {
        var data = Runs.Blobs();
        var looked = Runs.Train(data, Model, Training(seed: 1), new() { EverySteps = everySteps, EvaluationRows = evaluationRows });
        Assert.Equal(Train(data, seed: 1).Result.WeightsSha256, looked.Result.WeightsSha256);
    }

    [Fact]
    public void Held_out_rows_do_not_change_the_weights()
    {
        var data = Runs.Blobs();
        var without = data with { Validation = null, Test = null, Shape = data.Shape with { ValidationRows = 0, TestRows = 0 } };
        Assert.Equal(Train(data, seed: 1).Result.WeightsSha256, Train(without, seed: 1).Result.WeightsSha256);
    }

    /// <summary>Wide enough that the panels are really shared, and with every kind of layer.</summary>
    [Theory, InlineData("sgd", 1.0), InlineData("adam", null)]
    public void Threads_change_nothing(string optimizer, double? clipNorm)
    {
        var data = Runs.Blobs(train: 300, features: 70);
        TrainingSpec training =
            new() { Epochs = 2, BatchSize = 100, Optimizer = new() { Name = optimizer }, ClipNorm = clipNorm, ActivityL1 = 1e-4 };
        var plan = Runs.Plan(data, Everything, training, new() { EverySteps = 2 });
        var alone = Runs.Train(plan, data);
        foreach (var threads in new[] { 2, 3 })
        {
            var shared = Runs.Train(plan, data, threads: threads);
            Assert.Equal(alone.Result.WeightsSha256, shared.Result.WeightsSha256);
            Assert.Equal(alone.Metrics, shared.Metrics);
            Assert.Equal(alone.Points.SelectMany(p => p), shared.Points.SelectMany(p => p));
        }
    }

    /// <summary>The name of the variable that <see cref="Kernels.InstructionSetTests"/> hands to its children.</summary>
    internal const string Expected = "TRAININGSERVICE_TESTS_HASHES";

    /// <summary>Runs with every kind of layer and activation: what must not depend on process or instruction set.</summary>
    internal static string Hashes() => string.Join(' ', Engine.Activations.ActivationRegistry.All.Select(a => a.Name).Select(name =>
    {
        var data = Runs.Blobs(train: 100);
        TrainingSpec training =
            new() { Epochs = 1, BatchSize = 33, Optimizer = new() { Name = "adamw" }, ActivityL1 = 1e-4, LabelSmoothing = 0.1 };
        return Runs.Train(data, Everything with { Activation = new() { Name = name } }, training).Result.WeightsSha256;
    }));

    [Fact, Trait("Category", "Kernel")]
    public void This_process_has_the_hashes_of_the_one_that_started_it()
    {
        if (Environment.GetEnvironmentVariable(Expected) is { Length: > 0 } expected)
            Assert.Equal(expected, Hashes());
    }

    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 65 };

    private static readonly ModelSpec Everything = new()
    {
        Layers =
        [
            Dense, new() { Type = "dropout", Rate = 0.1 }, new() { Type = "batch_norm" },
            new()
            {
                Type = "residual",
                Layers = [Dense, new() { Type = "layer_norm" }, new() { Type = "alpha_dropout", Rate = 0.1 }, Dense],
            },
            Dense with { Units = 40, Activation = new() { Name = "prelu" } },
            Dense with { Units = 33, Activation = new() { Name = "rrelu" } },
        ],
        Activation = new() { Name = "tanh" },
        Initializer = new() { Name = "auto" },
    };

    private static FinishedRun Train(TrainingData data, long seed) => Runs.Train(data, Model, Training(seed));

    private static TrainingSpec Training(long seed) => new() { Epochs = 3, BatchSize = 16, Seed = seed };
}
