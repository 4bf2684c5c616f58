using TrainingService.Engine.Data;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>What the target is turned into, and how results are told.</summary>
public class TargetTests
{
    /// <summary>The numbers of <see cref="Runs.Numbers"/> in another unit, far from 0.</summary>
    private static TrainingData Shifted(float scale = 50, float shift = 3000)
    {
        var data = Runs.Numbers();
        DataSplit Split(DataSplit split) => split with { Values = [.. split.Values.Select(v => scale * v + shift)] };
        return data with { Train = Split(data.Train), Validation = Split(data.Validation!), Test = Split(data.Test!) };
    }

    [Theory, InlineData("mse", null), InlineData("huber", 0.7)]
    public void A_standardised_run_is_that_on_the_standardised_target_told_in_the_targets_unit(string loss, double? delta)
    {
        var data = Shifted();
        TrainingSpec training = new() { Epochs = 5, BatchSize = 16, Loss = loss, HuberDelta = delta, ActivityL1 = 0.001 };
        var run = Runs.Train(data, training: training);
        var mean = data.Train.Values.Average(v => (double)v);
        var deviation = Math.Sqrt(data.Train.Values.Average(v => (v - mean) * (v - mean)));
        Assert.Equal(mean, run.Result.TargetScale!.Means[0], 1e-9);
        Assert.Equal(deviation, run.Result.TargetScale.Deviation, 1e-9);

        DataSplit Split(DataSplit split) => split with { Values = [.. split.Values.Select(v => (float)((v - mean) / deviation))] };
        var standardised = data with { Train = Split(data.Train), Validation = Split(data.Validation!), Test = Split(data.Test!) };
        var plain = Runs.Train(standardised, training: training with { StandardizeTarget = false });
        Assert.Equal(plain.Result.WeightsSha256, run.Result.WeightsSha256);
        Assert.Null(plain.Result.TargetScale);
        var unit = deviation * deviation;
        foreach (var (own, told) in plain.Metrics.Zip(run.Metrics))
        {
            Close.Assert(own.Loss * unit, told.Loss, 1e-5, $"loss at step {own.Step}");
            Close.Assert((own.Penalty ?? 0) * unit, told.Penalty ?? 0, 1e-5, $"penalty at step {own.Step}");
            Close.Assert((own.Rmse ?? 0) * deviation, told.Rmse ?? 0, 1e-5, $"rmse at step {own.Step}");
            Close.Assert(own.R2 ?? 0, told.R2 ?? 0, 1e-5, $"r2 at step {own.Step}");
        }
        Close.Assert(plain.Result.TrainLoss * unit, run.Result.TrainLoss, 1e-5, "train loss");
        Close.Assert(plain.Result.TrainRmse!.Value * deviation, run.Result.TrainRmse!.Value, 1e-5, "train rmse");
        if (loss == "mse")
            Close.Assert(run.Result.TestRmse!.Value * run.Result.TestRmse.Value, run.Result.TestLoss!.Value, 1e-4, "mse is rmse squared");
    }

    [Theory, InlineData(1f, 0f), InlineData(50f, 3000f), InlineData(1e-4f, 0f), InlineData(1e6f, -1e7f)]
    public void Learns_a_target_of_any_unit_with_the_defaults(float scale, float shift)
    {
        var run = Runs.Train(Shifted(scale, shift), training: new() { Epochs = 30, BatchSize = 16 });
        Assert.Null(run.Result.Divergence);
        Assert.True(run.Result.TestR2 > 0.95, $"R2 {run.Result.TestR2}");
    }

    [Fact]
    public void Standardising_is_the_default_of_numbers_and_refused_for_classes()
    {
        Assert.True(Runs.Plan(Runs.Numbers()).Training.StandardizeTarget);
        Assert.Null(Runs.Plan(Runs.Blobs()).Training.Spec.StandardizeTarget);
        foreach (var asked in new[] { true, false })
        {
            var errors = new List<Specs.SpecError>();
            Assert.Null(RunPlan.Check(new(), new() { StandardizeTarget = asked }, new(), Runs.Blobs().Shape, errors));
            Assert.Equal("/training/standardizeTarget", Assert.Single(errors).Pointer);
            Assert.Contains("classes", errors[0].Message);
        }
    }

    [Fact]
    public void A_constant_target_is_only_shifted()
    {
        var run = Runs.Train(Shifted(scale: 0, shift: 7), training: new() { Epochs = 1, BatchSize = 16 });
        Assert.Equal((7, 1), (run.Result.TargetScale!.Means[0], run.Result.TargetScale.Deviation));
        Assert.Null(run.Result.Divergence);
    }

    /// <summary>One deviation for all, so that none of the numbers weighs more than it did.</summary>
    [Fact]
    public void Several_numbers_are_shifted_apart_and_scaled_alike()
    {
        float[] values = [1, 100, 3, 104];
        var scale = TargetScale.Of(new(2, [], [], values), 2);
        Assert.Equal([2, 102], scale.Means);
        Assert.Equal(Math.Sqrt((1 + 1 + 4 + 4) / 4.0), scale.Deviation, 1e-12);
        Assert.Equal([-1 / 1.5811388, -2 / 1.5811388, 1 / 1.5811388, 2 / 1.5811388],
            scale.Apply(new(2, [], [], values)).Values.Select(v => (double)v), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Train_series_leave_the_penalty_out_and_show_it_by_itself()
    {
        // so small a rate that nothing is learned: the running loss of an epoch is the loss before it
        TrainingSpec training = new()
        {
            Epochs = 2,
            BatchSize = 20,
            Optimizer = new() { Name = "sgd", LearningRate = 1e-12, Momentum = 0 },
            ActivityL1 = 3,
        };
        var run = Runs.Train(Runs.Blobs(), training: training, diagnostics: new() { EverySteps = 10 });
        var train = run.Metrics.Where(m => m.Split == Split.Train).ToList();
        Assert.All(train.Skip(1), m => Close.Assert(train[0].Loss, m.Loss, 1e-5, "loss"));
        Close.Assert(run.Result.TrainLoss, train[^1].Loss, 1e-5, "train loss");
        // 3 times the sum of |h| over units, mean over rows
        var magnitude = run.Points[^1].SkipLast(1).Sum(p => p.MeanAbsActivation * run.Layers[p.Layer].Units);
        Assert.All(train.Skip(1), m => Close.Assert(3 * magnitude, m.Penalty!.Value, 1e-4, "penalty"));
        Assert.All(Runs.Train(Runs.Blobs(), training: training with { ActivityL1 = 0 }).Metrics, m => Assert.Null(m.Penalty));
    }
}
