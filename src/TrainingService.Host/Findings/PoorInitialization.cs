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
                    Symptom.PoorStart);
            else if (layer.Index > 0 && Apart(variances[layer.Index], variances[layer.Index - 1]) is var ratio && ratio > rule.Warn)
                yield return Found.Above(Severity.Warning, layer.Name, 0, ratio, rule.Warn,
                    $"The variance of {layer.Name} ({variances[layer.Index]:G3}) is {Times(ratio)}"
                    + $"{(variances[layer.Index] > variances[layer.Index - 1] ? "above" : "below")} that of the layer before it "
                    + $"({variances[layer.Index - 1]:G3}): at these weights the signal does not keep its size.",
                    Symptom.PoorStart);
        if (Drifts(course, rule, out var overall))
            yield return Found.Above(Severity.Warning, null, 0, overall, rule.Warn,
                $"The variance {(variances[^1] > variances[0] ? "grows" : "shrinks")} "
                + $"from {variances[0]:G3} in the first to {variances[^1]:G3} in the last hidden layer: "
                + "it does not keep its size at these weights and this depth.",
                Symptom.PoorStart);
        else if (Grows(course, rule, out var factor))
            yield return Found.Above(Severity.Warning, null, 0, factor, rule.Warn,
                $"The mean square of the signal grows {factor:G3} times on its way from the inputs to the last hidden layer.",
                Symptom.PoorStart);
    }

    private static bool Drifts(Course course, PoorInitializationRule rule, out double overall)
    {
        var variances = Variances(course);
        overall = variances.Length == 0 ? 1 : Apart(variances[^1], variances[0]);
        return variances.Length > 2 && !course.Plan.Model.Layers.OfType<ResidualEntry>().Any()
            && overall > rule.Warn && Math.Pow(overall, 1.0 / (variances.Length - 1)) > Drift;
    }

    /// <summary>
    /// From the inputs on, so that two layers are enough. What shrinks in them is no harm: PyTorch's own initialiser does that.
    /// </summary>
    private static bool Grows(Course course, PoorInitializationRule rule, out double factor)
    {
        double last = course.Hidden.LastOrDefault() is { } layer ? course.First[layer.Index].RmsActivation : 0;
        factor = last * last / (course.Data.InputRms * course.Data.InputRms);
        return double.IsFinite(factor) && factor > rule.Warn && Math.Pow(factor, 1.0 / (course.Layers.Count - 1)) > Drift
            && !course.Plan.Model.Layers.OfType<ResidualEntry>().Any();
    }

    /// <summary>Of the hidden layers' activations before training.</summary>
    private static double[] Variances(Course course) => [.. course.Hidden.Select(l => course.First[l.Index].ActivationVariance)];

    private static string Times(double ratio) => double.IsFinite(ratio) ? $"{ratio:G3} times " : "";

    private static double Apart(double a, double b) => Math.Max(a / b, b / a);
}
