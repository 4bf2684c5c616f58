using System.Globalization;

namespace TrainingService.Engine.Activations;

/// <summary>What theory knows of an activation that its gains don't say at a glance.</summary>
public static class ActivationNotes
{
    /// <summary>From this ratio of the two gains on, one of both directions visibly loses.</summary>
    private const double Apart = 1.25;

    /// <summary>From this growth of a deviation on, a layer's variance leaves the fixed point within the depth of usual nets.</summary>
    private const double Unstable = 1.02;

    /// <summary>Sentences; none where there is nothing to say.</summary>
    public static IReadOnlyList<string> Of(ActivationFunction function) =>
        [.. new[] { NoCommonGain(function), UnstableFixedPoint(function), SelfNormalising(function),
            NoTorchGain(function) }.OfType<string>()];

    /// <summary>Null where one gain preserves both directions, or nearly.</summary>
    public static string? NoCommonGain(ActivationFunction function) =>
        Math.Max(function.Gains.Forward / function.Gains.Backward, function.Gains.Backward / function.Gains.Forward) is > Apart
            ? string.Create(CultureInfo.InvariantCulture,
                $"No gain preserves both directions: activations keep their size at {function.Gains.Forward:F2}, gradients at "
                + $"{function.Gains.Backward:F2}. At the first, a gradient {Share(function.Gains.Forward / function.Gains.Backward)} with "
                    + $"each layer.")
            : null;

    /// <summary>
    /// Null where the variance that the forward gain keeps is stable: d ln E[f(z)^2] / d ln Var z is at most about 1 at variance 1.
    /// </summary>
    public static string? UnstableFixedPoint(ActivationFunction function)
    {
        const double Step = 0.05;
        var f = function.Bind();
        var growth = Math.Log(f.Moments(0, Math.Exp(Step)).Square / f.Moments(0, Math.Exp(-Step)).Square) / (4 * Step);
        return growth > Unstable
            ? string.Create(CultureInfo.InvariantCulture,
                $"The variance 1 that gain {function.Gains.Forward:F2} keeps is unstable: a deviation grows by {growth - 1:P0} a layer, "
                    + $"and a "
                + $"deep net's signal dies out or blows up. From 15 hidden layers on, auto rescales its weights on one batch; "
                + $"lsuv, batch_norm and layer_norm help as well.")
            : null;
    }

    private static string? SelfNormalising(ActivationFunction function) => function.Name == Selu.Info.Name
        ? "PyTorch's gain is 3/4, which kaiming_* takes; self-normalisation (Klambauer et al. 2017) wants 1, with lecun_normal. "
            + "Where it is to drop, alpha_dropout keeps mean 0 and variance 1; dropout doesn't."
        : null;

    private static string? NoTorchGain(ActivationFunction function) => function.Gains is { Torch: null, Forward: var forward }
        && Math.Abs(forward / ActivationRegistry.Rectifier(0) - 1) > 0.02
        ? Text(
            $"PyTorch's table has no gain for it, so kaiming_* takes the rectifier's, 1.41; {forward:F2} keeps the activations' size (auto).")
        : null;

    private static string Share(double factor) => factor < 1 ? Text($"shrinks to {factor:P0}") : Text($"grows to {factor:P0}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
