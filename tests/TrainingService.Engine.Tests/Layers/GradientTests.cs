using TrainingService.Engine.Tests.Activations;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Layers;

/// <summary>
/// The engine's gradients against the reference's, number by number, and those against central differences of the reference's loss along a
/// random direction of each parameter. A difference across a kink says nothing and is left out; most must remain.
/// </summary>
public class GradientTests
{
    private static readonly string[] Losses = ["cross_entropy", "cross_entropy smoothed", "binary_cross_entropy", "mse", "huber"];

    public static MatrixTheoryData<string, string> Cases =>
        new([.. ActivationValueTests.Functions.Keys, "prelu per unit"], RandomNet.Structures.Keys);

    [Theory, MemberData(nameof(Cases))]
    public void Agree_with_central_differences(string activation, string structure)
    {
        foreach (var loss in Losses)
            foreach (var activityL1 in new[] { 0, 0.03 })
            {
                var net = RandomNet.Of(Function(activation), loss, seed: 11, structure: structure, activityL1: activityL1);
                AssertAgree(net, training: true, Function(activation));
            }
    }

    [Theory, Trait("Category", "Kernel"), InlineData("batch_norm"), InlineData("nested residual"),
        InlineData("dropout"), InlineData("before the first dense")]
    public void Agree_when_evaluating(string structure)
    {
        foreach (var activation in new[] { "tanh", "relu", "rrelu", "prelu per unit" })
            AssertAgree(RandomNet.Of(Function(activation), "cross_entropy", seed: 12, structure: structure),
                training: false, Function(activation));
    }

    [Fact, Trait("Category", "Kernel")]
    public void Agree_with_differences_of_the_engines_own_loss()
    {
        foreach (var structure in RandomNet.Structures.Keys)
        {
            var net = RandomNet.Of(Function("softplus"), "cross_entropy", seed: 13, structure: structure, activityL1: 0.03);
            using var engine = net.Engine();
            engine.Inner.Forward(1);
            engine.Backward();
            var gradients = engine.Gradients();
            foreach (var (name, values) in net.Parameters)
            {
                const double h = 1.0 / 256;
                double At(double moved)
                {
                    engine.Set(net.Parameters.ToDictionary(p => p.Key, p => p.Key == name ? [.. p.Value.Select(v => v + moved)] : p.Value));
                    engine.Inner.Forward(1);
                    return engine.MeanLoss + engine.MeanPenalty;
                }
                Close.Assert((At(h) - At(-h)) / (2 * h), gradients[name].Sum(), 3e-3, $"{structure}: {name}");
            }
        }
    }

    private static void AssertAgree(RandomNet net, bool training, GoldenFunction function)
    {
        var reference = net.Reference();
        using var engine = net.Engine();
        engine.Inner.Forward(training ? 1 : 0);
        engine.Backward();
        var loss = reference.Gradients(net.Inputs, net.Targets, training);
        Close.Assert(loss.DataLoss, engine.MeanLoss, 2e-6, "loss");
        Close.Assert(loss.Penalty, engine.MeanPenalty, 2e-6, "penalty");
        Close.Assert(loss.Outputs, engine.Outputs(), 1e-5, "outputs");
        var gradients = engine.Gradients();
        foreach (var parameter in reference.Parameters)
            Close.Assert(parameter.Gradient, gradients[parameter.Name], 1e-5, $"{net.Loss} of {parameter.Name}");
        AssertDifferences(net, reference, training, Kinks(function));
    }

    private static void AssertDifferences(RandomNet net, ReferenceNetwork reference, bool training, double[] kinks)
    {
        const double h = 1e-6;
        var generator = new SplitMix64(14);
        var compared = 0;
        foreach (var parameter in reference.Parameters)
        {
            double[] values = [.. parameter.Values], gradient = [.. parameter.Gradient], direction = generator.Symmetric(values.Length, 1);
            var (above, up) = At(h);
            var (below, down) = At(-h);
            values.CopyTo(parameter.Values, 0);
            if (!up.SequenceEqual(down))
                continue;
            compared++;
            Close.Assert((above - below) / (2 * h), gradient.Zip(direction).Sum(p => p.First * p.Second),
                1e-6, $"difference along {parameter.Name}");

            (double, int[]) At(double moved)
            {
                for (var i = 0; i < values.Length; i++)
                    parameter.Values[i] = values[i] + moved * direction[i];
                var loss = reference.Loss(net.Inputs, net.Targets, training);
                return (loss, [.. ReferenceNetwork.Flat(reference.Layers)
                    .OfType<ReferenceElementwise>().SelectMany(l => l.Z).SelectMany(z => z)
                    .Select(z => kinks.Count(k => z > k))]);
            }
        }
        Assert.True(compared > 0.7 * reference.Parameters.Count,
            $"only {compared} of {reference.Parameters.Count} differences lie on one side of the kinks");
    }

    /// <summary>Where f, f' or the sign of h jumps.</summary>
    private static double[] Kinks(GoldenFunction f) => f.Name switch
    {
        "relu6" => [0, 6],
        "hard_tanh" => [f.Min!.Value, 0, f.Max!.Value],
        "hard_sigmoid" or "hard_silu" => [-3, 0, 3],
        "soft_shrink" or "hard_shrink" => [-f.Lambda!.Value, 0, f.Lambda.Value],
        "softplus" => [f.Threshold!.Value / f.Beta!.Value],
        _ => [0],
    };

    private static GoldenFunction Function(string name) => name == "prelu per unit"
        ? new() { Name = "prelu", Init = 0.25, PerUnit = true } : ActivationValueTests.Functions[name];
}
