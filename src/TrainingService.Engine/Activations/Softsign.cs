using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = z / (1 + |z|).</summary>
internal readonly struct Softsign : IActivation<Softsign>
{
    public static readonly ActivationInfo Info = new("softsign", [], "z / (1 + |z|)", "1 / (1 + |z|)^2", [], "xavier_normal",
        "Bergstra, Desjardins, Lamblin & Bengio (2009), Quadratic polynomials learn better image features; Glorot & Bengio (2010)");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) => z / (Vector512<float>.One + Vector512.Abs(z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h)
    {
        var inverse = Vector512<float>.One / (Vector512<float>.One + Vector512.Abs(z));
        return inverse * inverse;
    }
}
