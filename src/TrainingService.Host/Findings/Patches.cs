using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using TrainingService.Host.Http;

namespace TrainingService.Host.Findings;

/// <summary>The changes that findings recommend, each as a merge patch that takes effect whichever form the model was given in.</summary>
public static class Patches
{
    /// <summary>A tenth of the learning rate, or the optimiser's default where that is lower still.</summary>
    public static Change LowerRate(RunPlan plan)
    {
        var rate = plan.Training.Optimizer.LearningRate;
        return Rate(plan, Math.Min(rate / 10, plan.Training.Optimizer.StandardRate), "Lower");
    }

    /// <summary>
    /// The rate that would make an update about a thousandth of the weights, if not above the optimiser's default;
    /// at least ten times what it is.
    /// </summary>
    public static Change HigherRate(RunPlan plan, double updateRatio)
    {
        var rate = plan.Training.Optimizer.LearningRate;
        return Rate(plan, Math.Max(10 * rate, Math.Min(rate * 1e-3 / updateRatio, plan.Training.Optimizer.StandardRate)), "Raise");
    }

    /// <summary>A hundredth.</summary>
    public static Change MuchLowerRate(RunPlan plan) => Rate(plan, plan.Training.Optimizer.LearningRate / 100, "Lower");

    public static Change TenfoldRate(RunPlan plan) => Rate(plan, 10 * plan.Training.Optimizer.LearningRate, "Raise");

    public static Change StandardRate(RunPlan plan) => Rate(plan, plan.Training.Optimizer.StandardRate,
        plan.Training.Optimizer.LearningRate > plan.Training.Optimizer.StandardRate ? "Lower" : "Raise");

    /// <param name="plan">Of the run.</param>
    /// <param name="rate">Below its own.</param>
    public static Change SlowerRate(RunPlan plan, double rate) => Rate(plan, rate, "Lower");

    private static Change Rate(RunPlan plan, double rate, string verb)
    {
        rate = double.Parse(rate.ToString("G2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return new(string.Create(CultureInfo.InvariantCulture,
            $"{verb} the learning rate from {plan.Training.Optimizer.LearningRate} to {rate}."),
            Optimizer("learningRate", rate));
    }

    /// <summary>Another activation in place of one, with the initialiser that fits it where the one there was does not.</summary>
    public static Change Activation(RunPlan plan, string from, string to)
    {
        var initializer = ActivationRegistry.Standard(to).Info.RecommendedInitializer;
        var changed = !SameFamily(plan.Model.Initializer.Name, initializer);
        var model = new JsonObject();
        if (plan.Model.Activation.Name == from || plan.Model.Short is not null)
            model["activation"] = Named(to);
        if (changed)
            Initialize(model, plan, initializer);
        if (plan.Model.Spec is { Layers: { } layers } stored)
            model["layers"] = Layers(stored, layers, layer => layer with
            {
                Activation = layer.Activation?.Name == from ? new() { Name = to } : layer.Activation,
                Initializer = changed ? null : layer.Initializer,
                BiasInitializer = changed ? null : layer.BiasInitializer,
            });
        return new($"Use {to} in place of {from}{(changed ? $", with {initializer}, which fits it" : "")}.", Patch("model", model));
    }

    /// <summary>Another initialiser for all layers.</summary>
    public static Change Initializer(RunPlan plan, string to)
    {
        var model = new JsonObject();
        Initialize(model, plan, to);
        if (plan.Model.Spec is { Layers: { } layers } stored)
            model["layers"] = Layers(stored, layers, layer => layer with { Initializer = null, BiasInitializer = null });
        return new($"Initialise with {to} in place of {plan.Model.Initializer.Name}.", Patch("model", model));
    }

    /// <summary>The same initialiser with the parameters that it has by itself.</summary>
    public static Change StandardInitializer(RunPlan plan, Initializer initializer)
    {
        var name = initializer.Name;
        var model = new JsonObject();
        if (plan.Model.Initializer.Name == name)
            model["initializer"] = Bare(initializer.Spec, name);
        if (plan.Model.Spec is { Layers: { } layers } stored)
            model["layers"] = Layers(stored, layers, layer =>
                layer.Initializer?.Name == name ? layer with { Initializer = new() { Name = name } } : layer);
        return new($"Let {name} keep its usual parameters.", Patch("model", model));
    }

    /// <summary>The same activation with the parameters that it has by itself.</summary>
    public static Change StandardActivation(RunPlan plan, ActivationFunction activation)
    {
        var name = activation.Name;
        var model = new JsonObject();
        if (plan.Model.Activation.Name == name)
            model["activation"] = Bare(activation.Spec, name);
        if (plan.Model.Spec is { Layers: { } layers } stored)
            model["layers"] = Layers(stored, layers, layer =>
                layer.Activation?.Name == name ? layer with { Activation = new() { Name = name } } : layer);
        return new($"Let {name} keep its usual parameters.", Patch("model", model));
    }

