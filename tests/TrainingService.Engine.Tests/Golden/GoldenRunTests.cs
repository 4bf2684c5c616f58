using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Tests.Layers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>The engine's training steps against PyTorch's, within the tolerances of the files.</summary>
[Trait("Category", "Kernel")]
public class GoldenRunTests
{
    public static TheoryData<string> Supported => [.. GoldenFiles.TrajectoryNames.Where(n => !NotYet.Reasons.ContainsKey(n))];

    public static TheoryData<string> All => [.. GoldenFiles.TrajectoryNames];

    [Theory, MemberData(nameof(All))]
    public void A_run_is_refused_by_name_or_followed(string name)
    {
        var golden = GoldenFiles.Trajectory(name);
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(GoldenSpecs.Model(golden), GoldenSpecs.Training(golden), new(), GoldenSpecs.Data(golden), errors);
        if (NotYet.Reasons.ContainsKey(name))
            Assert.Contains(errors, e => e.Message.Contains("not supported yet"));
        else
            Assert.Empty(errors);
        Assert.Equal(errors.Count > 0, plan is null);
    }

    [Theory, MemberData(nameof(Supported))]
    public void Steps_like_PyTorch(string name)
    {
        var golden = GoldenFiles.Trajectory(name);
        var classes = golden.Loss.Name is "cross_entropy" or "binary_cross_entropy";
        using var network = new EngineNetwork(golden.Layers, golden.Loss, Resolved(golden), golden.BatchSize, classes);
        var targets = golden.TargetRows;
        network.Set(golden.Initial);
        for (var step = 0; step < golden.Steps; step++)
        {
            foreach (var (slope, values) in golden.F64.Slopes ?? new Dictionary<string, double[][]>())
                Close.Assert(values[step], network.Parameters()[slope], golden.Tolerance.ParametersEnd, $"{slope} before step {step + 1}");
            network.Load(golden.Inputs[golden.Rows(step)], targets[golden.Rows(step)], classes);
            network.Inner.Forward(step + 1);
            Close.Assert(golden.F64.Losses[step], network.MeanLoss, golden.Tolerance.Losses, $"loss of step {step + 1}");
            if (step == 0)
                Close.Assert(golden.F64.LogitsStep1, network.Outputs(), golden.Tolerance.Logits, "outputs of step 1");
            network.Backward();
            if (step == 0)
                AssertAll(golden.F64.ParametersStep1, network.Parameters(), golden.Tolerance.ParametersStep1, "after step 1");
        }
        AssertAll(golden.F64.ParametersEnd, network.Parameters(), golden.Tolerance.ParametersEnd, "at the end");
        network.Load(golden.Inputs[golden.Rows(0)], targets[golden.Rows(0)], classes);
        network.Inner.Forward();
        Close.Assert(golden.F64.EvalLogits, network.Outputs(), golden.Tolerance.Logits, "evaluation");
        Close.Assert(golden.F64.EvalLoss, network.MeanLoss, golden.Tolerance.Losses, "evaluation loss");
    }

    [Theory, MemberData(nameof(Supported))]
    public void Has_PyTorchs_gradients(string name)
    {
        var golden = GoldenFiles.Trajectory(name);
        var classes = golden.Loss.Name is "cross_entropy" or "binary_cross_entropy";
        using var network = new EngineNetwork(golden.Layers, golden.Loss, null, golden.BatchSize, classes);
        network.Set(golden.Initial);
        network.Load(golden.Inputs[golden.Rows(0)], golden.TargetRows[golden.Rows(0)], classes);
        network.Inner.Forward(1);
        var norm = network.Backward();
        AssertAll(golden.F64.GradientsStep1, network.Gradients(), golden.Tolerance.GradientsStep1, "gradient");
        Close.Assert(Math.Sqrt(golden.F64.GradientsStep1.Values.Sum(g => g.Sum(v => v * v))), norm, 1e-5, "norm");
    }

    [Fact]
    public void Follows_the_larger_generated_run()
    {
        var golden = GoldenFiles.Big();
        var data = BigRun.Of(golden);
        using var network = new EngineNetwork(golden.Layers, golden.Loss, GoldenSpecs.Optimizer(golden.Optimizer), golden.BatchSize, classes: true);
        network.Set(data.Parameters);
        for (var step = 0; step < golden.Steps; step++)
        {
            LoadBatch(step);
            Close.Assert(golden.F64.Losses[step], network.MeanLoss, golden.Tolerance.Losses, $"loss of step {step + 1}");
            network.Backward();
        }
        foreach (var (name, values) in network.Parameters())
        {
            var sums = golden.F64.End[name];
            Close.Assert(sums.Sum, values.Sum(), golden.Tolerance.Checksums, $"sum of {name}");
            Close.Assert(sums.SumOfSquares, values.Sum(v => v * v), golden.Tolerance.Checksums, $"squares of {name}");
        }
        LoadBatch(0);
        Close.Assert(golden.F64.EvalLoss, network.MeanLoss, golden.Tolerance.Losses, "evaluation loss");

        void LoadBatch(int step)
        {
            var (inputs, labels) = data.Batch(golden, step);
            network.Load(inputs, labels, classes: true);
            network.Inner.Forward();
        }
    }

    private static OptimizerSpec Resolved(GoldenTrajectory golden) =>
        RunPlan.Check(GoldenSpecs.Model(golden), GoldenSpecs.Training(golden), new(), GoldenSpecs.Data(golden), new List<SpecError>())!.Training.Optimizer!;

    private static void AssertAll(IReadOnlyDictionary<string, double[]> expected, Dictionary<string, double[]> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, values) in expected)
            Close.Assert(values, actual[name], tolerance, $"{what} {name}");
    }
}
