using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = max(0, z).</summary>
internal readonly struct Relu : IActivation<Relu>
{
    public static readonly ActivationInfo Info = new("relu", ["rectifier"], "max(0, z)", "z > 0 ? 1 : 0", [], "kaiming_normal",
        "Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines; "
        + "Glorot, Bordes & Bengio (2011), Deep sparse rectifier neural networks");

    // in this order NaN stays NaN: where an operand is NaN, x86 answers the second one
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => Vector512.MaxNative(Vector512<float>.Zero, z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.GreaterThan(z, Vector512<float>.Zero) & Vector512<float>.One;
}
