using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z > 0 ? z : alpha (e^z - 1), times scale.</summary>
internal readonly struct Elu(double alpha, double scale) : IActivation<Elu>
{
    private readonly Vector512<float> _alpha = Vector512.Create((float)(alpha * scale));
    private readonly Vector512<float> _scale = Vector512.Create((float)scale);

    public static readonly NumberParameter Alpha = new("alpha", 1, Bounds.Positive, "Minus the limit for z to minus infinity.");

    public static readonly ActivationInfo Info = new("elu", [], "z > 0 ? z : alpha (e^z - 1)", "z > 0 ? 1 : alpha e^z",
        [Alpha], "kaiming_normal",
        "Clevert, Unterthiner & Hochreiter (2016), Fast and accurate deep network learning by exponential linear units");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), _scale * z, _alpha * VectorMath.ExpM1(z));

    // alpha e^z = h + alpha, but that loses digits where h is near -alpha
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), _scale, _alpha * VectorMath.Exp(z));
}

/// <summary>Elu with the constants at which mean 0 and variance 1 are a fixed point.</summary>
internal static class Selu
{
    public const double Alpha = 1.6732632423543772;
    public const double Scale = 1.0507009873554805;

    public static readonly ActivationInfo Info = new("selu", [],
        "scale (z > 0 ? z : alpha (e^z - 1)), scale = 1.0507009873554805, alpha = 1.6732632423543772", "scale (z > 0 ? 1 : alpha e^z)",
        [], "lecun_normal", "Klambauer, Unterthiner, Mayr & Hochreiter (2017), Self-normalizing neural networks");
}
