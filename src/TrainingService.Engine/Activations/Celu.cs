using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z > 0 ? z : alpha (e^(z/alpha) - 1).</summary>
internal readonly struct Celu(double alpha) : IActivation<Celu>
{
    private readonly Vector512<float> _alpha = Vector512.Create((float)alpha);
    private readonly Vector512<float> _inverse = Vector512.Create((float)(1 / alpha));

    public static readonly NumberParameter Alpha = new("alpha", 1, Bounds.Positive, "Minus the limit for z to minus infinity.");

    public static readonly ActivationInfo Info = new("celu", [], "z > 0 ? z : alpha (e^(z/alpha) - 1)", "z > 0 ? 1 : e^(z/alpha)",
        [Alpha], "kaiming_normal", "Barron (2017), Continuously differentiable exponential linear units");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), z, _alpha * VectorMath.ExpM1(z * _inverse));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), Vector512<float>.One, VectorMath.Exp(z * _inverse));
}
