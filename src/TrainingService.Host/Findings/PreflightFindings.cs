using System.Globalization;
using TrainingService.Engine.Activations;
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
                points.Add(
                    new() { Step = 0, Epoch = 0, Layer = layer.Index, MeanActivation = mean, RmsActivation = rms, GradientRms = gradient });
        // what is not predicted can't be judged
        if (points.Count == preflight.Layers.Count)
            watch.Add(points);
        var born = BornDead(plan, preflight, watch.Likeliest(Symptom.Dead));
        return [.. watch.Findings, .. plan.DenseLayers.SkipLast(1).Any(layer => Dies(layer.Activation)) ? born
            : born.Select(finding => Saturated(finding, watch.Likeliest(Symptom.Saturated)))];
    }

    /// <summary>Whether a unit can be off: then it answers 0, without slope.</summary>
    private static bool Dies(string activation) =>
        ActivationRegistry.Standard(activation).Evaluate([-30, 0]).Any(at => at is { Value: 0, Derivative: 0 });

    /// <summary>A unit of tanh that answers 1 to all is not off: it is saturated.</summary>
    private static Finding Saturated(Finding finding, Change? likeliest) => finding with
    {
        Rule = "saturated_activations",
        Message = string.Create(CultureInfo.InvariantCulture,
            $"With a probability of {finding.Value:P0}, all units of some layer are saturated on every row: their outputs do not depend on "
            + $"the input, and no gradient passes.{(likeliest?.Cause is { } cause ? $" A likely cause: {cause}." : "")}"),
        Recommendation = likeliest?.Recommendation,
    };

    private static IEnumerable<Finding> BornDead(RunPlan plan, Preflight preflight, Change? likeliest)
    {
        if (plan.Diagnostics.Rules.DeadUnits is not { Enabled: true } rule
            || preflight.Layers.Where(layer => layer.BornDeadProbability > rule.Warn)
                .MaxBy(layer => layer.BornDeadProbability)?.BornDeadProbability is not { } probability)
            yield break;
        var error = probability > rule.Error;
        yield return new()
        {
            Rule = "dead_units",
            Severity = error ? Severity.Error : Severity.Warning,
            Step = 0,
            Value = (float)probability,
            Threshold = (float)(error ? rule.Error : rule.Warn),
            Message = string.Create(CultureInfo.InvariantCulture,
                $"With a probability of {probability:P0}, all units of some layer are off for a given input: "
                + $"that draw of the net is dead before it is trained."),
            Recommendation = likeliest?.Recommendation,
        };
    }
}
