using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z - tanh z.</summary>
internal readonly struct TanhShrink : IActivation<TanhShrink>
{
    public static readonly ActivationInfo Info =
        new("tanh_shrink", ["tanhshrink"], "z - tanh(z)", "tanh(z)^2", [], "xavier_normal", "torch.nn.Tanhshrink");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z - VectorMath.Tanh(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        var tanh = VectorMath.Tanh(z);
        return tanh * tanh;
    }
}
