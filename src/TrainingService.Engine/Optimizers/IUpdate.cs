using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Optimizers;

/// <summary>An optimiser's step on 16 parameters at once: a struct, so that the JIT compiles the loop once per optimiser.</summary>
internal interface IUpdate
{
    /// <summary>Numbers kept per parameter from step to step.</summary>
    static abstract int States { get; }

    /// <summary>
    /// The new parameter; <paramref name="first"/> and <paramref name="second"/> are its states (unused beyond <see cref="States"/>).
    /// </summary>
    Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter, ref Vector512<float> first, ref Vector512<float> second);
}

/// <summary>p -= lr (g + wd p).</summary>
internal readonly struct Sgd(double learningRate, double weightDecay) : IUpdate
{
    private readonly Vector512<float> _rate = Vector512.Create((float)-learningRate);
    private readonly Vector512<float> _decay = Vector512.Create((float)weightDecay);

    public static int States => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter,
        ref Vector512<float> first, ref Vector512<float> second) =>
        Vector512.FusedMultiplyAdd(_rate, Vector512.FusedMultiplyAdd(_decay, parameter, gradient), parameter);
}

/// <summary>m = mu m + g + wd p; p -= lr m (PyTorch's form: no dampening, m starts at 0).</summary>
internal readonly struct SgdMomentum(double learningRate, double momentum, double weightDecay) : IUpdate
{
    private readonly Vector512<float> _rate = Vector512.Create((float)-learningRate);
    private readonly Vector512<float> _momentum = Vector512.Create((float)momentum);
    private readonly Vector512<float> _decay = Vector512.Create((float)weightDecay);

    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter,
        ref Vector512<float> first, ref Vector512<float> second)
    {
        gradient = Vector512.FusedMultiplyAdd(_decay, parameter, gradient);
        first = Vector512.FusedMultiplyAdd(_momentum, first, gradient);
        return Vector512.FusedMultiplyAdd(_rate, first, parameter);
    }
}

/// <summary>m = mu m + g + wd p; p -= lr (g + wd p + mu m) (Nesterov 1983, in PyTorch's form after Sutskever et al. 2013).</summary>
internal readonly struct SgdNesterov(double learningRate, double momentum, double weightDecay) : IUpdate
{
    private readonly Vector512<float> _rate = Vector512.Create((float)-learningRate);
    private readonly Vector512<float> _momentum = Vector512.Create((float)momentum);
    private readonly Vector512<float> _decay = Vector512.Create((float)weightDecay);

    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter,
        ref Vector512<float> first, ref Vector512<float> second)
    {
        gradient = Vector512.FusedMultiplyAdd(_decay, parameter, gradient);
        first = Vector512.FusedMultiplyAdd(_momentum, first, gradient);
        return Vector512.FusedMultiplyAdd(_rate, Vector512.FusedMultiplyAdd(_momentum, first, gradient), parameter);
    }
}

/// <summary>
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) (Kingma &amp; Ba 2015,
/// algorithm 1). Weight decay is added to g, or decoupled: first p -= lr wd p (AdamW, Loshchilov &amp; Hutter 2019).
/// </summary>
internal readonly struct Adam(double learningRate, double beta1, double beta2,
    double epsilon, double weightDecay, bool decoupled, long step) : IUpdate
{
    private readonly Vector512<float> _beta1 = Vector512.Create((float)beta1);
    private readonly Vector512<float> _rest1 = Vector512.Create((float)(1 - beta1));
    private readonly Vector512<float> _beta2 = Vector512.Create((float)beta2);
    private readonly Vector512<float> _rest2 = Vector512.Create((float)(1 - beta2));
    private readonly Vector512<float> _rate = Vector512.Create((float)(-learningRate / (1 - Math.Pow(beta1, step))));
    private readonly Vector512<float> _root = Vector512.Create((float)(1 / Math.Sqrt(1 - Math.Pow(beta2, step))));
    private readonly Vector512<float> _epsilon = Vector512.Create((float)epsilon);
    private readonly Vector512<float> _decay = Vector512.Create((float)(decoupled ? 0 : weightDecay));
    private readonly Vector512<float> _kept = Vector512.Create((float)(decoupled ? 1 - learningRate * weightDecay : 1));

    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter,
        ref Vector512<float> first, ref Vector512<float> second)
    {
        gradient = Vector512.FusedMultiplyAdd(_decay, parameter, gradient);
        first = Vector512.FusedMultiplyAdd(_beta1, first, _rest1 * gradient);
        second = Vector512.FusedMultiplyAdd(_beta2, second, _rest2 * (gradient * gradient));
        return Vector512.FusedMultiplyAdd(_kept, parameter,
            _rate * first / Vector512.FusedMultiplyAdd(Vector512.Sqrt(second), _root, _epsilon));
    }
}

/// <summary>
/// v = alpha v + (1 - alpha) g^2, m = mu m + g / (sqrt(v) + epsilon), p -= lr m, g with wd p added (Tieleman &amp; Hinton 2012,
/// in PyTorch's form, not centered).
/// </summary>
internal readonly struct RmsProp(double learningRate, double alpha, double epsilon, double momentum, double weightDecay) : IUpdate
{
    private readonly Vector512<float> _rate = Vector512.Create((float)-learningRate);
    private readonly Vector512<float> _alpha = Vector512.Create((float)alpha);
    private readonly Vector512<float> _rest = Vector512.Create((float)(1 - alpha));
    private readonly Vector512<float> _epsilon = Vector512.Create((float)epsilon);
    private readonly Vector512<float> _momentum = Vector512.Create((float)momentum);
    private readonly Vector512<float> _decay = Vector512.Create((float)weightDecay);

    public static int States => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter,
        ref Vector512<float> first, ref Vector512<float> second)
    {
        gradient = Vector512.FusedMultiplyAdd(_decay, parameter, gradient);
        second = Vector512.FusedMultiplyAdd(_alpha, second, _rest * (gradient * gradient));
        first = Vector512.FusedMultiplyAdd(_momentum, first, gradient / (Vector512.Sqrt(second) + _epsilon));
        return Vector512.FusedMultiplyAdd(_rate, first, parameter);
    }
}

/// <summary>Changes nothing and keeps the gradient as its state, for whoever wants to look at it.</summary>
internal readonly struct KeepGradient : IUpdate
{
    public static int States => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector512<float> Step(Vector512<float> gradient, Vector512<float> parameter,
        ref Vector512<float> first, ref Vector512<float> second)
    {
        first = gradient;
        return parameter;
    }
}
