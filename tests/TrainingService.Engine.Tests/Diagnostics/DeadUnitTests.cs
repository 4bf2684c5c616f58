using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

/// <summary>Hand-made nets of ten units, some of them killed or woken by their bias between two evaluations.</summary>
public class DeadUnitTests
{
    private const int Units = 10;

    [Fact]
    public void Born_dead_died_and_revived_units_are_told_apart()
    {
        var run = Train("relu", trainer => Bias(trainer, -1e4f, 0, 1, 2), (trainer, step) =>
        {
            if (step == 2)
                Bias(trainer, -1e4f, 5);
            if (step == 4)
                Bias(trainer, 1e4f, 0, 1);
            if (step == 6)
                Bias(trainer, 1e4f, 5);
        });
        (float, float, float, float) At(int step) =>
            run.Points[step][0] is var p ? (p.DeadFraction, p.BornDeadFraction, p.DiedFraction, p.RevivedFraction) : default;
        Assert.Equal((0.3f, 0.3f, 0, 0), At(0));
        Assert.Equal((0.3f, 0.3f, 0, 0), At(2));
        Assert.Equal((0.4f, 0.3f, 0.1f, 0), At(3));
        Assert.Equal((0.2f, 0.1f, 0.1f, 0.2f), At(5));
        Assert.Equal((0.1f, 0.1f, 0, 0.3f), At(7));
    }

    /// <summary>Off on every row is the same measure for all; dead are only those that pass no gradient.</summary>
    [Theory, InlineData("relu", 1f), InlineData("leaky_relu", 0f), InlineData("elu", 0f), InlineData("tanh", 0f)]
    public void Units_that_are_off_on_every_row_and_that_come_back_are_counted_for_every_activation(string activation, float dead)
    {
        var run = Train(activation, trainer => Bias(trainer, -1e4f, 0, 1, 2), (trainer, step) =>
        {
            if (step == 2)
                Bias(trainer, -1e4f, 5);
            if (step == 4)
                Bias(trainer, 1e4f, 0, 1);
        });
        (float, float, float?, float) At(int step) =>
            run.Points[step][0] is var p ? (p.OffEveryRowFraction, p.RevivedFraction, p.CameBackFraction, p.DeadFraction) : default;
        Assert.Equal((0.3f, 0, 0, dead * 0.3f), At(0));
        Assert.Equal((0.4f, 0, 0, dead * 0.4f), At(3));
        Assert.Equal((0.2f, 0.2f, 0.5f, dead * 0.2f), At(5));
        Assert.Equal((dead * 0.1f, dead * 0.1f), (run.Points[5][0].BornDeadFraction, run.Points[5][0].DiedFraction));
    }

    [Fact]
    public void Where_no_unit_ever_was_off_none_can_come_back() =>
        Assert.Null(Train("relu", trainer => Bias(trainer, 1e4f, [.. Enumerable.Range(0, Units)]), (_, _) => { })
            .Points[^1][0].CameBackFraction);

    [Fact]
    public void A_layer_that_is_all_dead_stops_every_gradient_before_it()
    {
        var run = Train("relu", trainer => Bias(trainer, -1e4f, [.. Enumerable.Range(0, Units)]), (_, _) => { });
        var (dead, output) = (run.Points[^1][0], run.Points[^1][1]);
        Assert.Equal((1, 1, 1, 0, 0), (dead.DeadFraction, dead.Sparsity, dead.OffRate, dead.RmsActivation, dead.GradientRms));
        Assert.Equal(0, dead.UpdateRatio);
        // the next layer's weights see only zeros; its bias still learns
        Assert.Equal(0, output.UpdateRatio);
        Assert.True(output.GradientRms > 0);
    }

    [Theory, InlineData("leaky_relu"), InlineData("elu"), InlineData("gelu"), InlineData("tanh")]
    public void Negative_units_of_other_activations_are_off_but_not_sparse(string activation)
    {
        var point = Train(activation, trainer => Bias(trainer, -50, 0, 1, 2), (_, _) => { }).Points[0][0];
        Assert.True(point.OffRate >= 0.3f);
        // gelu(-50) underflows to 0 exactly
        Assert.Equal(activation == "gelu" ? 0.3f : 0, point.Sparsity, 0.1f);
        // they pass a gradient still: locked, not dead
        Assert.Equal((0.3f, 0, 0), (point.NegativeLockedFraction, point.DeadFraction, point.NearDeadFraction));
    }

