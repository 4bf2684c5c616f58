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
        Assert.True(run.Result.Divergence is not null || float.IsFinite(run.Result.TrainLoss), "a run without divergence has a finite loss");
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

    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void A_number_that_is_not_finite_in_the_data_names_the_first_layer(float value)
    {
        var data = Runs.Blobs();
        data.Train.Features[37 * 6 + 2] = value;
        var divergence = Train(data, "tanh", "sgd", 0.01, epochs: 1).Result.Divergence;
        Assert.NotNull(divergence);
        Assert.Equal("hidden1", divergence.Layer);
        Assert.InRange(divergence.Step, 1, 13);
    }

    [Fact]
    public void A_target_that_is_not_finite_is_a_divergence()
    {
        var data = Runs.Numbers();
        data.Train.Values[5] = float.NaN;
        Assert.NotNull(Train(data, "relu", "sgd", 0.01, epochs: 1).Result.Divergence);
    }

    [Fact]
    public void NaN_in_validation_rows_is_a_NaN_metric_and_no_divergence()
    {
        var data = Runs.Blobs();
        data.Validation!.Features[0] = float.NaN;
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
}
