using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = min(max(z, min), max).</summary>
internal readonly struct HardTanh(double min, double max) : IActivation<HardTanh>
{
    private readonly Vector512<float> _min = Vector512.Create((float)min);
    private readonly Vector512<float> _max = Vector512.Create((float)max);

    public static readonly NumberParameter Min = new("min", -1, Bounds.Finite, "Lower bound.");
    public static readonly NumberParameter Max = new("max", 1, Bounds.Finite, "Upper bound, above min.");

    public static readonly ActivationInfo Info = new("hard_tanh", ["hardtanh"], "min(max(z, min), max)", "min < z < max ? 1 : 0",
        [Min, Max], "xavier_normal",
        "Collobert (2004), Large scale machine learning");

    // in this order NaN stays NaN: where an operand is NaN, x86 answers the second one
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => Vector512.MinNative(_max, Vector512.MaxNative(_min, z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.GreaterThan(z, _min) & Vector512.LessThan(z, _max) & Vector512<float>.One;
}

/// <summary>Hard tanh from 0 to 6.</summary>
internal static class Relu6
{
    public static readonly ActivationInfo Info = new("relu6", [], "min(max(0, z), 6)", "0 < z < 6 ? 1 : 0", [], "kaiming_normal",
        "Krizhevsky (2010), Convolutional deep belief networks on CIFAR-10");
}
