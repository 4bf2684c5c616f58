using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

/// <summary>How often layers are measured where the request leaves it open, and how often the rest.</summary>
public class CadenceTests
{
    [Theory]
    [InlineData(new[] { 256, 128, 64 }, 784, 54_000, 64, 15)]
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
        Assert.Equal(Plan(1).Diagnostics.RowsBetween, Plan(null).Diagnostics.RowsBetween);
        Assert.True(every == 100 || Share(every - 100) > 0.033, $"{every} of {steps}: {Share(every - 100):P1}");
        Assert.Equal(7, Plan(7).Diagnostics.EverySteps);
    }

    /// <summary>The rest is measured on so few rows that it costs little, and changes nothing of the training.</summary>
    [Theory]
    [InlineData(1, 9, 10)]
    [InlineData(1, 5, 6)]
    [InlineData(10, 60, 10)]
    [InlineData(20, 60, 10)]
    [InlineData(7, 210, 10)]
    public void However_short_a_run_is_its_curves_have_ten_points(int epochs, int steps, int points)
    {
        var data = Runs.Blobs(train: steps / epochs * 8);
        TrainingSpec training = new() { Epochs = epochs, BatchSize = 8 };
        var run = Runs.Train(data, training: training);
        Assert.Equal(points, run.Points.Count);
        Assert.Equal((0, steps), (run.Points[0][0].Step, run.Points[^1][0].Step));
        Assert.Equal(run.Points.Select(p => p[0].Step), run.Points.Select(p => p[0].Step).Distinct().Order());
        var ends = Runs.Train(data, training: training, diagnostics: new() { EverySteps = 1_000_000 });
        Assert.Equal(2, ends.Points.Count);
        Assert.Equal(ends.Result.WeightsSha256, run.Result.WeightsSha256);
        Assert.Equal((ends.Points[0][0], ends.Points[^1][0]), (run.Points[0][0], run.Points[^1][0]));
    }

    [Fact]
    public void A_run_that_may_stop_early_has_ten_points_if_it_does()
    {
        TrainingSpec training = new() { Epochs = 60, BatchSize = 20, EarlyStopping = new() { Patience = 5, MinDelta = 1e6 } };
        var run = Runs.Train(Runs.Blobs(), training: training);
        Assert.Equal(60, run.Result.Confusion is null ? 0 : run.Metrics.Max(m => m.Step));
        Assert.InRange(run.Points.Count, 10, 12);
    }

    [Fact]
    public void Between_the_ends_short_runs_are_measured_on_few_rows()
    {
        DataShape digits = new(64, TargetKind.Classes, 10, 1300, 0, 0);
        DiagnosticsPlan Plan(int epochs, DiagnosticsSpec spec) =>
            RunPlan.Check(new() { HiddenLayers = [64] }, new() { Epochs = epochs }, spec, digits, [])!.Diagnostics;
        Assert.Equal((26, 64), (Plan(10, new()).EverySteps, Plan(10, new()).RowsBetween));
        Assert.InRange(Plan(80, new()).RowsBetween, 100, 1000);
        Assert.Equal(2048, Plan(1000, new()).RowsBetween);
        // what was asked for is done, on all rows
        Assert.Equal((7, 2048), (Plan(10, new() { EverySteps = 7 }).EverySteps, Plan(10, new() { EverySteps = 7 }).RowsBetween));
        Assert.Equal((26, 300), (Plan(10, new() { RowsBetween = 300 }).EverySteps, Plan(10, new() { RowsBetween = 300 }).RowsBetween));
        // a resolved spec says the same again
        foreach (var plan in (DiagnosticsPlan[])[Plan(10, new()), Plan(80, new()), Plan(1000, new()), Plan(10, new() { EverySteps = 7 })])
            Assert.Equal(plan.Spec, Plan(10, plan.Spec).Spec);
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
