using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>
/// f(z) = z > 0 ? z : slope z, the slope drawn from U(lower, upper) for every entry while training, else (lower + upper) / 2.
/// </summary>
internal readonly struct RRelu(double lower, double upper) : IActivation<RRelu>
{
    private readonly Vector512<float> _lower = Vector512.Create((float)lower);
    private readonly Vector512<float> _range = Vector512.Create((float)(upper - lower));
    private readonly Vector512<float> _slope = Vector512.Create((float)((lower + upper) / 2));

    private RRelu(RRelu other, Vector512<float> slope) : this(0, 0) => (_lower, _range, _slope) = (other._lower, other._range, slope);

    public static readonly NumberParameter Lower = new("lower", 1.0 / 8, Bounds.Finite, "Least slope.");
    public static readonly NumberParameter Upper = new("upper", 1.0 / 3, Bounds.Finite, "Largest slope, at least lower.");

    public static readonly ActivationInfo Info = new("rrelu", ["randomized_relu"],
        "z > 0 ? z : slope z, slope ~ U(lower, upper); (lower + upper)/2 when evaluated", "z > 0 ? 1 : slope",
        [Lower, Upper], "kaiming_normal",
        "Xu, Wang, Chen & Li (2015), Empirical evaluation of rectified activations in convolutional network");

    public static bool Random => true;

    // 24 bits make a float in [0, 1)
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RRelu WithBits(RRelu self, Vector512<uint> bits) =>
        new(self, Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle((bits >>> 8).AsInt32()) * Vector512.Create(1f / (1 << 24)),
            self._range, self._lower));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), z, _slope * z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), Vector512<float>.One, _slope);
}
