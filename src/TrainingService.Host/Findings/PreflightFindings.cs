using System.Globalization;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>
/// What the rules would find at step 0 if a run measured what its pre-flight predicts; and how likely the net is dead before it is trained.
/// </summary>
public static class PreflightFindings
{
    public static IReadOnlyList<Finding> Of(RunPlan plan, Preflight preflight, DataFacts data)
    {
        var watch = new Watch(plan, data);
        var points = new List<LayerPoint>();
        foreach (var layer in preflight.Layers)
            if (layer is { Mean: { } mean, Rms: { } rms, GradientRms: { } gradient })
            {
                var expected = Expected(rms, layer.RmsRange, layer.RmsMedian);
                points.Add(new()
                {
                    Step = 0,
                    Epoch = 0,
                    Layer = layer.Index,
                    MeanActivation = rms > 0 ? mean * expected / rms : mean,
                    RmsActivation = expected,
                    GradientRms = Expected(gradient, layer.GradientRmsRange, layer.GradientRmsMedian),
                    Saturation = layer.Saturation ?? 0,
                    SaturatedUnitFraction = layer.SaturatedUnitFraction,
                });
            }
        // what is not predicted can't be judged
        if (points.Count == preflight.Layers.Count)
            watch.Add(points);
        return [.. watch.Findings, .. BornDead(plan, preflight, watch.Likeliest(Symptom.Dead))];
    }

    /// <summary>What theory says, unless the draws contradict it; of nets that are dead by half, another finding tells.</summary>
    private static float Expected(float theory, IReadOnlyList<float>? range, float? median) =>
        median is > 0 and var drawn && range is [var low, var high] && !(theory >= low && theory <= high) ? drawn : theory;

    private static IEnumerable<Finding> BornDead(RunPlan plan, Preflight preflight, Change? likeliest)
    {
        if (plan.Diagnostics.Rules.DeadUnits is not { Enabled: true } rule
            || preflight.Layers.Where(layer => layer.BornDeadProbability > rule.Warn).MaxBy(layer => layer.BornDeadProbability)
                is not { BornDeadProbability: { } probability } worst)
            yield break;
        var error = probability > rule.Error;
        yield return new()
        {
            Rule = "dead_units",
            Severity = error ? Severity.Error : Severity.Warning,
            Step = 0,
            Value = (float)probability,
            Threshold = (float)(error ? rule.Error : rule.Warn),
            Message = worst.BornDeadBasis == BornDeadBasis.Draws
                ? string.Create(CultureInfo.InvariantCulture,
                    $"Of {preflight.BornDeadDraws:N0} draws of this net, {probability:P0} are dead before they are trained: all units of "
                    + $"some layer are off on every row, so that the output does not depend on the input.")
                : string.Create(CultureInfo.InvariantCulture,
                    $"With a probability of at most {probability:P0} (an upper bound), all units of some layer are off on every row: "
                    + $"the output of such a draw does not depend on the input, and it is dead before it is trained."),
            Recommendation = likeliest?.Recommendation,
        };
    }
}
