using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>After early stopping all that is told of layers and units is of the weights that are returned.</summary>
public class ReturnedWeightsTests
{
    private static readonly TrainingSpec Stopping = new()
    {
        Epochs = 60,
        BatchSize = 16,
        Optimizer = new() { Name = "sgd", LearningRate = 0.1 },
        EarlyStopping = new() { Patience = 4 },
    };

    /// <summary>Labels without any pattern: the validation loss can only get worse after a while.</summary>
    private static TrainingData Noise()
    {
        var data = Runs.Blobs();
        var random = new RandomStream(1, StreamPurpose.Order, 0);
        random.Shuffle(data.Train.Labels);
        random.Shuffle(data.Validation!.Labels);
        return data;
    }

    /// <summary>13 steps an epoch: evaluations fall on the best epoch's end, or don't.</summary>
    [Theory, InlineData("relu", 13), InlineData("relu", 5), InlineData("relu", 1), InlineData("leaky_relu", 100), InlineData("prelu", 26)]
    public void The_last_points_and_units_are_those_of_a_run_that_ends_at_the_best_epoch(string activation, int everySteps)
    {
        var data = Noise();
        DiagnosticsSpec diagnostics = new() { EverySteps = everySteps, EffectiveRank = true };
        Engine.Layers.ModelSpec model = new() { HiddenLayers = [30, 20], Activation = new() { Name = activation } };
        var returned = new List<long>();
        var stopped = Run(Runs.Plan(data, model, Stopping, diagnostics), data, returned);
        var best = stopped.Result.BestEpoch;
        Assert.InRange(best, 1, 50);
        Assert.Equal(13L * best, stopped.Result.WeightsStep);
        Assert.Equal([13L * best], returned);

        var whole = Run(Runs.Plan(data, model, Stopping with { Epochs = best, EarlyStopping = null }, diagnostics), data, []);
        Assert.Equal(whole.Result.WeightsSha256, stopped.Result.WeightsSha256);
        Assert.Equal(13L * best, whole.Result.WeightsStep);
        Assert.Equal(whole.Points[^1], stopped.Points[^1]);
        Assert.NotNull(stopped.Points[^1][0].Histogram);
        Assert.NotNull(stopped.Points[^1][0].EffectiveRank);
        Assert.Equal(whole.Units, stopped.Units);
        // histograms of no other weights but the first and the returned
        Assert.Equal(2, stopped.Points.Count(p => p[0].Histogram is not null));
        Assert.Equal(13L * best, stopped.Metrics.Single(m => m.Split == Split.Test).Step);
        Assert.Equal(whole.Metrics[^1], stopped.Metrics[^1]);
    }

    [Fact]
    public void A_run_that_is_continued_returns_to_the_same()
    {
        var data = Noise();
        var plan = Runs.Plan(data, new() { HiddenLayers = [30, 20], Normalization = "batch_norm" }, Stopping, new() { EverySteps = 5 });
        var states = new List<byte[]>();
        var whole = Run(plan, data, [], after: t => states.Add(t.Capture()));
        // between the best epoch's end and the last step, which itself may be where it goes on
        var best = (int)whole.Result.WeightsStep!.Value;
        foreach (var step in new[] { best - 1, best, best + 1, best + 30, states.Count })
        {
            var rest = Run(plan, data, [], states[step - 1]);
            Assert.Equal(whole.Points[^1], rest.Points[^1]);
            Assert.Equal(whole.Units, rest.Units);
            Assert.Equal(whole.Result.WeightsSha256, rest.Result.WeightsSha256);
        }
    }

    [Fact]
    public void A_run_that_goes_on_improving_returns_to_nothing()
    {
        var returned = new List<long>();
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, training: Stopping with { Epochs = 3, Optimizer = new() { Name = "sgd", LearningRate = 0.001 } });
        var run = Run(plan, data, returned);
        Assert.Empty(returned);
        Assert.Equal((39, 39), (run.Result.WeightsStep, run.Points[^1][0].Step));
    }

    [Theory, InlineData("accuracy"), InlineData("balancedAccuracy")]
    public void Watches_accuracies_of_classes(string metric)
    {
        var data = Noise();
        var run = Runs.Train(data, new() { HiddenLayers = [40] },
            Stopping with { EarlyStopping = new() { Metric = metric, Patience = 5 } });
        var values = run.Metrics.Where(m => m.Split == Split.Validation && m.Step > 0).Select(m => m.Accuracy).ToList();
        Assert.Equal(values.Count, run.Result.BestEpoch + 5);
        if (metric == "accuracy")
            Assert.Equal(values.IndexOf(values.Max()) + 1, run.Result.BestEpoch);
        Assert.Equal(values[run.Result.BestEpoch - 1], run.Result.ValidationAccuracy);
    }

    [Theory, InlineData("rmse"), InlineData("r2")]
    public void Watches_errors_of_numbers(string metric)
    {
        var data = Runs.Numbers(train: 30);
        data = data with { Validation = data.Validation! with { Values = [.. data.Validation.Values.Reverse()] } };
        var run = Runs.Train(data, new() { HiddenLayers = [40] },
            Stopping with { EarlyStopping = new() { Metric = metric, Patience = 5 } });
        var values = run.Metrics.Where(m => m.Split == Split.Validation && m.Step > 0).ToList();
        Assert.Equal(values.Count, run.Result.BestEpoch + 5);
        var best = metric == "r2" ? values.MaxBy(m => m.R2) : values.MinBy(m => m.Rmse);
        Assert.Equal(best, values[run.Result.BestEpoch - 1]);
        Assert.Equal((best!.R2, best.Rmse), (run.Result.ValidationR2, run.Result.ValidationRmse));
    }

    private static FinishedRun Run(RunPlan plan, TrainingData data, List<long> returned,
        byte[]? state = null, Action<Trainer>? after = null)
    {
        using var trainer = new Trainer(plan, data);
        var (metrics, points) = (new List<MetricPoint>(), new List<IReadOnlyList<LayerPoint>>());
        trainer.OnMetric = metrics.Add;
        trainer.OnLayers = points.Add;
        trainer.OnReturn = returned.Add;
        trainer.AfterStep = () => after?.Invoke(trainer);
        if (state is not null)
            trainer.Restore(state);
        var result = trainer.Run(TestContext.Current.CancellationToken);
        return new(result, metrics, points, trainer.Layers) { Units = [.. trainer.Layers.Select(l => trainer.Units(l.Index))] };
    }
}
