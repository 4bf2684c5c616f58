using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

/// <summary>One unit, h = relu(w x + b), output v h + c, killed by nothing but its training on numbers made for that.</summary>
public class AutopsyTests
{
    private const int Rows = 60;

    [Fact]
    public void A_unit_that_sees_only_zeros_dies_by_its_bias()
    {
        // h is too large by about 5 on every row, and w has no gradient
        var unit = Train(features: _ => 0, target: _ => -5, rate: 1e-3, everySteps: Rows);
        Assert.Equal((UnitState.Dead, DeathCause.BiasDrift, Rows), (unit.State, unit.Death!.Value.Cause, unit.DiedAtStep));
        var death = unit.Death.Value;
        Assert.Equal(0.5f, death.HighestBefore);
        Assert.Equal(death.HighestAfter - death.HighestBefore, death.BiasChange, 1e-6);
        Assert.InRange(death.LargestShare!.Value, 1f / Rows, 4f / Rows);
        Assert.InRange(death.LastActiveStep!.Value, 30, Rows - 1);
    }

    [Fact]
    public void A_unit_with_large_inputs_dies_by_its_weights()
    {
        // a step moves w x a hundred times as far as b
        var unit = Train(features: _ => 10, target: _ => -5, rate: 1e-5, everySteps: Rows);
        Assert.Equal((UnitState.Dead, DeathCause.Weights), (unit.State, unit.Death!.Value.Cause));
        Assert.True(unit.Death.Value.BiasChange > -0.1f);
    }

    [Theory, InlineData(0), InlineData(0.9)]
    public void A_unit_dies_by_one_update_where_one_row_is_an_outlier(double momentum)
    {
        // all rows but one are fitted
        var unit = Train(features: r => r == 7 ? 1 : 0, target: r => r == 7 ? -3000 : 0.5f,
            rate: 1e-3, everySteps: Rows, momentum: momentum);
        Assert.Equal((UnitState.Dead, DeathCause.OneOversizedUpdate), (unit.State, unit.Death!.Value.Cause));
        var death = unit.Death.Value;
        Assert.True(death.LargestShare > 0.5f);
        // it was active in the very batch that killed it, and never again
        Assert.Equal(death.LargestStep, death.LastActiveStep);
    }

    [Fact]
    public void States_are_told_apart()
    {
        Assert.Equal(UnitState.BornDead, Train(_ => 0, _ => 0, 1e-6, Rows, bias: -1).State);
        Assert.Equal(UnitState.Alive, Train(r => r % 2, _ => 0, 1e-6, Rows).State);
        Assert.Equal(UnitState.NearDead, Train(r => r == 7 ? 1 : -1, _ => 0, 1e-6, everySteps: 400, bias: 0, rows: 200).State);
        Assert.Equal(UnitState.NegativeLocked, Train(_ => 0, _ => 0, 1e-6, Rows, bias: -1, activation: "leaky_relu").State);
        Assert.Equal(UnitState.Saturated, Train(_ => 0, _ => 0, 1e-6, Rows, bias: 9, activation: "tanh").State);
        Assert.Equal(UnitState.Alive, Train(_ => 0, _ => 0, 1e-6, Rows, bias: 9).State);
        Assert.Equal(UnitState.NonFinite, Train(_ => 0, _ => 0, 1e-6, Rows, bias: float.NaN).State);
        // off on most rows is sparse, off or full on most rows is not saturated
        Assert.Equal(UnitState.Alive, Train(r => r % 10 == 0 ? 20 : -1, _ => 0, 1e-9, Rows, activation: "relu6").State);
        Assert.Equal(UnitState.Saturated, Train(_ => 0, _ => 0, 1e-9, Rows, bias: 9, activation: "relu6").State);
    }

    [Fact]
    public void A_unit_beside_larger_ones_is_dormant()
    {
        var data = Data(r => r % 2 + 1, _ => 0, Rows);
        UnitPoint[] units = [];
        Runs.Train(Plan(data, "relu", 3, 1e-9, 0, Rows), data, trainer => trainer.Network.Observed[0].Linear.Weight.Set([1, 1, 0.01f]),
            (trainer, _) => units = [.. trainer.Units(0)]);
        Assert.Equal([UnitState.Alive, UnitState.Alive, UnitState.Dormant], units.Select(u => u.State));
        Assert.Equal([1, 1, 1], units.Select(u => u.Activity));
        Assert.Equal(0.015f, units[2].MeanAbsActivation, 1e-4f);
    }

    /// <summary>Behind a norm the bias does nothing: the norm's shift is what a unit can drift by.</summary>
    [Fact]
    public void Behind_a_norm_the_shift_is_the_bias()
    {
        var data = Data(r => r % 2, _ => -50, Rows);
        var model = new ModelSpec { HiddenLayers = [1], Normalization = "batch_norm", Initializer = new() { Name = "ones" } };
        TrainingSpec training = new()
        {
            Epochs = 10,
            BatchSize = Rows,
            StandardizeTarget = false,
            Optimizer = new() { Name = "sgd", LearningRate = 2e-3, Momentum = 0 },
        };
        UnitPoint unit = default;
        Runs.Train(Runs.Plan(data, model, training, new() { EverySteps = 10 }), data, trainer =>
        {
            trainer.Network.Observed[0].Before.Parameters[0].Set([0.01f]);
            trainer.Network.Observed[0].Before.Parameters[1].Set([0.5f]);
        }, (trainer, _) => unit = trainer.Units(0)[0]);
        Assert.Equal((UnitState.Dead, DeathCause.BiasDrift), (unit.State, unit.Death!.Value.Cause));
    }

    private static UnitPoint Train(Func<int, float> features, Func<int, float> target, double rate,
        int everySteps, float bias = 0.5f, string activation = "relu", double momentum = 0, int rows = Rows)
    {
        var data = Data(features, target, rows);
        UnitPoint last = default;
        Runs.Train(Plan(data, activation, 1, rate, momentum, everySteps), data, trainer =>
        {
            trainer.Network.Observed[0].Linear.Weight.Set([bias == 0.5f ? 0.01f : 1]);
            trainer.Network.Observed[0].Linear.Bias.Set([bias]);
            trainer.Network.Observed[1].Linear.Weight.Set([1]);
        }, (trainer, _) => last = trainer.Units(0)[0]);
        return last;
    }

    private static RunPlan Plan(TrainingData data, string activation, int units, double rate, double momentum, int everySteps) =>
        Runs.Plan(data,
            new() { HiddenLayers = [units], Activation = new() { Name = activation }, Initializer = new() { Name = "ones" } },
            new()
            {
                Epochs = 1,
                BatchSize = 1,
                StandardizeTarget = false,
                Optimizer = new() { Name = "sgd", LearningRate = rate, Momentum = momentum },
            },
            new() { EverySteps = everySteps });

    private static TrainingData Data(Func<int, float> features, Func<int, float> target, int rows)
    {
        int[] all = [.. Enumerable.Range(0, rows)];
        return new(new(1, TargetKind.Number, 0, rows, 0, 0), new(rows, [.. all.Select(features)], [], [.. all.Select(target)]), null, null);
    }
}
