using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using TrainingService.Host.Hosting;

namespace TrainingService.Host.Findings;

/// <summary>What the rules find in a net before it is trained, going by its pre-flight; what they recommend has passed them by its own.</summary>
public static class PreflightFindings
{
    /// <summary>A finding without its recommendation.</summary>
    private sealed record Break(string Rule, string? Layer, double Value, double Threshold, string Message, Severity Severity = Severity.Warning);

    public static IReadOnlyList<Finding> Of(RunPlan plan, TrainingData data, Preflight preflight)
    {
        Break[] broken = [.. Broken(plan, preflight)];
        if (broken.Length == 0)
            return [];
        var recommendation = Recommend(plan, data);
        return [.. broken.Select(b => new Finding
        {
            Rule = b.Rule,
            Severity = b.Severity,
            Layer = b.Layer,
            Step = 0,
            Value = (float)b.Value,
            Threshold = (float)b.Threshold,
            Message = b.Message,
            Recommendation = recommendation,
        })];
    }

    private static IEnumerable<Break> Broken(RunPlan plan, Preflight preflight)
    {
        var rules = plan.Diagnostics.Rules!;
        PreflightLayer[] hidden = [.. preflight.Layers.SkipLast(1)];
        if (hidden.Length == 0)
            yield break;
        var (first, last) = (hidden[0], hidden[^1]);
        if ((preflight.TrainingGradientFlow ?? preflight.GradientFlow) is { } flow)
        {
            if (rules.VanishingGradient is { Enabled: true } vanishing && flow < vanishing.Warn && first.GradientRms < vanishing.FirstLayerRms)
                yield return new("vanishing_gradient", first.Name, flow, vanishing.Warn!.Value, Text(
                    $"The gradient is expected to shrink by 10^{flow:F1} from {last.Name} to {first.Name}, to a root mean square of {first.GradientRms:G2}."));
            if (rules.ExplodingGradient is { Enabled: true } exploding && (flow > exploding.Warn || !float.IsFinite(flow)))
                yield return new("exploding_gradient", first.Name, flow, exploding.Warn!.Value, float.IsFinite(flow)
                    ? Text($"The gradient is expected to grow by 10^{flow:F1} from {last.Name} to {first.Name}.")
                    : $"No gradient is expected to reach {first.Name} that is finite and not 0.");
        }
        if (rules.PoorInitialization is { Enabled: true } poor && first.Rms is { } firstRms && last.Rms is { } lastRms)
        {
            var ratio = (double)lastRms * lastRms / ((double)firstRms * firstRms);
            var info = plan.DenseLayers[0];
            if (!(Math.Max(ratio, 1 / ratio) <= poor.Warn))
                yield return new("poor_initialization", last.Name, ratio, poor.Warn!.Value, Text(
                    $"The activations' mean square is expected to change by a factor of {ratio:G2} from {first.Name} to {last.Name}: ")
                    + $"{info.Initializer} does not fit {info.Activation} at this depth.");
        }
        if (rules.DeadUnits is { Enabled: true } dead && hidden.Max(l => l.BornDeadProbability) is { } probability && probability > dead.Warn)
        {
            var error = probability > dead.Error;
            yield return new("dead_units", null, probability, (error ? dead.Error : dead.Warn)!.Value, Text(
                $"For one input, a draw of this net has a layer whose units are all off with probability {probability:P0}: it is dead before it is trained."),
                error ? Severity.Error : Severity.Warning);
        }
    }

    /// <summary>
    /// The first change, from the smallest on, after which no rule is broken; if none will do, the one that brings the gradient flow nearest to 0.
    /// </summary>
    private static Recommendation Recommend(RunPlan plan, TrainingData data)
    {
        var best = (Distance: double.PositiveInfinity, Recommendation: (Recommendation?)null);
        foreach (var (sentence, change) in Changes(plan))
        {
            var model = change(plan.Model);
            if (RunPlan.Check(model, plan.Training, plan.Diagnostics, plan.Data, new List<SpecError>()) is not { } changed)
                continue;
            var preflight = Preflight.Predict(changed, data);
            var recommendation = new Recommendation(sentence, Patch(plan.Model, model));
            if (!Broken(changed, preflight).Any())
                return recommendation;
            var distance = Math.Abs((double?)(preflight.TrainingGradientFlow ?? preflight.GradientFlow) ?? double.PositiveInfinity);
            if (best.Recommendation is null || distance < best.Distance)
                best = (distance, recommendation);
        }
        return best.Recommendation!;
    }

    private static IEnumerable<(string Sentence, Func<ModelSpec, ModelSpec> Change)> Changes(RunPlan plan)
    {
        var activation = plan.DenseLayers[0].Activation;
        var fitting = ActivationRegistry.Find(activation)!.RecommendedInitializer;
        yield return ($"Initialise with {fitting}, which fits {activation}.", m => With(m, null, fitting));
        yield return ($"Initialise with auto, whose gain is worked out for {activation}.", m => With(m, null, "auto"));
        yield return ("Use leaky_relu with kaiming_normal, which keeps the size of signals and gradients and has no flat side.",
            m => With(m, "leaky_relu", "kaiming_normal"));
        yield return ("Use leaky_relu with kaiming_normal and layer_norm, which sets the size of the signal anew in every layer.",
            m => With(m, "leaky_relu", "kaiming_normal") with { Normalization = m.Layers is null ? "layer_norm" : m.Normalization });
    }

    private static ModelSpec With(ModelSpec model, string? activation, string initializer) => model with
    {
        Activation = activation is null ? model.Activation : new() { Name = activation },
        Initializer = new() { Name = initializer },
        Layers = model.Layers?.Select(layer => With(layer, activation, initializer)).ToList(),
    };

    private static LayerSpec With(LayerSpec layer, string? activation, string initializer) => layer with
    {
        // a linear layer stays one
        Activation = activation is null || layer.Activation?.Name is null or "identity" ? layer.Activation : new() { Name = activation },
        Initializer = layer.Type == "dense" ? new() { Name = initializer } : layer.Initializer,
        Layers = layer.Layers?.Select(inner => With(inner, activation, initializer)).ToList(),
    };

    /// <summary>Names instead of objects, since a merge patch would leave the old one's parameters; layers whole, since it can't reach into lists.</summary>
    private static JsonObject Patch(ModelSpec before, ModelSpec after)
    {
        var model = new JsonObject { ["initializer"] = after.Initializer!.Name };
        if (after.Activation != before.Activation)
            model["activation"] = after.Activation!.Name;
        if (after.Normalization != before.Normalization)
            model["normalization"] = after.Normalization;
        if (after.Layers is not null)
            model["layers"] = JsonSerializer.SerializeToNode(after.Layers, Json.Options);
        return new() { ["model"] = model };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
