using TrainingService.Engine.Tests.Golden;
using static TrainingService.Engine.Tests.References.SpecialFunctions;

namespace TrainingService.Engine.Tests.References;

/// <summary>An activation from its formula, one number at a time, in double precision. At a kink the derivative is PyTorch's.</summary>
public sealed record ReferenceActivation(Func<double, double> Value, Func<double, double> Derivative)
{
    private const double SeluScale = 1.0507009873554805;
    private const double SeluAlpha = 1.6732632423543772;

    public static ReferenceActivation Of(GoldenFunction function) => function.Name switch
    {
        "identity" => new(x => x, _ => 1),
        "relu" => new(x => Math.Max(x, 0), x => x > 0 ? 1 : 0),
        "leaky_relu" => Leaky(function.NegativeSlope!.Value),
        "prelu" => Leaky(function.Init!.Value),
        "rrelu" => Leaky((function.Lower!.Value + function.Upper!.Value) / 2),
        "relu6" => new(x => Math.Clamp(x, 0, 6), x => x is > 0 and < 6 ? 1 : 0),
        "elu" => Elu(function.Alpha!.Value),
        "celu" => Celu(function.Alpha!.Value),
        "selu" => new(x => SeluScale * (x > 0 ? x : SeluAlpha * ExpM1(x)), x => SeluScale * (x > 0 ? 1 : SeluAlpha * Math.Exp(x))),
        "gelu" when function.Approximate == "tanh" => GeluTanh(),
        "gelu" => new(x => TimesTail(x, NormalCdf(x)), x => NormalCdf(x) + TimesTail(x, NormalDensity(x))),
        "silu" => new(x => TimesTail(x, Sigmoid(x)), x => Sigmoid(x) + TimesTail(x, Sigmoid(x) * Sigmoid(-x))),
        "mish" => new(x => TimesTail(x, Math.Tanh(Softplus(x))),
            x => Math.Tanh(Softplus(x)) + TimesTail(x, SechSquared(Softplus(x)) * Sigmoid(x))),
        "sigmoid" => new(Sigmoid, x => Sigmoid(x) * Sigmoid(-x)),
        "log_sigmoid" => new(x => -Softplus(-x), x => Sigmoid(-x)),
        "tanh" => new(Math.Tanh, SechSquared),
        "hard_tanh" => HardTanh(function.Min!.Value, function.Max!.Value),
        "hard_sigmoid" => new(HardSigmoid, x => x is > -3 and < 3 ? 1.0 / 6 : 0),
        "hard_silu" => new(x => TimesTail(x, HardSigmoid(x)), x => x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : x >= 3 ? 1 : x),
        "softplus" => SoftplusWith(function.Beta!.Value, function.Threshold!.Value),
        "softsign" =>
            new(x => double.IsInfinity(x) ? Math.Sign(x) : x / (1 + Math.Abs(x)), x => 1 / ((1 + Math.Abs(x)) * (1 + Math.Abs(x)))),
        "tanh_shrink" => new(x => x - Math.Tanh(x), x => Math.Tanh(x) * Math.Tanh(x)),
        "soft_shrink" => SoftShrink(function.Lambda!.Value),
        "hard_shrink" => HardShrink(function.Lambda!.Value),
        _ => throw new ArgumentException($"no reference for '{function.Name}'"),
    };

    private static ReferenceActivation Leaky(double slope) => new(x => x > 0 ? x : slope * x, x => x > 0 ? 1 : slope);

    private static ReferenceActivation Elu(double alpha) => new(x => x > 0 ? x : alpha * ExpM1(x), x => x > 0 ? 1 : alpha * Math.Exp(x));

    private static ReferenceActivation Celu(double alpha) =>
        new(x => x > 0 ? x : alpha * ExpM1(x / alpha), x => x > 0 ? 1 : Math.Exp(x / alpha));

    private static ReferenceActivation HardTanh(double min, double max) =>
        new(x => Math.Clamp(x, min, max), x => x > min && x < max ? 1 : 0);

    private static ReferenceActivation SoftplusWith(double beta, double threshold) =>
        new(x => beta * x > threshold ? x : Softplus(beta * x) / beta, x => beta * x > threshold ? 1 : Sigmoid(beta * x));

    private static ReferenceActivation SoftShrink(double lambda) =>
        new(x => x > lambda ? x - lambda : x < -lambda ? x + lambda : 0, x => Math.Abs(x) > lambda ? 1 : 0);

    private static ReferenceActivation HardShrink(double lambda) =>
        new(x => Math.Abs(x) > lambda ? x : 0, x => Math.Abs(x) > lambda ? 1 : 0);

    private static ReferenceActivation GeluTanh()
    {
        var scale = Math.Sqrt(2 / Math.PI);
        double Inner(double x) => scale * (x + 0.044715 * x * x * x);
        // (1 + tanh u) / 2 = sigmoid(2u), which keeps its digits in the left tail.
        return new(x => TimesTail(x, Sigmoid(2 * Inner(x))),
            x => Sigmoid(2 * Inner(x)) + TimesTail(x, SechSquared(Inner(x)) / 2 * scale * (1 + 3 * 0.044715 * x * x)));
    }

    private static double HardSigmoid(double x) => Math.Clamp(x / 6 + 0.5, 0, 1);

    private static double SechSquared(double x)
    {
        var e = Math.Exp(-2 * Math.Abs(x));
        return 4 * e / ((1 + e) * (1 + e));
    }

    /// <summary>x * tail where the tail falls to 0 faster than x grows: 0, not NaN, at the infinities.</summary>
    private static double TimesTail(double x, double tail) => tail == 0 || double.IsNaN(tail) && double.IsInfinity(x) ? 0 : x * tail;
}
