using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

/// <summary>
/// The elementary functions against double precision. Errors are relative, in units of 2^-24: half the distance
/// between floats just above 1.
/// </summary>
[Trait("Category", "Kernel")]
public class VectorMathTests
{
    public static TheoryData<string> Functions => [.. Table.Keys];

    private sealed record Function(Func<Vector512<float>, Vector512<float>> Vector,
        Func<double, double> Exact, float From, float To, double Units);

    private static readonly Dictionary<string, Function> Table = new()
    {
        ["exp"] = new(VectorMath.Exp, Math.Exp, -87, 88, 4),
        ["expm1"] = new(VectorMath.ExpM1, SpecialFunctions.ExpM1, -87, 88, 4),
        ["sigmoid"] = new(VectorMath.Sigmoid, SpecialFunctions.Sigmoid, -87, 87, 8),
        ["tanh"] = new(VectorMath.Tanh, Math.Tanh, -20, 20, 8),
        ["log"] = new(VectorMath.Log, Math.Log, 1e-30f, 1e30f, 4),
        ["log1p"] = new(VectorMath.Log1P, SpecialFunctions.Log1P, 0, 1, 8),
        ["normalCdf"] = new(VectorMath.NormalCdf, SpecialFunctions.NormalCdf, -5, 5, 60),
        ["normalPdf"] = new(Density, SpecialFunctions.NormalDensity, -5, 5, 30),
    };

    [Theory, MemberData(nameof(Functions))]
    public void Values_are_within_a_few_units_of_the_last_place(string name)
    {
        var function = Table[name];
        var x = Enumerable.Range(0, 40_001).Select(i => function.From + (function.To - function.From) * (i / 40_000f)).ToArray();
        var worst = x.Zip(Lanes.Map(function.Vector, x), (v, y) => (X: v, Error: Units(function.Exact(v), y))).MaxBy(e => e.Error);
        Assert.True(worst.Error <= function.Units, $"{name}({worst.X:R}) is off by {worst.Error:F1} units");
    }

    [Theory, MemberData(nameof(Functions))]
    public void Small_arguments_keep_their_digits(string name)
    {
        var function = Table[name];
        var x = Enumerable.Range(0, 125).Select(i => MathF.ScaleB(1.2345f, -i)).Concat([0f, float.Epsilon]).ToArray();
        if (function.From < 0)
            x = [.. x, .. x.Select(v => -v)];
        foreach (var (v, y) in x.Zip(Lanes.Map(function.Vector, x)))
            if (v >= function.From && v <= function.To)
                Assert.True(Units(function.Exact(v), y) <= function.Units, $"{name}({v:R}) = {y:R}, exactly {function.Exact(v):R}");
    }

    [Theory, MemberData(nameof(Functions))]
    public void NaN_stays_NaN(string name) => Assert.All(Lanes.Map(Table[name].Vector, [float.NaN]), y => Assert.True(float.IsNaN(y)));

    [Theory, MemberData(nameof(Functions))]
    public void Infinities_and_huge_arguments_reach_the_limit(string name)
    {
        var function = Table[name];
        if (function.From >= 0)
            return;
        foreach (var x in new[]
        {
            float.NegativeInfinity, float.MinValue, -1e10f, -1000, 1000, 1e10f, float.MaxValue, float.PositiveInfinity,
        })
            Assert.Equal((float)function.Exact(x), Lanes.Map(function.Vector, [x])[0]);
    }

    [Fact]
    public void Exp_overflows_and_underflows_where_float_does()
    {
        Assert.Equal([float.PositiveInfinity, 0, 1, 1], Lanes.Map(VectorMath.Exp, [88.73f, -103.98f, 0, -0f]));
        Assert.All(Lanes.Map(VectorMath.Exp, [88.72f]), y => Assert.True(float.IsFinite(y)));
        // denormal results: within one smallest float
        foreach (var x in new[] { -88f, -90, -95, -100, -103 })
            Assert.Equal(Math.Exp(x), Lanes.Map(VectorMath.Exp, [x])[0], (double)float.Epsilon * 1.01);
    }

    [Fact]
    public void A_sum_of_lanes_is_exact_for_whole_numbers() =>
        Assert.Equal(136, VectorMath.Sum(Vector512.Create(1f, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)));

    private static Vector512<float> Density(Vector512<float> x)
    {
        VectorMath.NormalCdf(x, out var density);
        return density;
    }

    private static double Units(double exact, float actual) =>
        exact.Equals(actual) ? 0 : Math.Abs(exact - actual) / Math.Max(Math.Abs(exact), 1.17549435e-38) * (1 << 24);
}
