using TrainingService.Engine.Activations;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Activations;

public class GainTests
{
    [Theory]
    [InlineData("relu", 1.4142, 1.4142)]
    [InlineData("tanh", 1.5925, 1.4674)]
    [InlineData("sigmoid", 1.8462, 4.7226)]
    [InlineData("elu", 1.2452, 1.2234)]
    [InlineData("selu", 1.0000, 0.9660)]
    [InlineData("softplus", 1.0419, 1.8462)]
    [InlineData("gelu", 1.5335, 1.4811)]
    [InlineData("silu", 1.6765, 1.6233)]
    [InlineData("softsign", 2.3375, 2.0958)]
    [InlineData("hard_silu", 1.7367, 1.6701)]
    [InlineData("identity", 1.0000, 1.0000)]
    public void Gains_have_the_known_values_to_four_digits(string name, double forward, double backward) =>
        AssertGains(new() { Name = name }, forward, backward);

    [Fact]
    public void Gains_follow_the_parameters()
    {
        AssertGains(new() { Name = "leaky_relu", NegativeSlope = 0.2 }, 1.3868, 1.3868);
        AssertGains(new() { Name = "prelu", Init = 0.2 }, 1.3868, 1.3868);
    }

    /// <summary>A quadrature of the scalar formulas in double precision, away from the engine's own.</summary>
    [Theory, MemberData(nameof(ActivationValueTests.All), MemberType = typeof(ActivationValueTests))]
    public void Gains_agree_with_a_quadrature_of_the_formula(string name)
    {
        var function = ActivationValueTests.Functions[name];
        var reference = ReferenceActivation.Of(function);
        var gains = Resolved(GoldenSpecs.Activation(function)).Gains;
        Close.Assert(1 / Math.Sqrt(SecondMoment(reference.Value)), gains.Forward, 2e-5, "forward");
        Close.Assert(1 / Math.Sqrt(SecondMoment(reference.Derivative)), gains.Backward, 2e-5, "backward");
    }

    [Fact]
    public void PyTorchs_table_is_kept()
    {
        Assert.Equal(1, Torch(new() { Name = "identity" }));
        Assert.Equal(1, Torch(new() { Name = "sigmoid" }));
        Assert.Equal(5.0 / 3, Torch(new() { Name = "tanh" }));
        Assert.Equal(Math.Sqrt(2), Torch(new() { Name = "relu" }));
        Assert.Equal(Math.Sqrt(2 / (1 + 0.01 * 0.01)), Torch(new() { Name = "leaky_relu" }));
        Assert.Equal(Math.Sqrt(2 / (1 + 0.3 * 0.3)), Torch(new() { Name = "leaky_relu", NegativeSlope = 0.3 }));
        Assert.Equal(0.75, Torch(new() { Name = "selu" }));
        Assert.Null(Torch(new() { Name = "gelu" }));
        Assert.Null(Torch(new() { Name = "softplus" }));
    }

    private static double? Torch(ActivationSpec spec) => Resolved(spec).Gains.Torch;

    private static void AssertGains(ActivationSpec spec, double forward, double backward)
    {
        var gains = Resolved(spec).Gains;
        Assert.Equal((forward, backward), (Math.Round(gains.Forward, 4), Math.Round(gains.Backward, 4)));
    }

    private static ActivationFunction Resolved(ActivationSpec spec) => ActivationRegistry.Resolve(spec, "", new List<SpecError>())!;

    /// <summary>E[f(z)^2] for z ~ N(0, 1) by the midpoint rule, which never lands on a kink at 0.</summary>
    private static double SecondMoment(Func<double, double> f)
    {
        const double step = 1e-3;
        return Enumerable.Range(-12_000, 24_000).Select(i => (i + 0.5) * step)
            .Sum(z => f(z) * f(z) * SpecialFunctions.NormalDensity(z)) * step;
    }
}
