using TrainingService.Engine.Optimizers;
using Xunit;

namespace TrainingService.Engine.Tests.Optimizers;

/// <summary>What the golden schedules don't have.</summary>
public class ScheduleTests
{
    private static readonly SgdPlan Sgd = new(LearningRate: 1, Momentum: 0.9, Nesterov: false, WeightDecay: 0);

    [Fact]
    public void A_warm_up_rises_in_equal_steps_and_the_schedule_begins_behind_it()
    {
        var schedule = new ExponentialSchedule(WarmupSteps: 4, Gamma: 0.5);
        double[] expected = [0.05, 0.1, 0.15, 0.2, 0.2, 0.1, 0.05];
        Assert.All(expected, (rate, i) => Assert.Equal(rate, schedule.At(i, Sgd with { LearningRate = 0.2 }, 20).LearningRate, 1e-15));
        Assert.Null(schedule.At(2, Sgd, 20).Momentum);
    }

    [Fact]
    public void One_cycle_fills_the_steps_that_a_warm_up_leaves()
    {
        var plain = new OneCycleSchedule(0, PctStart: 0.3, DivFactor: 25,
            FinalDivFactor: 100, CycleMomentum: true, BaseMomentum: 0.8, MaxMomentum: 0.9);
        var warmed = plain with { WarmupSteps = 10 };
        for (var i = 0; i < 30; i++)
            Assert.Equal(plain.At(i, Sgd, 30), warmed.At(i + 10, Sgd, 40));
        Assert.Equal((1.0 / 2500, 0.9), plain.At(29, Sgd, 30));
        Assert.Null(plain.At(3, Sgd with { Momentum = 0 }, 30).Momentum);
        Assert.Null((plain with { CycleMomentum = false }).At(3, Sgd, 30).Momentum);
    }

    [Fact]
    public void A_constant_rate_is_constant() =>
        Assert.Equal((0.1, null), new ConstantSchedule(0).At(4, Sgd with { LearningRate = 0.1 }, 5));
}
