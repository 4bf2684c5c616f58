using TrainingService.Engine.Data;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

/// <summary>How often layers are measured where the request leaves it open, and how often the rest.</summary>
public class CadenceTests
{
    [Theory]
    [InlineData(new[] { 256, 128, 64 }, 784, 54_000, 64, 15)]
    [InlineData(new[] { 256, 128 }, 64, 1300, 64, 10)]
    [InlineData(new[] { 256, 128 }, 64, 1300, 64, 1000)]
    [InlineData(new[] { 16 }, 2, 500, 1, 100)]
    [InlineData(new[] { 4096, 4096 }, 1000, 50_000, 1024, 100)]
    public void All_evaluations_take_a_small_share_of_the_arithmetic_and_are_not_rarer_than_that(int[] hidden,
        int features, int rows, int batch, int epochs)
    {
        DataShape data = new(features, TargetKind.Classes, 10, rows, 0, 0);
        RunPlan Plan(int? every) => RunPlan.Check(new() { HiddenLayers = hidden },
            new() { BatchSize = batch, Epochs = epochs }, new() { EverySteps = every }, data, [])!;
        var (every, steps) = (Plan(null).Diagnostics.EverySteps, Plan(1).Steps);
        var evaluation = (Plan(1).FloatingPointOperations - Plan(2).FloatingPointOperations) / (steps / 2.0);
        // samples of a step that are not there are computed all the same
        var training = (Plan(1).FloatingPointOperations - (steps + 2) * evaluation) * ((batch + 31) / 32 * 32) / batch;
        double Share(int every) => (Math.Ceiling((double)steps / every) + 1) * evaluation / training;
        Assert.True(every >= 100 && (Share(every) < 0.04 || every >= steps), $"{every} of {steps}: {Share(every):P1}");
        Assert.True(every == 100 || Share(every - 100) > 0.033, $"{every} of {steps}: {Share(every - 100):P1}");
        Assert.Equal(7, Plan(7).Diagnostics.EverySteps);
    }

    [Fact]
    public void Losses_are_told_more_often_than_layers()
    {
        var data = Runs.Blobs();
        (long[] Metrics, long[] Layers) Steps(int every)
        {
            var run = Runs.Train(data, new() { HiddenLayers = [4] }, new() { Epochs = 2, BatchSize = 1 }, new() { EverySteps = every });
            return ([.. run.Metrics.Where(m => m.Split == Split.Train).Select(m => m.Step)], [.. run.Points.Select(p => p[0].Step)]);
        }
        var rare = Steps(150);
        Assert.Equal([0, 100, 200, 300, 400], rare.Metrics);
        Assert.Equal([0, 150, 300, 400], rare.Layers);
        Assert.Equal(Steps(50).Metrics, Steps(50).Layers);
        Assert.All(Runs.Train(data, training: new() { Epochs = 40, BatchSize = 20 }, diagnostics: new() { EverySteps = 350 }).Points[1..],
            layers => Assert.All(layers, l => Assert.True(l.UpdateRatio > 0)));
    }

    [Fact]
    public void A_run_that_stops_early_is_measured_at_the_weights_that_it_returns()
    {
        TrainingSpec training = new() { Epochs = 200, BatchSize = 20, EarlyStopping = new() { Patience = 1 } };
        var run = Runs.Train(Runs.Blobs(), training: training, diagnostics: new() { EverySteps = 10_000 });
        Assert.True(run.Result.BestEpoch < 199);
        Assert.Equal([0, run.Result.BestEpoch * 10], run.Points.Select(p => p[0].Step));
    }
}
