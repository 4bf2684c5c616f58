using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = beta z > threshold ? z : ln(1 + e^(beta z)) / beta.</summary>
internal readonly struct Softplus(double beta, double threshold) : IActivation<Softplus>
{
    private readonly Vector512<float> _beta = Vector512.Create((float)beta);
    private readonly Vector512<float> _inverse = Vector512.Create((float)(1 / beta));
    private readonly Vector512<float> _threshold = Vector512.Create((float)threshold);

    public static readonly NumberParameter Beta = new("beta", 1,
        Bounds.Positive with { Words = "> 0 (and 1 / beta a finite float32)", Least = 1 / (double)float.MaxValue }, "Sharpness.");
    public static readonly NumberParameter Threshold =
        new("threshold", 20, Bounds.Finite, "Where beta z is large enough to answer z itself.");

    public static readonly ActivationInfo Info = new("softplus", [], "beta z > threshold ? z : ln(1 + e^(beta z)) / beta",
        "beta z > threshold ? 1 : 1 / (1 + e^(-beta z))", [Beta, Threshold], "kaiming_normal",
        "Dugas et al. (2001), Incorporating second-order functional knowledge for better option pricing");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z)
    {
        // ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)
        var x = _beta * z;
        var soft = (Vector512.MaxNative(Vector512<float>.Zero, x) + VectorMath.Log1P(VectorMath.Exp(-Vector512.Abs(x)))) * _inverse;
        return Vector512.ConditionalSelect(Vector512.GreaterThan(x, _threshold), z, soft);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        var x = _beta * z;
        return Vector512.ConditionalSelect(Vector512.GreaterThan(x, _threshold), Vector512<float>.One, VectorMath.Sigmoid(x));
    }
}
