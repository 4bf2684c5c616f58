using TrainingService.Engine.Activations;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Activations;

/// <summary>f and f' of every activation of the engine against the scalar formulas, evaluating.</summary>
[Trait("Category", "Kernel")]
public class ActivationValueTests
{
    public static TheoryData<string> All => [.. Functions.Keys];

    /// <summary>Every activation with its defaults, and with parameters that tell a swapped sign or a missing factor.</summary>
    internal static readonly Dictionary<string, GoldenFunction> Functions = ActivationRegistry.All.Where(a => a.Parameters.Count == 0)
        .Select(a => KeyValuePair.Create(a.Name, new GoldenFunction { Name = a.Name })).Concat(new Dictionary<string, GoldenFunction>
        {
            ["leaky_relu"] = new() { Name = "leaky_relu", NegativeSlope = 0.01 },
            ["leaky_relu -0.5"] = new() { Name = "leaky_relu", NegativeSlope = -0.5 },
            ["prelu"] = new() { Name = "prelu", Init = 0.25 },
            ["prelu 1.5"] = new() { Name = "prelu", Init = 1.5 },
            ["elu"] = new() { Name = "elu", Alpha = 1 },
            ["elu 2.5"] = new() { Name = "elu", Alpha = 2.5 },
            ["gelu"] = new() { Name = "gelu", Approximate = "none" },
            ["gelu tanh"] = new() { Name = "gelu", Approximate = "tanh" },
            ["softplus"] = new() { Name = "softplus", Beta = 1, Threshold = 20 },
            ["softplus 3, 6"] = new() { Name = "softplus", Beta = 3, Threshold = 6 },
            ["rrelu"] = new() { Name = "rrelu", Lower = 0.125, Upper = 1.0 / 3 },
            ["rrelu -1, 2"] = new() { Name = "rrelu", Lower = -1, Upper = 2 },
            ["celu"] = new() { Name = "celu", Alpha = 1 },
            ["celu 0.4"] = new() { Name = "celu", Alpha = 0.4 },
            ["hard_tanh"] = new() { Name = "hard_tanh", Min = -1, Max = 1 },
            ["hard_tanh -0.5, 3"] = new() { Name = "hard_tanh", Min = -0.5, Max = 3 },
            ["soft_shrink"] = new() { Name = "soft_shrink", Lambda = 0.5 },
            ["soft_shrink 0"] = new() { Name = "soft_shrink", Lambda = 0 },
            ["hard_shrink"] = new() { Name = "hard_shrink", Lambda = 0.5 },
            ["hard_shrink 2"] = new() { Name = "hard_shrink", Lambda = 2 },
        }).ToDictionary();

    [Fact]
    public void Every_activation_of_the_engine_is_tested() =>
        Assert.Equal(ActivationRegistry.All.Select(a => a.Name).Order(), Functions.Values.Select(f => f.Name).Distinct().Order());

    [Theory, MemberData(nameof(All))]
    public void Agrees_with_the_formula_on_a_dense_grid(string name)
    {
        var reference = ReferenceActivation.Of(Functions[name]);
        var engine = ActivationHarness.Of(Functions[name]);
        double[] x =
        [
            .. Enumerable.Range(-30 * 128, 60 * 128 + 1).Select(i => i / 128.0),
            .. Enumerable.Range(1, 37).SelectMany(e => Signs(float.ScaleB(1, -4 * e + 1))),
        ];
        AssertClose(x, [.. x.Select(reference.Value)], engine.Values(x), 1e-6, "f");
        AssertClose(x, [.. x.Select(reference.Derivative)], engine.Derivatives(x), 2e-6, "f'");
    }

    [Theory, MemberData(nameof(All))]
    public void Zeros_and_denormals_are_exact_to_two_floats(string name)
    {
        var reference = ReferenceActivation.Of(Functions[name]);
        double[] x = [0, .. Signs(float.Epsilon), .. Signs(1e-40f), .. Signs(1.17549435e-38f)];
        var actual = ActivationHarness.Of(Functions[name]).Values(x);
        for (var i = 0; i < x.Length; i++)
            Assert.Equal(reference.Value(x[i]), actual[i], Math.Max(2 * float.Epsilon, 3e-7 * Math.Abs(reference.Value(x[i]))));
        Assert.Equal(reference.Value(0), ActivationHarness.Of(Functions[name]).Values([-0.0])[0], 1e-7);
    }

    [Theory, MemberData(nameof(All))]
    public void Huge_and_infinite_arguments_reach_the_limit(string name)
    {
        var reference = ReferenceActivation.Of(Functions[name]);
        var engine = ActivationHarness.Of(Functions[name]);
        double[] x = [.. Signs(100), .. Signs(1e4), .. Signs(1e20), .. Signs(3e38)];
        AssertClose(x, [.. x.Select(v => (double)(float)reference.Value(v))], engine.Values(x), 1e-6, "f");
        AssertClose(x, [.. x.Select(v => (double)(float)reference.Derivative(v))], engine.Derivatives(x), 1e-6, "f'");
        foreach (var infinity in Signs(double.PositiveInfinity))
        {
            var value = engine.Values([infinity])[0];
            // a product or quotient with an infinity: PyTorch answers NaN, and so may the engine
            if (double.IsNaN(value)
                && (infinity < 0 ? name.Split(' ')[0] is "gelu" or "silu" or "hard_silu" or "softsign" : name == "softsign"))
                continue;
            Assert.Equal((double)(float)reference.Value(infinity), value, 1e-6);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void NaN_stays_NaN(string name) => Assert.Equal([double.NaN], ActivationHarness.Of(Functions[name]).Values([double.NaN]));

    [Theory, MemberData(nameof(All))]
    public void A_value_does_not_depend_on_its_place_or_its_neighbours(string name)
    {
        var engine = ActivationHarness.Of(Functions[name]);
        var x = Enumerable.Range(0, 256).Select(i => Math.Sin(i * 12.9898) * 8).ToArray();
        double[] values = [.. x.Select(v => engine.Values([v])[0])], derivatives = [.. x.Select(v => engine.Derivatives([v])[0])];
        for (var length = 0; length <= 256; length++)
        {
            Assert.Equal(values[..length], engine.Values(x[..length]));
            Assert.Equal(derivatives[..length], engine.Derivatives(x[..length]));
        }
    }

    private static double[] Signs(double x) => [x, -x];

    private static void AssertClose(double[] x, double[] expected, double[] actual, double tolerance, string what)
    {
        for (var i = 0; i < x.Length; i++)
            Close.Assert(expected[i], actual[i], tolerance, $"{what}({x[i]:R})");
    }
}
