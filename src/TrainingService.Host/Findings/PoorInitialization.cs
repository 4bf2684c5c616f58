using TrainingService.Engine.Activations;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;

namespace TrainingService.Host.Findings;

/// <summary>
/// Before the first step, the variance of a hidden layer's activations should be about that of the layer before it. Found where it is more
/// than the threshold times larger or smaller; or where it drifts one way by a fourth or more a layer, so that over all layers it comes to
/// that; or where all units of a layer start alike. Deep networks of well-matched initialisers wander, too, but not as steadily.
/// </summary>
public static class PoorInitialization
{
    private const double Drift = 1.25;

    public static IEnumerable<Found> Find(Course course, PoorInitializationRule rule)
    {
        if (course.Latest[0].Step != 0)
            yield break;
        var variances = Variances(course);
        foreach (var layer in course.Hidden)
            if (layer.Units > 1 && layer.Initializer is "zeros" or "ones" or "constant")
                yield return Found.Above(Severity.Error, layer.Name, 0, layer.Units, 1,
                    $"All {layer.Units} units of {layer.Name} start with the same weights ({layer.Initializer}): "
                    + "they get the same gradients and never come to differ.",
                    Better(course, layer));
            else if (layer.Index > 0 && Apart(variances[layer.Index], variances[layer.Index - 1]) is var ratio && ratio > rule.Warn)
                yield return Found.Above(Severity.Warning, layer.Name, 0, ratio, rule.Warn,
                    $"The variance of {layer.Name} ({variances[layer.Index]:G3}) is {ratio:G3} times "
                    + $"{(variances[layer.Index] > variances[layer.Index - 1] ? "above" : "below")} that of the layer before it: "
                    + $"{layer.Initializer} does not fit {layer.Activation} here.",
                    Better(course, layer));
        if (Drifts(course, rule, out var overall))
            yield return Found.Above(Severity.Warning, null, 0, overall, rule.Warn,
                $"The variance {(variances[^1] > variances[0] ? "grows" : "shrinks")} "
                + $"from {variances[0]:G3} in the first to {variances[^1]:G3} in the last hidden layer: "
                + $"{course.Layers[0].Initializer} does not fit {course.Layers[0].Activation} at this depth.",
                Better(course, course.Layers[0]));
    }

    /// <summary>
    /// The initialiser that fits the layer's activation; where that is there already, an activation that passes more gradient, or a norm.
    /// </summary>
    public static Recommendation Better(Course course, LayerInfo layer)
    {
        var fitting = ActivationRegistry.Standard(layer.Activation).Info.RecommendedInitializer;
        // f' of these is at most 1/4: no initialiser brings the gradient through many of them
        if (layer.Activation is "sigmoid" or "hard_sigmoid" or "log_sigmoid")
            return Patches.Activation(course.Plan, layer.Activation, "tanh");
        if (!Patches.SameFamily(layer.Initializer, fitting))
            return Patches.Initializer(course.Plan, fitting);
        return course.Plan.Model.Short is { Normalization: "none" } ? Patches.BatchNorm()
            : layer.Initializer != "auto" ? Patches.Initializer(course.Plan, "auto") : Patches.LowerRate(course.Plan);
    }

    /// <summary>What mends a run that goes wrong while it trains: if it began badly, another beginning, else smaller steps.</summary>
    public static Recommendation OrLowerRate(Course course) =>
        Drifts(course, course.Rules.PoorInitialization, out _) ? Better(course, course.Layers[0]) : Patches.LowerRate(course.Plan);

    private static bool Drifts(Course course, PoorInitializationRule rule, out double overall)
    {
        var variances = Variances(course);
        overall = Apart(variances[^1], variances[0]);
        return variances.Length > 2 && !course.Plan.Model.Layers.OfType<ResidualEntry>().Any()
            && overall > rule.Warn && Math.Pow(overall, 1.0 / (variances.Length - 1)) > Drift;
    }

    /// <summary>Of the hidden layers' activations before training.</summary>
    private static double[] Variances(Course course) => [.. course.Hidden.Select(l => course.First[l.Index].ActivationVariance)];

    private static double Apart(double a, double b) => Math.Max(a / b, b / a);
}
