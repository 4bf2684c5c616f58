using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z > 0 ? z : negative_slope z.</summary>
internal readonly struct LeakyRelu(double negativeSlope) : IActivation<LeakyRelu>
{
    private readonly Vector512<float> _slope = Vector512.Create((float)negativeSlope);

    public static readonly NumberParameter NegativeSlope = new("negativeSlope", 0.01, Bounds.Finite, "Slope for z <= 0.");

    public static readonly ActivationInfo Info = new("leaky_relu", ["lrelu"], "z > 0 ? z : negativeSlope z", "z > 0 ? 1 : negativeSlope",
        [NegativeSlope], "kaiming_normal",
        "Maas, Hannun & Ng (2013), Rectifier nonlinearities improve neural network acoustic models");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), z, _slope * z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), Vector512<float>.One, _slope);
}