    [Fact]
    public void One_active_row_keeps_a_unit_alive()
    {
        var data = Runs.Blobs(train: 90);
        for (var r = 0; r < 90; r++)
            data.Train.Features.All()[r * 6] = r == 71 ? 1 : -1;
        var run = Runs.Train(Runs.Plan(data, new() { HiddenLayers = [1] }, new() { Epochs = 1, BatchSize = 90 }), data, trainer =>
        {
            trainer.Network.Observed[0].Linear.Weight.Set([1, 0, 0, 0, 0, 0]);
            Bias(trainer, 0, 0);
        });
        Assert.Equal((0, 89f / 90), (run.Points[0][0].DeadFraction, run.Points[0][0].OffRate));
    }

    [Fact]
    public void A_pre_activation_of_zero_is_off()
    {
        var run = Train("relu", trainer =>
        {
            trainer.Network.Observed[0].Linear.Weight.Set(new float[6 * Units]);
            Bias(trainer, 0, [.. Enumerable.Range(0, Units)]);
        }, (_, _) => { });
        Assert.Equal((1, 1, 1), (run.Points[0][0].DeadFraction, run.Points[0][0].OffRate, run.Points[0][0].Sparsity));
    }

    /// <summary>
    /// Four of ninety rows are looked at between the ends. Unit 0 is born dead and comes back, 1 stays dead, 2 dies; 3 is on for one other
    /// row only, whose gradient shows that it lives.
    /// </summary>
    [Fact]
    public void A_look_at_some_rows_takes_no_unit_for_dead_that_others_may_keep_alive()
    {
        var data = Runs.Blobs(train: 90);
        for (var r = 0; r < 90; r++)
            data.Train.Features[r * 6] = r == 71 ? 100 : 0;
        var run = Train("relu", trainer =>
        {
            Bias(trainer, -1e4f, 0, 1);
            OnlyOnOneRow(trainer, 3);
        }, (trainer, step) =>
        {
            if (step == 2)
                Bias(trainer, 1e4f, 0);
            if (step == 3)
                Bias(trainer, -1e4f, 2);
        }, data, rowsBetween: 4);
        Assert.DoesNotContain(71, Runs.Plan(data, diagnostics: new() { EvaluationRows = 4 }).PickEvaluationRows());
        (float, float, float, float) At(int step) =>
            run.Points[step][0] is var p ? (p.DeadFraction, p.BornDeadFraction, p.DiedFraction, p.RevivedFraction) : default;
        Assert.Equal((0.2f, 0.2f, 0, 0), At(0));
        Assert.Equal((0.2f, 0.2f, 0, 0), At(1));
        Assert.Equal((0.1f, 0.1f, 0, 0.1f), At(3));
        // an epoch, which is a step here, without gradient
        Assert.Equal((0.2f, 0.1f, 0.1f, 0.1f), At(4));
        Assert.Equal((0.2f, 0.1f, 0.1f, 0.1f), At(7));
        Assert.Equal((0.2f, 0.1f, 0.1f, 0.1f), At(8));
    }

    private static unsafe void OnlyOnOneRow(Trainer trainer, int unit)
    {
        var weights = trainer.Network.Observed[0].Linear.Weight.Get();
        for (var i = 0; i < 6; i++)
            weights[6 * unit + i] = i == 0 ? 1 : 0;
        trainer.Network.Observed[0].Linear.Weight.Set(weights);
        Bias(trainer, -50, unit);
    }

    private static unsafe void Bias(Trainer trainer, float value, params int[] units)
    {
        foreach (var unit in units)
            trainer.Network.Observed[0].Linear.Bias.Values[unit] = value;
    }

    private static FinishedRun Train(string activation, Action<Trainer> prepare, Action<Trainer, long> between,
        TrainingData? given = null, int? rowsBetween = null)
    {
        var data = given ?? Runs.Blobs(train: 90);
        // weights too small to kill a unit, and a rate too small to move one across
        ModelSpec model = new()
        {
            HiddenLayers = [Units],
            Activation = new() { Name = activation },
            Initializer = new() { Name = "uniform", Min = -0.1, Max = 0.1 },
            BiasInitializer = new() { Name = "constant", Value = 0.01 },
        };
        TrainingSpec training = new() { Epochs = 8, BatchSize = 90, Optimizer = new() { Name = "sgd", LearningRate = 1e-3, Momentum = 0 } };
        return Runs.Train(Runs.Plan(data, model, training, new() { EverySteps = 1, RowsBetween = rowsBetween }),
            data, prepare, (trainer, points) => between(trainer, points[0].Step));
    }
}
