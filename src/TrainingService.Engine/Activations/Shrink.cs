using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = sign(z) max(|z| - lambda, 0).</summary>
internal readonly struct SoftShrink(double lambda) : IActivation<SoftShrink>
{
    private readonly Vector512<float> _lambda = Vector512.Create((float)lambda);

    public static readonly NumberParameter Lambda = new("lambda", 0.5, Bounds.NonNegative, "Half the width of the zero part.");

    public static readonly ActivationInfo Info = new("soft_shrink", ["softshrink"], "sign(z) max(|z| - lambda, 0)", "|z| > lambda ? 1 : 0",
        [Lambda], "kaiming_normal", "Donoho & Johnstone (1994), Ideal spatial adaptation by wavelet shrinkage");

    // in this order NaN stays NaN: where an operand is NaN, x86 answers the second one
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z - Vector512.MinNative(_lambda, Vector512.MaxNative(-_lambda, z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.GreaterThan(Vector512.Abs(z), _lambda) & Vector512<float>.One;
}

/// <summary>f(z) = |z| > lambda ? z : 0.</summary>
internal readonly struct HardShrink(double lambda) : IActivation<HardShrink>
{
    private readonly Vector512<float> _lambda = Vector512.Create((float)lambda);

    public static readonly ActivationInfo Info = new("hard_shrink", ["hardshrink"], "|z| > lambda ? z : 0", "|z| > lambda ? 1 : 0",
        [SoftShrink.Lambda], "kaiming_normal", "Donoho & Johnstone (1994), Ideal spatial adaptation by wavelet shrinkage");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => Vector512.AndNot(z, Vector512.LessThanOrEqual(Vector512.Abs(z), _lambda));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.GreaterThan(Vector512.Abs(z), _lambda) & Vector512<float>.One;
}
