using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;

namespace TrainingService.Host.Tests.Findings;

/// <summary>What is found before a run, without a service.</summary>
public sealed class PreflightFindingTests
{
    private static readonly DatasetRegistry Datasets = new("/usr/share/datasets");

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

    /// <summary>As the run will find at step 0: units that answer the same to all rows, or entries of units that don't.</summary>
    [Theory]
    [InlineData("tanh", 30.0, 1.0, "units of hidden1 (tanh) are saturated on more than 99 % of the rows")]
    [InlineData("relu6", 20.0, 1.0, "units of hidden1 (relu6) are saturated on more than 99 % of the rows")]
    [InlineData("tanh", 0.0, 20.0, "of the outputs of hidden1 (tanh) are saturated")]
    [InlineData("sigmoid", 0.0, 30.0, "of the outputs of hidden1 (sigmoid) are saturated")]
    [InlineData("tanh", 0.0, 1.0, null)]
    [InlineData("tanh", 0.0, 5.0, null)]
    [InlineData("relu", -10.0, 1.0, null)]
    public void Saturated_layers_are_found_before_the_run_and_not_called_dead(string activation, double bias, double gain, string? told)
    {
        var (plan, data) = Plan("digits", new()
        {
            HiddenLayers = [64, 32],
            Activation = new() { Name = activation },
            Initializer = new() { Name = "xavier_normal", Gain = gain },
            BiasInitializer = new() { Name = "constant", Value = bias },
        });
        var preflight = Preflight.Predict(plan, data, TestContext.Current.CancellationToken);
        var findings = PreflightFindings.Of(plan, preflight, Facts(plan, data));
        var messages = string.Join("\n", findings.Where(f => f.Rule == "saturated_activations").Select(f => f.Message));
        Assert.Contains(told ?? "", messages, StringComparison.Ordinal);
        Assert.Equal(told is null, messages.Length == 0);
        if (activation != "relu")
            Assert.DoesNotContain(findings, finding => finding.Rule == "dead_units");
        IReadOnlyList<LayerPoint> points = [];
        using var trainer = new Trainer(plan, data) { OnLayers = layers => points = points.Count == 0 ? layers : points };
        trainer.Run(TestContext.Current.CancellationToken);
        var theory = Preflight.Theory(plan, data, TestContext.Current.CancellationToken);
        foreach (var (i, predicted) in preflight.Layers.SkipLast(1).Index())
            if (points[i].SaturatedUnitFraction is { } units)
            {
                Assert.Equal(points[i].Saturation - (activation == "relu6" ? points[i].OffRate : 0), predicted.Saturation!.Value, 0.1);
                Assert.Equal(units, predicted.SaturatedUnitFraction!.Value, 0.15);
                Assert.Equal(predicted.Saturation.Value, theory.Layers[i].Saturation!.Value, 0.1);
                Assert.True(theory.Layers[i].SaturatedUnitFraction <= units + 0.15);
            }
            else
            {
                Assert.Equal((null, null), (predicted.Saturation, predicted.SaturatedUnitFraction));
            }
    }

    /// <summary>Drawn anew where a start is suspicious, and told in the target's unit: near its variance, not far above.</summary>
    [Theory, InlineData("friedman1", 24, 1.5, 8), InlineData("digits", 2.3, 1.1, 2.5)]
    public void Nets_that_begin_as_they_should_begin_near_the_loss_of_guessing(string dataset, double guessing, double least, double most)
    {
        foreach (var (model, standardize) in ((ModelSpec, bool)[])[(new(), true), (new(), false),
            (new() { Initializer = new() { Name = "normal", Std = 3 }, BiasInitializer = new() { Name = "constant", Value = 9 } }, true)])
        {
            var (plan, data) = Plan(dataset, model, standardize);
            Assert.InRange(Facts(plan, data).LargestUsualStart!.Value / guessing, least, most);
        }
    }

    /// <summary>Rare categories among scaled inputs are small, and nothing is to be done about it.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void Only_features_that_are_not_scaled_are_compared(bool standardized)
    {
        var (plan, data) = Plan("penguins", new(), standardized);
        var facts = DataFacts.Of(plan, data, standardized, Datasets.Find("penguins")?.InputNames ?? []);
        Assert.Equal(standardized ? null : "body_mass_g", facts.Largest?.Name);
        Assert.Equal(standardized, facts.Ratio == 1);
    }

    [Theory, InlineData("iris"), InlineData("breast_cancer"), InlineData("digits")]
    public void Inputs_have_the_root_mean_square_of_all_of_them(string dataset)
    {
        var (plan, data) = Plan(dataset, new(), standardize: false);
        Assert.Equal(Math.Sqrt(data.Train.Features.All().Average(x => (double)x * x)), Facts(plan, data).InputRms, 1e-12);
    }

    private static DataFacts Facts(RunPlan plan, TrainingData data) => DataFacts.Of(plan, data, standardized: true, []);

    private static (RunPlan Plan, TrainingData Data) Plan(string dataset, ModelSpec model, bool standardize = true)
    {
        var errors = new List<SpecError>();
        var spec = Datasets.Resolve(new() { Name = dataset, Standardize = standardize }, 1, errors)?.Spec;
        Assert.NotNull(spec);
        var data = Datasets.Load(spec, 1);
        var plan = RunPlan.Check(model, new() { Seed = 1 }, new(), data.Shape, errors);
        Assert.Empty(errors);
        Assert.NotNull(plan);
        return (plan, data);
    }
}
