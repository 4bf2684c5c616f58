using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z.</summary>
internal readonly struct Identity : IActivation<Identity>
{
    public static readonly ActivationInfo Info =
        new("identity", ["linear"], "z", "1", [], "lecun_normal", "no nonlinearity: a stack of such layers is one linear map");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) => Vector512<float>.One;
}
