using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using TrainingService.Host.Hosting;

namespace TrainingService.Host.Findings;

/// <summary>The changes that findings recommend, each as a merge patch that takes effect whichever form the model was given in.</summary>
public static class Patches
{
    /// <summary>A tenth of the learning rate, or the optimiser's default where that is lower still.</summary>
    public static Recommendation LowerRate(RunPlan plan)
    {
        var rate = plan.Training.Optimizer!.LearningRate!.Value;
        return Rate(plan, Math.Min(rate / 10, plan.Training.Optimizer.Name == "sgd" ? 0.05 : 0.001), "Lower");
    }

    public static Recommendation HigherRate(RunPlan plan) => Rate(plan, 10 * plan.Training.Optimizer!.LearningRate!.Value, "Raise");

    private static Recommendation Rate(RunPlan plan, double rate, string verb)
    {
        // the shortest decimal near it: 0.005 and not 0.005000000000000001
        rate = double.Parse(rate.ToString("G12", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return new(string.Create(CultureInfo.InvariantCulture, $"{verb} the learning rate from {plan.Training.Optimizer!.LearningRate} to {rate}."),
            Patch("training", new() { ["optimizer"] = new JsonObject { ["learningRate"] = rate } }));
    }

    /// <summary>Another activation in place of one, with the initialiser that fits it where the one there was does not.</summary>
    public static Recommendation Activation(RunPlan plan, string from, string to)
    {
        var initializer = ActivationRegistry.Find(to)!.RecommendedInitializer;
        var changed = !SameFamily(plan.Model.Initializer!.Name, initializer);
        var model = new JsonObject();
        if (plan.Model.Activation!.Name == from || plan.Model.Layers is null)
            model["activation"] = Named(to);
        if (changed)
            model["initializer"] = Named(initializer);
        if (plan.Model.Layers is { } layers)
            model["layers"] = Layers(layers, layer => layer with
            {
                Activation = layer.Activation?.Name == from ? new() { Name = to } : layer.Activation,
                Initializer = changed ? null : layer.Initializer,
                BiasInitializer = changed ? null : layer.BiasInitializer,
            });
        return new($"Use {to} in place of {from}{(changed ? $", with {initializer}, which fits it" : "")}.", Patch("model", model));
    }

    /// <summary>Another initialiser for all layers.</summary>
    public static Recommendation Initializer(RunPlan plan, string to)
    {
        var model = new JsonObject { ["initializer"] = Named(to) };
        if (plan.Model.Layers is { } layers)
            model["layers"] = Layers(layers, layer => layer with { Initializer = null });
        return new($"Initialise with {to} in place of {plan.Model.Initializer!.Name}.", Patch("model", model));
    }

    /// <summary>Batch norm in front of each activation; short form only.</summary>
    public static Recommendation BatchNorm() =>
        new("Normalise each layer's input over the batch (batch_norm).", Patch("model", new() { ["normalization"] = "batch_norm" }));

    public static Recommendation NoDropout(RunPlan plan)
    {
        if (plan.Model.Layers is { } layers)
            return new("Leave the dropout layers out.", Patch("model", new()
            {
                ["layers"] = Layers([.. layers.Where(l => l.Type is not ("dropout" or "alpha_dropout"))], layer => layer),
            }));
        return new("Leave dropout out.", Patch("model", new() { ["dropout"] = 0 }));
    }

    public static Recommendation EarlyStopping() => new("Stop when the validation loss no longer falls, and keep the weights of its minimum.",
        Patch("training", new() { ["earlyStopping"] = new JsonObject { ["patience"] = 5 } }));

    /// <summary>kaiming_normal and kaiming_uniform have the same variance.</summary>
    public static bool SameFamily(string a, string b) => a.Split('_')[0] == b.Split('_')[0];

    private static JsonObject Named(string name) => new() { ["name"] = name };

    private static JsonObject Patch(string section, JsonObject fields) => new() { [section] = fields };

    /// <summary>A list can only be patched as a whole.</summary>
    private static JsonNode Layers(IReadOnlyList<LayerSpec> layers, Func<LayerSpec, LayerSpec> change)
    {
        return JsonSerializer.SerializeToNode(layers.Select(Changed), Json.Options)!;

        LayerSpec Changed(LayerSpec layer) => change(layer) is var changed && changed.Layers is { } branch ? changed with { Layers = [.. branch.Select(Changed)] } : changed;
    }
}
