using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z Phi(z), Phi the normal distribution function.</summary>
internal readonly struct Gelu : IActivation<Gelu>
{
    public static readonly ChoiceParameter Approximate =
        new("approximate", "none", ["none", "tanh"], "Exact, or with tanh in place of Phi.");

    public static readonly ActivationInfo Info = new("gelu", [], "none: z Phi(z); tanh: z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3)))",
        "none: Phi(z) + z phi(z)", [Approximate], "kaiming_normal", "Hendrycks & Gimpel (2016), Gaussian error linear units");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z * VectorMath.NormalCdf(z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        var cdf = VectorMath.NormalCdf(z, out var density);
        // the density is 0 long before z overflows: the bound keeps 0 times infinity out
        return Vector512.FusedMultiplyAdd(VectorMath.Bounded(z), density, cdf);
    }
}

/// <summary>f(z) = z s(2u), u = sqrt(2/pi) (z + 0.044715 z^3), s the logistic function: 1 + tanh u = 2 s(2u).</summary>
internal readonly struct GeluTanh : IActivation<GeluTanh>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> TwoU(Vector512<float> z) =>
        z * Vector512.FusedMultiplyAdd(z * z, Vector512.Create(2 * 0.7978845608f * 0.044715f), Vector512.Create(2 * 0.7978845608f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z * VectorMath.Sigmoid(TwoU(z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        // s + z s (1 - s) d(2u)/dz
        z = VectorMath.Bounded(z);
        var u = TwoU(z);
        var s = VectorMath.Sigmoid(u);
        var slope = Vector512.FusedMultiplyAdd(z * z, Vector512.Create(6 * 0.7978845608f * 0.044715f), Vector512.Create(2 * 0.7978845608f));
        return Vector512.FusedMultiplyAdd(z * slope, s * VectorMath.Sigmoid(-u), s);
    }
}
