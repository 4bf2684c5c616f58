using TrainingService.Engine.Data;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

public class EarlyStoppingTests
{
    /// <summary>Labels without any pattern: the validation loss can only get worse after a while.</summary>
    private static TrainingData Noise()
    {
        var data = Runs.Blobs();
        var random = new RandomStream(1, StreamPurpose.Order, 0);
        random.Shuffle(data.Train.Labels);
        random.Shuffle(data.Validation!.Labels);
        return data;
    }

    [Theory, InlineData(1), InlineData(4)]
    public void Stops_when_patience_is_out_and_returns_to_the_best_weights(int patience)
    {
        var data = Noise();
        var plan = Runs.Plan(data, new() { HiddenLayers = [40], Normalization = "batch_norm" },
            new()
            {
                Epochs = 60,
                BatchSize = 16,
                Optimizer = new() { Name = "adam", LearningRate = 0.02 },
                EarlyStopping = new() { Patience = patience },
            });
        using var trainer = new Trainer(plan, data);
        var (losses, hashes) = (new List<float>(), new Dictionary<int, string>());
        trainer.OnMetric = m =>
        {
            if (m.Split != Split.Validation || m.Step == 0)
                return;
            losses.Add(m.Loss);
            hashes[losses.Count] = trainer.Network.Sha256();
        };
        var result = trainer.Run(TestContext.Current.CancellationToken);
        Assert.InRange(losses.Count, patience + 1, 59);
        Assert.Equal(losses.Count - patience, result.BestEpoch);
        Assert.Equal(losses.IndexOf(losses.Min()) + 1, result.BestEpoch);
        Assert.Equal(hashes[result.BestEpoch], result.WeightsSha256);
        Assert.NotEqual(hashes[losses.Count], result.WeightsSha256);
        // running statistics came back too, or this would differ
        Assert.Equal(losses.Min(), result.ValidationLoss);
    }

    [Fact]
    public void A_small_improvement_is_none()
    {
        var run = Runs.Train(Runs.Blobs(),
            training: new() { Epochs = 50, BatchSize = 16, EarlyStopping = new() { Patience = 3, MinDelta = 1e6 } });
        Assert.Equal(1, run.Result.BestEpoch);
        Assert.Equal(4, run.Metrics.Count(m => m.Split == Split.Validation && m.Step > 0));
    }

    [Fact]
    public void A_run_that_goes_on_improving_keeps_its_last_weights()
    {
        var data = Runs.Blobs();
        TrainingSpec training = new() { Epochs = 3, BatchSize = 16, Optimizer = new() { Name = "sgd", LearningRate = 0.001 } };
        var stopped = Runs.Train(data, training: training with { EarlyStopping = new() });
        Assert.Equal(3, stopped.Result.BestEpoch);
        Assert.Equal(Runs.Train(data, training: training).Result.WeightsSha256, stopped.Result.WeightsSha256);
    }
}
