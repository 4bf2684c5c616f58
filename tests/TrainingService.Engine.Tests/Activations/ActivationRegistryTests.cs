using TrainingService.Engine.Activations;
using TrainingService.Engine.Specs;
using Xunit;

namespace TrainingService.Engine.Tests.Activations;

public class ActivationRegistryTests
{
    [Fact]
    public void Names_are_snake_case_sorted_and_never_ambiguous()
    {
        var names = ActivationRegistry.All.Select(a => a.Name).ToArray();
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.All(names, n => Assert.Matches("^[a-z0-9_]+$", n));
        var all = ActivationRegistry.All.SelectMany(a => a.Aliases.Prepend(a.Name)).ToArray();
        Assert.Equal(all.Distinct(), all);
    }

    [Theory, InlineData("swish", "silu"), InlineData("linear", "identity"),
        InlineData("relu", "relu"), InlineData("hard_swish", "hard_silu")]
    public void Aliases_resolve_to_the_canonical_name(string alias, string name) =>
        Assert.Equal(name, Resolve(new() { Name = alias }).Resolved!.Name);

    [Fact]
    public void Defaults_are_PyTorchs()
    {
        Assert.Equal(0.01, Resolve(new() { Name = "leaky_relu" }).Resolved!.NegativeSlope);
        Assert.Equal((0.25, true), Resolve(new() { Name = "prelu" }).Resolved is { } p ? (p.Init, p.Shared) : default);
        Assert.Equal(1, Resolve(new() { Name = "elu" }).Resolved!.Alpha);
        Assert.Equal("none", Resolve(new() { Name = "gelu" }).Resolved!.Approximate);
        Assert.Equal((1, 20), Resolve(new() { Name = "softplus" }).Resolved is { } s ? (s.Beta, s.Threshold) : default);
        Assert.Equal((1.0 / 8, 1.0 / 3), Resolve(new() { Name = "rrelu" }).Resolved is { } r ? (r.Lower, r.Upper) : default);
        Assert.Equal((-1, 1), Resolve(new() { Name = "hard_tanh" }).Resolved is { } h ? (h.Min, h.Max) : default);
        Assert.Equal((0.5, 0.5, 1), (Resolve(new() { Name = "soft_shrink" }).Resolved!.Lambda,
            Resolve(new() { Name = "hard_shrink" }).Resolved!.Lambda, Resolve(new() { Name = "celu" }).Resolved!.Alpha));
        Assert.Equal(new ActivationSpec { Name = "relu" }, Resolve(new() { Name = "relu" }).Resolved);
    }

    [Theory]
    [InlineData("ReLU", "relu")]
    [InlineData("LeakyReLU", "leaky_relu")]
    [InlineData("Log-Sigmoid", "log_sigmoid")]
    [InlineData("SWISH", "silu")]
    public void A_name_is_known_however_it_is_written(string written, string name) =>
        Assert.Equal(name, Resolve(new() { Name = written }).Resolved?.Name);

    [Theory]
    [InlineData("leaky_rely", "leaky_relu")]
    [InlineData("sigmoyd", "sigmoid")]
    [InlineData("swich", "swish")]
    public void An_unknown_name_is_answered_with_the_nearest_one(string wrong, string meant)
    {
        var (resolved, errors) = Resolve(new() { Name = wrong });
        Assert.Null(resolved);
        var error = Assert.Single(errors);
        Assert.StartsWith("/a", error.Pointer);
        Assert.Contains($"unknown activation '{wrong}'", error.Message);
        Assert.Contains($"did you mean '{meant}'", error.Message);
    }

    [Fact]
    public void A_name_near_nothing_gets_no_suggestion() =>
        Assert.DoesNotContain("did you mean", Resolve(new() { Name = "zzzzzzzzzz" }).Errors.Single().Message);

    [Fact]
    public void A_parameter_of_another_activation_is_refused_at_its_own_pointer()
    {
        var (resolved, errors) = Resolve(new() { Name = "relu", NegativeSlope = 0.1, Beta = 2 });
        Assert.Null(resolved);
        Assert.Equal(["/a/beta", "/a/negativeSlope"], errors.Select(e => e.Pointer).Order());
        Assert.Contains("relu", errors[0].Message);
    }

    [Theory]
    [InlineData(double.NaN), InlineData(double.PositiveInfinity), InlineData(double.NegativeInfinity), InlineData(1e300)]
    public void A_slope_that_is_no_finite_float_is_refused(double slope)
    {
        Assert.Equal("/a/negativeSlope", Assert.Single(Resolve(new() { Name = "leaky_relu", NegativeSlope = slope }).Errors).Pointer);
        Assert.Equal("/a/init", Assert.Single(Resolve(new() { Name = "prelu", Init = slope }).Errors).Pointer);
    }

    [Fact]
    public void Parameters_out_of_range_are_refused()
    {
        Assert.Equal("/a/alpha", Assert.Single(Resolve(new() { Name = "elu", Alpha = -1 }).Errors).Pointer);
        Assert.Equal("/a/beta", Assert.Single(Resolve(new() { Name = "softplus", Beta = 0 }).Errors).Pointer);
        Assert.Equal("/a/alpha", Assert.Single(Resolve(new() { Name = "celu", Alpha = 0 }).Errors).Pointer);
        Assert.Equal("/a/lambda", Assert.Single(Resolve(new() { Name = "hard_shrink", Lambda = -0.1 }).Errors).Pointer);
        Assert.Equal("/a/max", Assert.Single(Resolve(new() { Name = "hard_tanh", Min = 1, Max = 1 }).Errors).Pointer);
        Assert.Equal("/a/upper", Assert.Single(Resolve(new() { Name = "rrelu", Lower = 0.4 }).Errors).Pointer);
        Assert.Equal("/a/threshold", Assert.Single(Resolve(new() { Name = "softplus", Threshold = double.NaN }).Errors).Pointer);
        var error = Assert.Single(Resolve(new() { Name = "gelu", Approximate = "tahn" }).Errors);
        Assert.Equal("/a/approximate", error.Pointer);
        Assert.Contains("did you mean 'tanh'", error.Message);
    }

    private static (ActivationSpec? Resolved, List<SpecError> Errors) Resolve(ActivationSpec spec)
    {
        var errors = new List<SpecError>();
        return (ActivationRegistry.Resolve(spec, "/a", errors)?.Spec, errors);
    }
}
