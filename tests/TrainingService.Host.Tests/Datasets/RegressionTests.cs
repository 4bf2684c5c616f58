using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Whoever names nothing but a data set whose target is a number gets a net that has learned it.</summary>
public class RegressionTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void Friedman1_is_learned_with_the_defaults(long seed)
    {
        var result = Train(new() { Seed = seed });
        Assert.True(result.TestR2 >= 0.85, $"R2 {result.TestR2}, RMSE {result.TestRmse}");
        // whose noise has deviation 1
        Assert.InRange(result.TestRmse!.Value, 1, 2);
        Assert.Equal(result.TestRmse.Value * result.TestRmse.Value, result.TestLoss!.Value, 1e-3);
    }

    /// <summary>A spec that was resolved and stored before there was the field means what it meant then.</summary>
    [Fact]
    public void A_stored_spec_without_the_field_leaves_the_target_as_it_is()
    {
        var registry = new DatasetRegistry("");
        var rules = new JobRules(registry, new(2000));
        JobSpec asked = new() { Dataset = new() { Name = "friedman1" }, Training = new() { Epochs = 1 } };
        var today = rules.Check(asked, []) ?? throw new InvalidOperationException();
        Assert.True(today.Spec.Training!.StandardizeTarget);
        var before = today.Spec with { Training = today.Spec.Training with { StandardizeTarget = null } };
        Assert.False(rules.Check(before, [], stored: true)!.Spec.Training!.StandardizeTarget);
        // and one of classes has no such field
        JobSpec iris = new() { Dataset = new() { Name = "iris" }, Training = new() { Epochs = 1 } };
        Assert.Null(rules.Check(rules.Check(iris, [])!.Spec, [], stored: true)!.Spec.Training!.StandardizeTarget);
    }

    private static TrainingResult Train(TrainingSpec training)
    {
        var registry = new DatasetRegistry("");
        var errors = new List<SpecError>();
        var dataset = registry.Resolve(new() { Name = "friedman1" }, training.Seed ?? 1, errors)
            ?? throw new ArgumentException(errors[0].Message);
        var data = registry.Load(dataset.Spec, training.Seed ?? 1);
        var plan = RunPlan.Check(new(), training, new(), data.Shape, errors) ?? throw new ArgumentException(errors[0].Message);
        using var trainer = new Trainer(plan, data);
        return trainer.Run(TestContext.Current.CancellationToken);
    }
}
