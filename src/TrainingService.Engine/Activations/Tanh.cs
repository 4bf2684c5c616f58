using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = tanh z.</summary>
internal readonly struct Tanh : IActivation<Tanh>
{
    public static readonly ActivationInfo Info = new("tanh", [], "(e^z - e^-z) / (e^z + e^-z)", "1 - tanh(z)^2", [], "xavier_normal",
        "Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => VectorMath.Tanh(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) => Vector512.FusedMultiplyAdd(-h, h, Vector512<float>.One);
}
