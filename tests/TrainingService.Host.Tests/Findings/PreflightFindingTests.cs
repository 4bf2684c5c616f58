using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;

namespace TrainingService.Host.Tests.Findings;

/// <summary>What is found before a run, without a service.</summary>
public sealed class PreflightFindingTests
{
    private static readonly DatasetRegistry Datasets = new("/usr/share/datasets/fashion-mnist");

    public static TheoryData<string> Built =>
        [.. Datasets.All.Where(dataset => dataset.FindObstacle() is null).Select(dataset => dataset.Name)];

    [Theory, MemberData(nameof(Built))]
    public void A_default_job_is_not_warned_of_on_any_built_in_data_set(string dataset)
    {
        var (plan, data) = Plan(dataset, new());
        var preflight = Preflight.Predict(plan, data, TestContext.Current.CancellationToken);
        Assert.Equal("", string.Join("\n", PreflightFindings.Of(plan, preflight, Facts(plan, data)).Select(finding => finding.Message)));
        Assert.Empty(preflight.Notes ?? []);
        Assert.Equal(PreflightBasis.Draws, preflight.Basis);
    }

    [Fact]
    public void A_bound_is_called_one()
    {
        var (plan, data) = Plan("digits", new() { HiddenLayers = [.. Enumerable.Repeat(3, 9)] });
        var theory = Preflight.Theory(plan, data, TestContext.Current.CancellationToken);
        var finding = Assert.Single(PreflightFindings.Of(plan, theory, Facts(plan, data)));
        Assert.Equal(0.6993, finding.Value, 0.0001);
        Assert.StartsWith("With a probability of at most 70 % (an upper bound)", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Saturated_units_are_not_called_dead()
    {
        var (plan, data) = Plan("digits", new()
        {
            HiddenLayers = [2, 2],
            Activation = new() { Name = "tanh" },
            Initializer = new() { Name = "normal", Std = 0.1 },
            BiasInitializer = new() { Name = "constant", Value = 30 },
        });
        var predicted = Preflight.Predict(plan, data, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(PreflightFindings.Of(plan, predicted, Facts(plan, data)), finding => finding.Rule == "dead_units");
    }

    private static DataFacts Facts(RunPlan plan, TrainingData data) => DataFacts.Of(plan, data, standardized: true, []);

    private static (RunPlan Plan, TrainingData Data) Plan(string dataset, ModelSpec model)
    {
        var errors = new List<SpecError>();
        var spec = Datasets.Resolve(new() { Name = dataset }, 1, errors)?.Spec;
        Assert.NotNull(spec);
        var data = Datasets.Load(spec, 1);
        var plan = RunPlan.Check(model, new() { Seed = 1 }, new(), data.Shape, errors);
        Assert.Empty(errors);
        Assert.NotNull(plan);
        return (plan, data);
    }
}
