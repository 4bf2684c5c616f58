using TrainingService.Engine.Optimizers;
using Xunit;

namespace TrainingService.Engine.Tests.Optimizers;

/// <summary>What the golden schedules don't have.</summary>
public class ScheduleTests
{
    [Fact]
    public void A_warm_up_rises_in_equal_steps_and_the_schedule_begins_behind_it()
    {
        var schedule = new Schedule(new() { Name = "exponential", Gamma = 0.5, WarmupSteps = 4 }, 0.2, hasMomentum: true, totalSteps: 20);
        double[] expected = [0.05, 0.1, 0.15, 0.2, 0.2, 0.1, 0.05];
        Assert.All(expected, (rate, i) => Assert.Equal(rate, schedule.At(i).LearningRate, 1e-15));
        Assert.Null(schedule.At(2).Momentum);
    }

    [Fact]
    public void One_cycle_fills_the_steps_that_a_warm_up_leaves()
    {
        ScheduleSpec spec = new()
        {
            Name = "one_cycle",
            PctStart = 0.3,
            DivFactor = 25,
            FinalDivFactor = 100,
            CycleMomentum = true,
            BaseMomentum = 0.8,
            MaxMomentum = 0.9,
        };
        Schedule plain = new(spec, 1, hasMomentum: true, totalSteps: 30), warmed = new(spec with { WarmupSteps = 10 }, 1, hasMomentum: true, totalSteps: 40);
        for (var i = 0; i < 30; i++)
            Assert.Equal(plain.At(i), warmed.At(i + 10));
        Assert.Equal((1.0 / 2500, 0.9), (plain.At(29).LearningRate, plain.At(29).Momentum!.Value));
        Assert.Null(new Schedule(spec, 1, hasMomentum: false, totalSteps: 30).At(3).Momentum);
        Assert.Null(new Schedule(spec with { CycleMomentum = false }, 1, hasMomentum: true, totalSteps: 30).At(3).Momentum);
    }

    [Fact]
    public void A_constant_rate_is_constant() =>
        Assert.Equal((0.1, null), new Schedule(new() { Name = "constant" }, 0.1, hasMomentum: true, totalSteps: 5).At(4));
}
