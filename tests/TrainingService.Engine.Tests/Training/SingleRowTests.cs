using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>Where a norm would have one number to take a mean of.</summary>
public class SingleRowTests
{
    private static readonly ModelSpec Short = new() { HiddenLayers = [8], Normalization = "batch_norm" };
    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 8 };

    private static readonly ModelSpec Nested = new()
    {
        Layers =
        [
            Dense, new() { Type = "residual", Layers = [new() { Type = "residual", Layers = [new() { Type = "batch_norm" }, Dense] }] },
        ],
    };

    [Fact]
    public void Batches_of_one_row_are_refused_with_batch_norm()
    {
        foreach (var model in new[] { Short, Nested })
        {
            var error = Assert.Single(Refused(model, new() { BatchSize = 1 }, Runs.Blobs().Shape));
            Assert.Equal("/training/batchSize", error.Pointer);
            Assert.Contains("at least 2", error.Message);
            Assert.Contains("one training row", Assert.Single(Refused(model, new(), Runs.Blobs().Shape with { TrainRows = 1 })).Message);
        }
        // anything else may have them
        Runs.Plan(Runs.Blobs(), training: new() { BatchSize = 1 });
        Runs.Plan(Runs.Blobs(), new() { HiddenLayers = [8], Normalization = "layer_norm" }, new() { BatchSize = 1 });
    }

    [Theory, InlineData(33, 32, 1), InlineData(65, 32, 2), InlineData(65, 64, 1), InlineData(3, 2, 1), InlineData(129, 64, 2)]
    public void A_last_batch_of_one_row_joins_the_one_before_it(int rows, int batch, int steps)
    {
        var data = Runs.Blobs(train: rows);
        foreach (var model in new[] { Short, Nested })
        {
            var plan = Runs.Plan(data, model, new() { Epochs = 3, BatchSize = batch });
            Assert.Equal(3 * steps, plan.Steps);
            Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"which has {batch + 1} rows"),
                Assert.Single(plan.Notes));
            var run = Runs.Train(plan, data);
            Assert.Equal(plan.Notes, run.Result.Notes);
            Assert.Equal(3L * steps, run.Result.WeightsStep);
            Assert.Null(run.Result.Divergence);
        }
    }

    /// <summary>All rows in one batch are all rows in one batch, however it came about.</summary>
    [Fact]
    public void The_joined_batch_is_trained_as_any_other()
    {
        var data = Runs.Blobs(train: 33);
        TrainingSpec training = new() { Epochs = 4, BatchSize = 33 };
        var whole = Runs.Train(data, Short, training);
        Assert.Null(whole.Result.Notes);
        Assert.Equal(whole.Result.WeightsSha256, Runs.Train(data, Short, training with { BatchSize = 32 }).Result.WeightsSha256);
    }

    [Fact]
    public void Without_batch_norm_a_last_batch_of_one_row_stays()
    {
        var plan = Runs.Plan(Runs.Blobs(train: 33), training: new() { Epochs = 3, BatchSize = 32 });
        Assert.Equal(6, plan.Steps);
        Assert.Empty(plan.Notes);
    }

    [Fact]
    public void Layer_norm_over_one_unit_is_refused()
    {
        Refuse("/model/hiddenLayers/1", new() { HiddenLayers = [4, 1, 1], Normalization = "layer_norm" }, "/model/hiddenLayers/2");
        Refuse("/model/layers/1/type", new() { Layers = [Dense with { Units = 1 }, new() { Type = "layer_norm" }] });
        Refuse("/model/layers/1/layers/1/type", new()
        {
            Layers = [Dense, new() { Type = "residual", Layers = [Dense with { Units = 1 }, new() { Type = "layer_norm" }, Dense] }],
        });

        static void Refuse(string pointer, ModelSpec model, string? other = null)
        {
            var errors = Refused(model, new(), Runs.Blobs().Shape);
            Assert.Equal(other is null ? [pointer] : [pointer, other], errors.Select(e => e.Pointer));
            Assert.Contains("at least 2 units", errors[0].Message);
        }
    }

    private static List<SpecError> Refused(ModelSpec model, TrainingSpec training, DataShape shape)
    {
        var errors = new List<SpecError>();
        Assert.Null(RunPlan.Check(model, training, new(), shape, errors));
        return errors;
    }
}
