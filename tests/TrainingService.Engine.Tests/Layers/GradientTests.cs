using TrainingService.Engine.Tests.Activations;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Layers;

/// <summary>
/// The engine's gradients against central differences: of the double-precision reference's loss, and of the engine's own. Differences that cross a kink
/// (a pre-activation on another side) say nothing and are left out; most must remain.
/// </summary>
[Trait("Category", "Kernel")]
public class GradientTests
{
    private const double Tolerance = 1e-3;

    public static MatrixTheoryData<string, string> Cases => new(
        [.. ActivationValueTests.Functions.Keys, "prelu per unit"], ["cross_entropy", "binary_cross_entropy", "mse"]);

    [Theory, MemberData(nameof(Cases))]
    public void Agree_with_differences_of_the_reference(string activation, string loss)
    {
        var net = RandomNet.Of(Function(activation), loss, seed: 11);
        using var engine = net.Engine();
        engine.Inner.Forward(1);
        engine.Backward();
        AssertAgree(net, net.Reference(), engine.Gradients(), 1e-6, null);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Agree_with_differences_of_the_engines_own_loss(string activation, string loss)
    {
        var net = RandomNet.Of(Function(activation), loss, seed: 12);
        using var engine = net.Engine();
        engine.Inner.Forward(1);
        engine.Backward();
        AssertAgree(net, net.Reference(), engine.Gradients(), 4e-3, parameters =>
        {
            engine.Set(parameters);
            engine.Inner.Forward();
            return engine.MeanLoss;
        });
    }

    [Theory, InlineData("tanh"), InlineData("prelu"), InlineData("identity"), InlineData("softplus")]
    public void Agree_with_the_dropped_units_held_fixed(string activation)
    {
        const double rate = 0.4;
        var net = RandomNet.Of(Function(activation), "cross_entropy", seed: 13);
        using var engine = net.Engine(rate);
        engine.Inner.Forward(5);
        double[][][] masks = [Mask(engine, 1, rate), Mask(engine, 2, rate)];
        engine.Backward();
        var reference = net.Reference(masks);
        Close.Assert(reference.Loss(net.Inputs, net.Targets, training: true), engine.MeanLoss, 1e-6, "loss");
        AssertAgree(net, reference, engine.Gradients(), 1e-6, null);
    }

    [Fact]
    public void Agree_for_a_layer_without_hidden_ones()
    {
        var net = RandomNet.Of(Function("identity"), "cross_entropy", seed: 14, features: 6);
        var flat = net with { Layers = [net.Layers[^1]] };
        using var engine = flat.Engine();
        engine.Inner.Forward(1);
        engine.Backward();
        AssertAgree(flat, flat.Reference(), engine.Gradients(), 1e-6, null);
    }

    /// <summary>What dropout let through before a layer: 0 or 1 / (1 - rate).</summary>
    private static unsafe double[][] Mask(EngineNetwork engine, int index, double rate)
    {
        var (layer, before) = (engine.Inner.Layers[index], engine.Inner.Layers[index - 1]);
        var mask = Enumerable.Range(0, engine.Inner.Samples).Select(s => Enumerable.Range(0, layer.Plan.Inputs).Select(u =>
        {
            var at = Engine.Memory.Layout.Block(u, s, layer.Plan.Inputs);
            if (layer.Dropped[at] != 0)
                Close.Assert(before.H[at] / (1 - rate), layer.Dropped[at], 1e-6, "kept and scaled");
            return layer.Dropped[at] == 0 ? 0 : 1 / (1 - rate);
        }).ToArray()).ToArray();
        Assert.InRange(mask.SelectMany(m => m).Count(m => m == 0), 5, 50);
        return mask;
    }

    /// <param name="loss">Of given parameters; the reference's if null.</param>
    private static void AssertAgree(RandomNet net, ReferenceNetwork reference, Dictionary<string, double[]> gradients, double h,
        Func<IReadOnlyDictionary<string, double[]>, double>? loss)
    {
        double squares = 0, errors = 0;
        int compared = 0, all = 0;
        foreach (var parameter in reference.Parameters)
            for (var i = 0; i < parameter.Values.Length; i++)
            {
                var value = parameter.Values[i];
                var (above, up) = At(value + h);
                var (below, down) = At(value - h);
                parameter.Values[i] = value;
                all++;
                if (!up.SequenceEqual(down))
                    continue;
                compared++;
                var difference = (above - below) / (2 * h);
                Close.Assert(difference, gradients[parameter.Name][i], Tolerance, $"{parameter.Name}[{i}]");
                squares += difference * difference;
                errors += Math.Pow(difference - gradients[parameter.Name][i], 2);

                (double, List<bool>) At(double moved)
                {
                    // the engine's parameters are floats: so must the reference's be, and the step between them exact
                    parameter.Values[i] = loss is null ? moved : (float)moved;
                    var own = reference.Loss(net.Inputs, net.Targets, training: true);
                    var sides = ReferenceNetwork.Flat(reference.Layers).SelectMany(l => l.PreActivations).SelectMany(z => z).Select(z => z > 0).ToList();
                    return (loss?.Invoke(reference.Parameters.ToDictionary(p => p.Name, p => p.Values)) ?? own, sides);
                }
            }
        Assert.True(compared > 0.7 * all, $"only {compared} of {all} differences lie on one side of the kinks");
        Assert.True(Math.Sqrt(errors / squares) < Tolerance, $"relative error {Math.Sqrt(errors / squares):E2}");
    }

    private static GoldenFunction Function(string name) => name == "prelu per unit"
        ? new() { Name = "prelu", Init = 0.25, PerUnit = true } : ActivationValueTests.Functions[name];
}
