using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z > 0 ? z : slope z, the slope being trained; df/dslope = min(z, 0).</summary>
internal readonly struct PRelu(float slope) : IActivation<PRelu>
{
    private readonly Vector512<float> _slope = Vector512.Create(slope);

    public static readonly NumberParameter Init = new("init", 0.25, Bounds.Finite, "Slope before training.");
    public static readonly FlagParameter Shared = new("shared", true, "One slope for the whole layer (true) or one per unit (false).");

    public static readonly ActivationInfo Info = new("prelu", ["parametric_relu"],
        "z > 0 ? z : slope z", "z > 0 ? 1 : slope; d/dslope: min(z, 0)",
        [Init, Shared], "kaiming_normal", "He, Zhang, Ren & Sun (2015), Delving deep into rectifiers");

    public static bool LearnsSlope => true;

    public static PRelu WithSlope(PRelu self, float slope) => new(slope);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), z, _slope * z);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), Vector512<float>.One, _slope);
}
