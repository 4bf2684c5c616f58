using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = 1 / (1 + e^-z).</summary>
internal readonly struct Sigmoid : IActivation<Sigmoid>
{
    public static readonly ActivationInfo Info = new("sigmoid", ["logistic"], "1 / (1 + e^-z)", "s (1 - s), s = f(z)", [], "xavier_normal",
        "Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => VectorMath.Sigmoid(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) => Vector512.FusedMultiplyAdd(-h, h, h);
}
