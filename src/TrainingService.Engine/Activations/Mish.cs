using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z tanh(ln(1 + e^z)).</summary>
internal readonly struct Mish : IActivation<Mish>
{
    public static readonly ActivationInfo Info = new("mish", [], "z tanh(ln(1 + e^z))",
        "t + z (1 - t^2) / (1 + e^-z), t = tanh(ln(1 + e^z))", [], "kaiming_normal",
        "Misra (2020), Mish: a self regularized non-monotonic activation function");

    /// <summary>tanh(ln(1 + e^z)) = n / (n + 2), n = e^z (e^z + 2); beyond 20 it is 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> T(Vector512<float> z)
    {
        var e = VectorMath.Exp(Vector512.MinNative(Vector512.Create(20f), z));
        var n = e * (e + Vector512.Create(2f));
        return n / (n + Vector512.Create(2f));
    }

    // the bound keeps minus infinity times 0 out
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => Vector512.MaxNative(Vector512.Create(-1e4f), z) * T(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        var t = T(z);
        return Vector512.FusedMultiplyAdd(VectorMath.Bounded(z) * VectorMath.Sigmoid(z),
            Vector512.FusedMultiplyAdd(-t, t, Vector512<float>.One), t);
    }
}
