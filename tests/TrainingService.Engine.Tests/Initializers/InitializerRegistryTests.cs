using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;
using Xunit;

namespace TrainingService.Engine.Tests.Initializers;

public class InitializerRegistryTests
{
    [Fact]
    public void All_names_of_this_version_are_there()
    {
        string[] expected =
        [
            "auto", "constant", "kaiming_normal", "kaiming_uniform", "lecun_normal",
            "lecun_uniform", "lsuv", "normal", "ones", "orthogonal", "rai", "sparse", "standard",
            "torch_default", "truncated_normal", "uniform", "variance_scaling", "xavier_normal", "xavier_uniform", "zeros",
        ];
        Assert.Equal(expected, InitializerRegistry.All.Select(i => i.Name));
        var all = InitializerRegistry.All.SelectMany(i => i.Aliases.Prepend(i.Name)).ToArray();
        Assert.Equal(all.Distinct(), all);
    }

    [Theory]
    [InlineData("he_normal", "kaiming_normal"), InlineData("he_uniform", "kaiming_uniform")]
    [InlineData("glorot_normal", "xavier_normal"), InlineData("glorot_uniform", "xavier_uniform")]
    public void Aliases_resolve_to_the_canonical_name(string alias, string name) =>
        Assert.Equal(name, Resolve(new() { Name = alias }).Resolved!.Name);

    [Theory, InlineData("kaiming_norml", "kaiming_normal"), InlineData("glorot_unifrom", "glorot_uniform"), InlineData("zeroes", "zeros")]
    public void An_unknown_name_is_answered_with_the_nearest_one(string wrong, string meant)
    {
        var error = Assert.Single(Resolve(new() { Name = wrong }).Errors);
        Assert.Equal("/i", error.Pointer);
        Assert.Contains($"did you mean '{meant}'", error.Message);
    }

    [Fact]
    public void Defaults_are_filled_in()
    {
        Assert.Equal("fan_in", Resolve(new() { Name = "kaiming_normal" }).Resolved!.Mode);
        Assert.Equal((0, 1), Resolve(new() { Name = "uniform" }).Resolved is { } u ? (u.Min, u.Max) : default);
        Assert.Equal((0, 1), Resolve(new() { Name = "normal" }).Resolved is { } n ? (n.Mean, n.Std) : default);
        var scaling = Resolve(new() { Name = "variance_scaling" }).Resolved!;
        Assert.Equal((1, "fan_in", "truncated_normal"), (scaling.Scale, scaling.Mode, scaling.Distribution));
        Assert.Equal((0.1, 0.01), Resolve(new() { Name = "sparse" }).Resolved is { } s ? (s.Sparsity, s.Std) : default);
        Assert.Equal(1, Resolve(new() { Name = "orthogonal" }).Resolved!.Gain);
    }

    public static TheoryData<InitializerSpec, string> Wrong => new()
    {
        { new() { Name = "normal", Std = -1 }, "/i/std" },
        { new() { Name = "normal", Mean = double.NaN }, "/i/mean" },
        { new() { Name = "constant", Value = double.PositiveInfinity }, "/i/value" },
        { new() { Name = "constant", Value = 1e300 }, "/i/value" },
        { new() { Name = "xavier_normal", Gain = 0 }, "/i/gain" },
        { new() { Name = "uniform", Min = 1, Max = 1 }, "/i/max" },
        { new() { Name = "uniform", Min = 2 }, "/i/max" },
        { new() { Name = "kaiming_normal", Mode = "fan_avg" }, "/i/mode" },
        { new() { Name = "variance_scaling", Distribution = "cauchy" }, "/i/distribution" },
        { new() { Name = "variance_scaling", Scale = double.NegativeInfinity }, "/i/scale" },
        { new() { Name = "zeros", Value = 1 }, "/i/value" },
        { new() { Name = "lecun_normal", Gain = 2 }, "/i/gain" },
        { new() { Name = "sparse", Sparsity = 1 }, "/i/sparsity" },
        { new() { Name = "sparse", Std = -0.1 }, "/i/std" },
        { new() { Name = "orthogonal", Gain = double.NaN }, "/i/gain" },
        { new() { Name = "auto", Gain = 1 }, "/i/gain" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void A_wrong_parameter_is_refused_at_its_own_pointer(InitializerSpec spec, string pointer)
    {
        var (resolved, errors) = Resolve(spec);
        Assert.Null(resolved);
        Assert.Equal(pointer, Assert.Single(errors).Pointer);
    }

    private static (InitializerSpec? Resolved, List<SpecError> Errors) Resolve(InitializerSpec spec)
    {
        var errors = new List<SpecError>();
        return (InitializerRegistry.Resolve(spec, "/i", errors)?.Spec, errors);
    }
}