    /// <summary>Biases that start at 0, or as the weights' initialiser draws them.</summary>
    public static Change StandardBias(RunPlan plan)
    {
        var model = new JsonObject { ["biasInitializer"] = null };
        if (plan.Model.Spec is { Layers: { } layers } stored)
            model["layers"] = Layers(stored, layers, layer => layer with { BiasInitializer = null });
        return new("Let the biases start at 0.", Patch("model", model));
    }

    public static Change Standardize() =>
        new("Scale the features to mean 0 and variance 1 (standardize).", Patch("dataset", new() { ["standardize"] = true }));

    /// <summary>Told outright: to jobs of a version that did not do it, leaving it out means not to.</summary>
    public static Change StandardizeTarget() =>
        new("Scale the target to mean 0 and variance 1.", Patch("training", new() { ["standardizeTarget"] = true }));

    /// <summary>A field as it would be if it were left out.</summary>
    public static Change Default(string section, string field, string sentence) => new(sentence, Patch(section, new() { [field] = null }));

    /// <summary>The same of the optimiser's.</summary>
    public static Change OptimizerDefault(string field) =>
        new($"Leave the optimiser's {field} at its default.", Optimizer(field, null));

    public static Change Adam() => new("Use adam, whose steps don't depend on the gradient's size.",
        Patch("training", new() { ["optimizer"] = Named("adam") }));

    public static Change Clip() => new("Clip the gradient's norm at 1.", Patch("training", new() { ["clipNorm"] = 1 }));

    public static Change Dropout(double rate) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Drop {rate:P0} of the hidden units while training."),
            Patch("model", new() { ["dropout"] = rate }));

    public static Change WeightDecay(double decay) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Let the weights decay (weightDecay {decay})."), Optimizer("weightDecay", decay));

    /// <summary>Batch norm in front of each activation; short form only.</summary>
    public static Change BatchNorm() =>
        new("Normalise each layer's input over the batch (batch_norm).", Patch("model", new() { ["normalization"] = "batch_norm" }));

    public static Change NoDropout(RunPlan plan)
    {
        if (plan.Model.Spec is { Layers: { } layers } stored)
            return new("Leave the dropout layers out.", Patch("model", new()
            {
                ["layers"] = Layers(stored, WithoutDropout(layers), layer => layer),
            }));
        return new("Leave dropout out.", Patch("model", new() { ["dropout"] = 0 }));
    }

    private static List<LayerSpec> WithoutDropout(IReadOnlyList<LayerSpec> layers) =>
        [.. layers.Where(l => l.Type is not ("dropout" or "alpha_dropout"))
            .Select(l => l.Layers is { } branch ? l with { Layers = WithoutDropout(branch) } : l)];

    public static Change EarlyStopping() =>
        new("Stop when the validation loss no longer falls, and keep the weights of its minimum.",
            Patch("training", new() { ["earlyStopping"] = new JsonObject { ["patience"] = 5 } }));

    /// <summary>kaiming_normal and kaiming_uniform have the same variance.</summary>
    public static bool SameFamily(string a, string b) => a.Split('_')[0] == b.Split('_')[0];

    /// <summary>A bias that was asked for may be what spoils the beginning.</summary>
    private static void Initialize(JsonObject model, RunPlan plan, string initializer)
    {
        model["initializer"] = Named(initializer);
        if (plan.Model.BiasInitializer.Name != "zeros")
            model["biasInitializer"] = null;
    }

    /// <summary>The name, and null for each parameter that stands beside it.</summary>
    private static JsonObject Bare<T>(T spec, string name)
    {
        var bare = new JsonObject();
        foreach (var (field, value) in Json.ObjectOf(spec ?? throw new ArgumentNullException(nameof(spec))))
            if (value is not null)
                bare[field] = null;
        bare["name"] = name;
        return bare;
    }

    private static JsonObject Named(string name) => new() { ["name"] = name };

    private static JsonObject Optimizer(string field, double? value) =>
        Patch("training", new() { ["optimizer"] = new JsonObject { [field] = value } });

    private static JsonObject Patch(string section, JsonObject fields) => new() { [section] = fields };

    /// <summary>
    /// A list can only be patched as a whole. What a layer has from the model is left out: it may be what the patch changes.
    /// </summary>
    private static JsonArray Layers(ModelSpec model, IReadOnlyList<LayerSpec> layers, Func<LayerSpec, LayerSpec> change)
    {
        return [.. layers.Select(layer => JsonSerializer.SerializeToNode(Changed(layer), Json.Options))];

        LayerSpec Changed(LayerSpec layer)
        {
            var own = layer with
            {
                Activation = layer.Activation == model.Activation ? null : layer.Activation,
                Initializer = layer.Initializer == model.Initializer ? null : layer.Initializer,
                BiasInitializer = layer.BiasInitializer == model.BiasInitializer ? null : layer.BiasInitializer,
                Layers = layer.Layers is null ? null : [.. layer.Layers.Select(Changed)],
            };
            return change(own);
        }
    }
}
