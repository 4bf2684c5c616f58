using TrainingService.Engine.Initializers;
using Xunit;

namespace TrainingService.Engine.Tests.Initializers;

/// <summary>What each initialiser draws for a layer that isn't square, so that a swapped fan shows: 300 inputs, 700 outputs.</summary>
public class DrawTests
{
    private const int In = 300, Out = 700;
    private static readonly double Cut = 2 / 0.87962566103423978;
    private static readonly double Sqrt3 = Math.Sqrt(3);

    public static TheoryData<InitializerSpec, double, double, double> Cases
    {
        get
        {
            double average = (In + Out) / 2.0, relu = Math.Sqrt(2);
            var cases = new TheoryData<InitializerSpec, double, double, double>();
            void Add(InitializerSpec spec, double deviation, double mean = 0, double bound = double.PositiveInfinity) =>
                cases.Add(spec, mean, deviation, bound);
            Add(new() { Name = "uniform", Min = -1, Max = 3 }, 4 / Math.Sqrt(12), 1, 2);
            Add(new() { Name = "normal", Mean = 2, Std = 0.5 }, 0.5, 2);
            Add(new() { Name = "truncated_normal", Mean = -1, Std = 0.5 }, 0.5 * 0.87962566103423978, -1, 1);
            Add(new() { Name = "xavier_uniform" }, 1 / Math.Sqrt(average), 0, Sqrt3 / Math.Sqrt(average));
            Add(new() { Name = "xavier_normal", Gain = 3 }, 3 / Math.Sqrt(average));
            Add(new() { Name = "kaiming_uniform" }, relu / Math.Sqrt(In), 0, Sqrt3 * relu / Math.Sqrt(In));
            Add(new() { Name = "kaiming_normal" }, relu / Math.Sqrt(In));
            Add(new() { Name = "kaiming_normal", Mode = "fan_out" }, relu / Math.Sqrt(Out));
            Add(new() { Name = "kaiming_uniform", Mode = "fan_out", Gain = 1 }, 1 / Math.Sqrt(Out), 0, Sqrt3 / Math.Sqrt(Out));
            Add(new() { Name = "lecun_uniform" }, 1 / Math.Sqrt(In), 0, Sqrt3 / Math.Sqrt(In));
            Add(new() { Name = "lecun_normal" }, 1 / Math.Sqrt(In), 0, Cut / Math.Sqrt(In));
            Add(new() { Name = "variance_scaling" }, 1 / Math.Sqrt(In), 0, Cut / Math.Sqrt(In));
            Add(new() { Name = "variance_scaling", Scale = 2, Mode = "fan_out", Distribution = "normal" }, Math.Sqrt(2.0 / Out));
            Add(new() { Name = "variance_scaling", Scale = 3, Mode = "fan_avg", Distribution = "uniform" },
                Math.Sqrt(3 / average), 0, 3 / Math.Sqrt(average));
            Add(new() { Name = "standard" }, 1 / Sqrt3 / Math.Sqrt(In), 0, 1 / Math.Sqrt(In));
            Add(new() { Name = "auto" }, relu / Math.Sqrt(In));
            Add(new() { Name = "torch_default" }, 1 / Sqrt3 / Math.Sqrt(In), 0, 1 / Math.Sqrt(In));
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public void Mean_deviation_and_bounds_are_the_formulas(InitializerSpec spec, double mean, double deviation, double bound)
    {
        var weight = Weight(spec, seed: 1);
        Assert.Equal(mean, weight.Average(), 5 * deviation / Math.Sqrt(weight.Length));
        Assert.Equal(deviation, Deviation(weight), deviation * 0.01);
        var furthest = weight.Max(v => Math.Abs(v - mean));
        Assert.True(furthest <= bound * 1.000001, $"{furthest} beyond {bound}");
        // a bound is reached, and a normal goes beyond four deviations somewhere in 210,000 draws
        Assert.True(furthest > (double.IsInfinity(bound) ? 4 * deviation : 0.99 * bound), $"the furthest draw is {furthest}");
    }

    [Fact]
    public void Constants_are_constant()
    {
        Assert.All(Weight(new() { Name = "zeros" }, 1), v => Assert.Equal(0, v));
        Assert.All(Weight(new() { Name = "ones" }, 1), v => Assert.Equal(1, v));
        Assert.All(Weight(new() { Name = "constant", Value = -0.25 }, 1), v => Assert.Equal(-0.25f, v));
    }

    /// <summary>Kills part of a layer and leaves the draws of all weights as they are.</summary>
    [Theory, InlineData(0.5, 32), InlineData(1.0, 64), InlineData(0.0, 0), InlineData(0.01, 1)]
    public void A_constant_can_be_that_of_a_share_of_the_units(double share, int units)
    {
        var (weight, bias) = Initialized.Of(new() { Name = "kaiming_normal" }, 20, 64,
            bias: new() { Name = "constant", Value = -1000, Share = share });
        Assert.Equal([.. Enumerable.Repeat(-1000f, units), .. Enumerable.Repeat(0f, 64 - units)], bias);
        Assert.Equal(Initialized.Of(new() { Name = "kaiming_normal" }, 20, 64).Weight, weight);
        var constant = Initialized.Of(new() { Name = "constant", Value = 2, Share = share }, 3, 64).Weight;
        Assert.Equal([.. Enumerable.Repeat(2f, 3 * units), .. Enumerable.Repeat(0f, 3 * (64 - units))], constant);
    }

    [Fact]
    public void Draws_are_normal_where_they_say_so()
    {
        var z = Weight(new() { Name = "normal", Mean = 0, Std = 1 }, 3);
        foreach (var (below, share) in new[] { (-2, 0.02275), (-1, 0.15866), (0, 0.5), (1, 0.84134), (2, 0.97725) })
            Assert.Equal(share, z.Count(v => v < below) / (double)z.Length, 0.004);
        Assert.Equal(3, z.Average(v => Math.Pow(v, 4)), 0.05);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Equal_seeds_give_equal_bits_and_other_seeds_or_layers_other_draws(InitializerSpec spec,
        double mean, double deviation, double bound)
    {
        Assert.Equal(Weight(spec, 5), Weight(spec, 5));
        foreach (var (seed, layer) in new[] { (6L, 0), (5, 1), (-5, 0), (5L + (1L << 40), 0) })
        {
            var other = Weight(spec, seed, layer);
            var correlation = Weight(spec, 5).Zip(other).Average(p => (p.First - mean) * (p.Second - mean)) / deviation / deviation;
            Assert.InRange(correlation, -0.02, 0.02);
        }
        Assert.True(bound > 0);
    }

    [Theory]
    [InlineData("xavier_normal", "kaiming_normal"), InlineData("xavier_uniform", "kaiming_uniform"),
        InlineData("lecun_uniform", "torch_default")]
    public void Arms_of_a_comparison_share_their_draws_up_to_the_gain(string a, string b)
    {
        var (x, y) = (Weight(new() { Name = a }, 9), Weight(new() { Name = b }, 9));
        var ratio = Deviation(y) / Deviation(x);
        for (var i = 0; i < x.Length; i++)
            Assert.Equal(x[i] * ratio, y[i], 1e-6);
    }

    [Theory]
    [InlineData("relu", 1.4142135623730951), InlineData("tanh", 5.0 / 3),
        InlineData("sigmoid", 1), InlineData("identity", 1), InlineData("selu", 0.75)]
    [InlineData("gelu", 1.4142135623730951), InlineData("leaky_relu", 1.4141428569978354)]
    public void Kaiming_takes_PyTorchs_gain_of_the_layers_activation(string activation, double gain) =>
        Assert.Equal(gain / Math.Sqrt(In),
            Deviation(Weight(new() { Name = "kaiming_normal" }, 2, 0, activation)), 0.01 * gain / Math.Sqrt(In));

    private static float[] Weight(InitializerSpec spec, long seed, int layer = 0, string activation = "relu") =>
        Initialized.Of(spec, In, Out, seed, layer, new() { Name = activation }).Weight;

    private static double Deviation(float[] values)
    {
        var mean = values.Average(v => (double)v);
        return Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
    }
}
