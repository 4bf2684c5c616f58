using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z s(z), s the logistic function.</summary>
internal readonly struct Silu : IActivation<Silu>
{
    public static readonly ActivationInfo Info = new("silu", ["swish"],
        "z / (1 + e^-z)", "s + z s (1 - s), s = 1 / (1 + e^-z)", [], "kaiming_normal",
        "Elfwing, Uchibe & Doya (2018), Sigmoid-weighted linear units; Ramachandran, Zoph & Le (2017), Searching for activation functions");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z * VectorMath.Sigmoid(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        z = VectorMath.Bounded(z);
        var s = VectorMath.Sigmoid(z);
        return Vector512.FusedMultiplyAdd(z * s, VectorMath.Sigmoid(-z), s);
    }
}
