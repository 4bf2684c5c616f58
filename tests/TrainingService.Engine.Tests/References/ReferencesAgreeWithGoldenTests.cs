using TrainingService.Engine.Tests.Golden;
using Xunit;

namespace TrainingService.Engine.Tests.References;

/// <summary>What the engine is judged by is judged first: the references against PyTorch's float64 results.</summary>
public class ReferencesAgreeWithGoldenTests
{
    private const double Tolerance = 1e-12;

    public static TheoryData<string> Activations => [.. GoldenFiles.Activations.Select(a => a.Id)];

    public static TheoryData<string> Trajectories => [.. GoldenFiles.TrajectoryNames];

    [Fact]
    public void The_files_are_there()
    {
        Assert.InRange(GoldenFiles.Activations.Count, 23, 24);
        Assert.InRange(GoldenFiles.TrajectoryNames.Count, 45, 46);
    }

    [Theory, MemberData(nameof(Activations))]
    public void Activations_and_their_derivatives_agree(string id)
    {
        var golden = GoldenFiles.Activation(id);
        var reference = ReferenceActivation.Of(golden.Function);
        Close.Assert(golden.F64.F, [.. golden.X.Select(reference.Value)], Tolerance, "f");
        Close.Assert(golden.F64.Df, [.. golden.X.Select(reference.Derivative)], Tolerance, "f'");
        if (golden.Kinks is not { } kinks)
            return;
        Close.Assert(kinks.F64.F, [.. kinks.X.Select(reference.Value)], Tolerance, "f at kinks");
        Close.Assert(kinks.F64.Df, [.. kinks.X.Select(reference.Derivative)], Tolerance, "f' at kinks");
    }

    [Theory, MemberData(nameof(Activations))]
    public void Derivatives_agree_with_central_differences(string id)
    {
        var golden = GoldenFiles.Activation(id);
        var reference = ReferenceActivation.Of(golden.Function);
        const double h = 1e-5;
        foreach (var x in golden.X.Where(x => Math.Abs(x) is > 0.01 and < 29 && golden.Kinks?.X.Any(k => Math.Abs(k - x) < 0.01) != true))
            Close.Assert(reference.Derivative(x), (reference.Value(x + h) - reference.Value(x - h)) / (2 * h), 1e-8, $"f'({x})");
    }

    [Theory, MemberData(nameof(Trajectories))]
    public void Whole_training_runs_agree(string name)
    {
        var golden = GoldenFiles.Trajectory(name);
        var network = ReferenceNetwork.Of(golden.Layers, golden.Initial, golden.Loss, golden.ActivityL1);
        Assert.Equal(golden.Parameters.Keys, network.Parameters.Select(p => p.Name));
        var optimizer = new ReferenceOptimizer(golden.Optimizer);
        var targets = golden.TargetRows;
        for (var step = 0; step < golden.Steps; step++)
        {
            AssertSlopes(golden, network, step);
            var pass = network.Gradients(golden.Inputs[golden.Rows(step)], targets[golden.Rows(step)]);
            Close.Assert(golden.F64.Losses[step], pass.Loss, Tolerance, $"loss of step {step}");
            if (golden.F64.Penalties is { } penalties)
                Close.Assert(penalties[step], pass.Penalty, Tolerance, $"penalty of step {step}");
            if (golden.F64.GradientNorms is { } norms)
                Close.Assert(norms[step], network.GradientNorm, Tolerance, $"gradient norm of step {step}");
            if (step == 0)
            {
                Close.Assert(golden.F64.LogitsStep1, pass.Outputs, Tolerance, "outputs of step 1");
                AssertAll(golden.F64.GradientsStep1, network, p => p.Gradient, "gradient");
            }
            if (golden.ClipNorm is { } norm)
                network.Clip(norm);
            if (step == 0 && golden.F64.ClippedGradientsStep1 is { } clipped)
                AssertAll(clipped, network, p => p.Gradient, "clipped gradient");
            optimizer.Step(network.Parameters);
            if (step > 0)
                continue;
            AssertAll(golden.F64.ParametersStep1, network, p => p.Values, "after step 1");
            AssertRunning(golden.F64.RunningStep1, network);
        }
        AssertSlopes(golden, network, golden.Steps);
        AssertAll(golden.F64.ParametersEnd, network, p => p.Values, "at the end");
        AssertRunning(golden.F64.RunningEnd, network);
        Close.Assert(golden.F64.EvalLogits, network.Forward(golden.Inputs[golden.Rows(0)], training: false), Tolerance, "evaluation");
        Close.Assert(golden.F64.EvalLoss, network.Loss(golden.Inputs[golden.Rows(0)], targets[golden.Rows(0)], training: false),
            Tolerance, "evaluation loss");
    }

    [Fact]
    public void The_generated_run_agrees()
    {
        var golden = GoldenFiles.Big();
        var data = BigRun.Of(golden);
        Assert.Equal(golden.Check.FirstWeights, data.Parameters["dense1.weight"][..4]);
        Assert.Equal(golden.Check.FirstInputs, data.Inputs[0][..4]);
        Assert.Equal(golden.Check.FirstLabels, data.Labels[..8]);
        foreach (var (name, sums) in golden.Check.Initial)
            AssertSums(sums, data.Parameters[name], name);
        var network = ReferenceNetwork.Of(golden.Layers, data.Parameters, golden.Loss);
        var optimizer = new ReferenceOptimizer(golden.Optimizer);
        for (var step = 0; step < golden.Steps; step++)
        {
            var (inputs, targets) = data.Batch(golden, step);
            Close.Assert(golden.F64.Losses[step], network.Gradients(inputs, targets).Loss, Tolerance, $"loss of step {step}");
            optimizer.Step(network.Parameters);
        }
        foreach (var parameter in network.Parameters)
            AssertSums(golden.F64.End[parameter.Name], parameter.Values, parameter.Name);
        var (first, labels) = data.Batch(golden, 0);
        Close.Assert(golden.F64.EvalLoss, network.Loss(first, labels, training: false), Tolerance, "evaluation loss");
    }

    private static void AssertAll(IReadOnlyDictionary<string, double[]> expected,
        ReferenceNetwork network, Func<ReferenceParameter, double[]> part, string what)
    {
        Assert.Equal(expected.Count, network.Parameters.Count);
        foreach (var parameter in network.Parameters)
            Close.Assert(expected[parameter.Name], part(parameter), Tolerance, $"{what} {parameter.Name}");
    }

    private static void AssertSlopes(GoldenTrajectory golden, ReferenceNetwork network, int step)
    {
        foreach (var (name, values) in golden.F64.Slopes ?? new Dictionary<string, double[][]>())
            Close.Assert(values[step], network.Parameters.Single(p => p.Name == name).Values, Tolerance, $"{name} at step {step}");
    }

    private static void AssertRunning(IReadOnlyDictionary<string, double[]>? expected, ReferenceNetwork network)
    {
        foreach (var norm in ReferenceNetwork.Flat(network.Layers).OfType<ReferenceBatchNorm>())
        {
            Close.Assert(expected![$"{norm.Name}.running_mean"], norm.RunningMean, Tolerance, norm.Name);
            Close.Assert(expected[$"{norm.Name}.running_var"], norm.RunningVariance, Tolerance, norm.Name);
        }
    }

    private static void AssertSums(GoldenSums expected, double[] values, string what)
    {
        Close.Assert(expected.Sum, values.Sum(), Tolerance, $"sum of {what}");
        Close.Assert(expected.SumOfSquares, values.Sum(v => v * v), Tolerance, $"squares of {what}");
    }
}
