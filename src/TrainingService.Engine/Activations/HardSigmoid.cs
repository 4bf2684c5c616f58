using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = min(max(z/6 + 1/2, 0), 1).</summary>
internal readonly struct HardSigmoid : IActivation<HardSigmoid>
{
    public static readonly ActivationInfo Info = new("hard_sigmoid", ["hardsigmoid"], "min(max(z/6 + 1/2, 0), 1)", "-3 < z < 3 ? 1/6 : 0",
        [], "xavier_normal", "Courbariaux, Bengio & David (2015), BinaryConnect; slope 1/6 as in Howard et al. (2019)");

    // in this order NaN stays NaN: where an operand is NaN, x86 answers the second one
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.MinNative(Vector512<float>.One,
            Vector512.MaxNative(Vector512<float>.Zero, Vector512.FusedMultiplyAdd(z, Vector512.Create(1 / 6f), Vector512.Create(0.5f))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.LessThan(Vector512.Abs(z), Vector512.Create(3f)) & Vector512.Create(1 / 6f);
}

/// <summary>f(z) = z hard_sigmoid(z).</summary>
internal readonly struct HardSilu : IActivation<HardSilu>
{
    public static readonly ActivationInfo Info = new("hard_silu", ["hard_swish", "hardswish"], "z min(max(z/6 + 1/2, 0), 1)",
        "z <= -3 ? 0 : z < 3 ? z/3 + 1/2 : 1", [], "kaiming_normal", "Howard et al. (2019), Searching for MobileNetV3");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z * default(HardSigmoid).Value(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        var middle = Vector512.FusedMultiplyAdd(z, Vector512.Create(1 / 3f), Vector512.Create(0.5f));
        var right = Vector512.ConditionalSelect(Vector512.LessThan(z, Vector512.Create(3f)), middle, Vector512<float>.One);
        return Vector512.AndNot(right, Vector512.LessThanOrEqual(z, Vector512.Create(-3f)));
    }
}
