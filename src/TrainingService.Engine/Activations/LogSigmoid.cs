using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>f(z) = -ln(1 + e^-z).</summary>
internal readonly struct LogSigmoid : IActivation<LogSigmoid>
{
    public static readonly ActivationInfo Info =
        new("log_sigmoid", ["logsigmoid"], "-ln(1 + e^-z)", "1 / (1 + e^z)", [], "xavier_normal", "torch.nn.LogSigmoid");

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Value(Vector512<float> z) =>
        Vector512.MinNative(Vector512<float>.Zero, z) - VectorMath.Log1P(VectorMath.Exp(-Vector512.Abs(z)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Derivative(Vector512<float> z, Vector512<float> h) => VectorMath.Sigmoid(-z);
}
