using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Training;

/// <summary>The rules and defaults of a run's specs.</summary>
internal sealed class PlanCheck(DataShape data, ICollection<SpecError> errors)
{
    private const int MaxLayers = 1_000;
    private const int MaxUnits = 65_536;
    private const long MaxParameters = 50_000_000;
    private const int MaxEpochs = 100_000;
    private const int MaxEvaluationRows = 100_000;

    private static readonly ParameterInfo[] SgdParameters =
    [
        new("learningRate", 0.05, "> 0", ""), new("momentum", 0.9, "[0, 1)", ""), new("nesterov", false, "true | false", ""), new("weightDecay", 0.0, ">= 0", ""),
    ];

    private static readonly ParameterInfo[] AdamParameters =
    [
        new("learningRate", 0.001, "> 0", ""), new("beta1", 0.9, "[0, 1)", ""), new("beta2", 0.999, "[0, 1)", ""), new("epsilon", 1e-8, "> 0", ""),
        new("weightDecay", 0.0, ">= 0", ""),
    ];

    public RunPlan? Run(ModelSpec model, TrainingSpec training, DiagnosticsSpec diagnostics)
    {
        var before = errors.Count;
        var resolvedModel = Model(model);
        var resolvedTraining = Training(training);
        var resolvedDiagnostics = Diagnostics(diagnostics);
        if (errors.Count > before)
            return null;
        var plan = new RunPlan(resolvedModel, resolvedTraining, resolvedDiagnostics, data);
        if (plan.ParameterCount <= MaxParameters)
            return plan;
        Add(model.Layers is null ? "/model/hiddenLayers" : "/model/layers", $"the network would have {Number(plan.ParameterCount)} parameters; at most {Number(MaxParameters)} are allowed");
        return null;
    }

    private ModelSpec Model(ModelSpec model)
    {
        if (model.HiddenLayers is not null && model.Layers is not null)
            Add("/model/layers", "hiddenLayers and layers exclude each other: give one of them");
        if ((model.Normalization ?? "none") != "none")
            Add("/model/normalization", model.Normalization is "batch_norm" or "layer_norm"
                ? $"normalization '{model.Normalization}' is not supported yet; the only value so far is 'none'"
                : $"unknown normalization '{model.Normalization}'; the only value so far is 'none'");
        var hidden = model.Layers is null ? model.HiddenLayers ?? [256, 128] : null;
        if (hidden is not null)
            HiddenLayers(hidden);
        if (model.Dropout is { } dropout)
            Share("/model/dropout", "dropout", dropout);
        if (model.Layers is not null && model.Dropout > 0)
            Add("/model/dropout", "dropout belongs to the short form; in layers, put {\"type\": \"dropout\", \"rate\": ...} where it is wanted");

        var initializer = model.Initializer is null ? new InitializerSpec { Name = "kaiming_normal" } : model.Initializer;
        initializer = InitializerRegistry.Resolve(initializer, "/model/initializer", errors);
        // PyTorch's Linear draws both from the same distribution
        var bias = model.BiasInitializer ?? new InitializerSpec { Name = initializer?.Name == "torch_default" ? "torch_default" : "zeros" };
        var resolved = model with
        {
            HiddenLayers = hidden,
            Activation = ActivationRegistry.Resolve(model.Activation ?? new() { Name = "relu" }, "/model/activation", errors),
            Initializer = initializer,
            BiasInitializer = InitializerRegistry.ResolveBias(bias, "/model/biasInitializer", errors),
            Dropout = model.Dropout ?? 0,
            Normalization = "none",
        };
        return model.Layers is null ? resolved : resolved with { Layers = LongForm(model.Layers, resolved) };
    }

    private void HiddenLayers(IReadOnlyList<int> units)
    {
        if (units.Count == 0)
            Add("/model/hiddenLayers", "hiddenLayers must name at least one layer, as in [256, 128]; leave it out for the default");
        else if (units.Count > MaxLayers)
            Add("/model/hiddenLayers", $"at most {Number(MaxLayers)} layers are allowed, not {Number(units.Count)}");
        else
            for (var i = 0; i < units.Count; i++)
                Within($"/model/hiddenLayers/{i}", "units", units[i], 1, MaxUnits);
    }

    private LayerSpec[] LongForm(IReadOnlyList<LayerSpec> layers, ModelSpec model)
    {
        if (layers.Count is 0 or > MaxLayers)
        {
            Add("/model/layers", layers.Count == 0 ? "layers must hold at least one dense layer" : $"at most {Number(MaxLayers)} layers are allowed, not {Number(layers.Count)}");
            return [];
        }
        if (layers.All(l => l is not null && l.Type == "dropout"))
            Add("/model/layers", "layers must hold at least one dense layer");
        return [.. layers.Select((layer, i) => Layer(layer, i > 0 ? layers[i - 1] : null, model, $"/model/layers/{i}"))];
    }

    private LayerSpec Layer(LayerSpec? layer, LayerSpec? previous, ModelSpec model, string pointer)
    {
        switch (layer?.Type)
        {
            case null:
                Add(pointer, "a layer must be an object with a type, not null");
                return new() { Type = "" };
            case "dense":
                if (layer.Units is { } units)
                    Within(pointer + "/units", "units", units, 1, MaxUnits);
                else
                    Add(pointer + "/units", "a dense layer needs units");
                Foreign(pointer, layer, ("rate", layer.Rate), ("layers", layer.Layers));
                var initializer = layer.Initializer is null ? model.Initializer : InitializerRegistry.Resolve(layer.Initializer, pointer + "/initializer", errors);
                return layer with
                {
                    Activation = layer.Activation is null ? model.Activation : ActivationRegistry.Resolve(layer.Activation, pointer + "/activation", errors),
                    Initializer = initializer,
                    BiasInitializer = layer.BiasInitializer is null ? model.BiasInitializer : InitializerRegistry.ResolveBias(layer.BiasInitializer, pointer + "/biasInitializer", errors),
                };
            case "dropout":
                if (layer.Rate is { } rate)
                    Share(pointer + "/rate", "rate", rate);
                else
                    Add(pointer + "/rate", "a dropout layer needs a rate");
                if (previous?.Type == "dropout")
                    Add(pointer, "two dropout layers in a row: make them one");
                Foreign(pointer, layer, ("units", layer.Units), ("activation", layer.Activation), ("initializer", layer.Initializer),
                    ("biasInitializer", layer.BiasInitializer), ("layers", layer.Layers));
                return layer;
            case "batch_norm" or "layer_norm" or "residual" or "alpha_dropout":
                Add(pointer + "/type", $"layer type '{layer.Type}' is not supported yet; so far there are dense and dropout");
                return layer;
            default:
                Add(pointer + "/type", $"unknown layer type '{layer.Type}'{Names.DidYouMean(layer.Type, ["dense", "dropout"])}");
                return layer;
        }
    }

    private void Foreign(string pointer, LayerSpec layer, params ReadOnlySpan<(string Name, object? Value)> members)
    {
        foreach (var (name, value) in members)
            if (value is not null)
                Add($"{pointer}/{name}", $"a {layer.Type} layer has no '{name}'");
    }

    private TrainingSpec Training(TrainingSpec training)
    {
        Within("/training/epochs", "epochs", training.Epochs ?? 10, 1, MaxEpochs);
        var batch = training.BatchSize ?? Math.Min(64, data.TrainRows);
        if (batch < 1)
            Add("/training/batchSize", $"batchSize must be at least 1, not {batch}");
        else if (batch > data.TrainRows)
            Add("/training/batchSize", $"batchSize {Number(batch)} is larger than the {Number(data.TrainRows)} training rows");
        NotYet("/training/activityL1", "activityL1", training.ActivityL1 ?? 0, 0);
        NotYet("/training/labelSmoothing", "labelSmoothing", training.LabelSmoothing ?? 0, 0);
        if (training.ClipNorm is not null)
            Add("/training/clipNorm", "clipNorm is not supported yet; leave it out or give null");
        if (training.EarlyStopping is not null)
            Add("/training/earlyStopping", "earlyStopping is not supported yet; leave it out or give null");
        return training with
        {
            Epochs = training.Epochs ?? 10,
            BatchSize = batch,
            Seed = training.Seed ?? 1,
            Optimizer = Optimizer(training.Optimizer ?? new() { Name = "sgd" }),
            Schedule = Schedule(training.Schedule ?? new() { Name = "constant" }),
            Loss = Loss(training.Loss ?? "auto"),
            ActivityL1 = 0,
            LabelSmoothing = 0,
        };
    }

    private OptimizerSpec Optimizer(OptimizerSpec spec)
    {
        const string pointer = "/training/optimizer";
        if (spec.Name is not ("sgd" or "adam"))
        {
            Add(pointer, spec.Name is "adamw" or "rmsprop"
                ? $"optimizer '{spec.Name}' is not supported yet; so far there are sgd and adam"
                : $"unknown optimizer '{spec.Name}'{Names.DidYouMean(spec.Name, ["sgd", "adam"])}");
            return spec;
        }
        var parameters = new ParameterReader($"optimizer '{spec.Name}'", spec.Name == "sgd" ? SgdParameters : AdamParameters, pointer, errors);
        var resolved = new OptimizerSpec
        {
            Name = spec.Name,
            LearningRate = parameters.Read("learningRate", spec.LearningRate),
            Momentum = parameters.Read("momentum", spec.Momentum),
            Nesterov = parameters.Read("nesterov", spec.Nesterov),
            WeightDecay = parameters.Read("weightDecay", spec.WeightDecay),
            Beta1 = parameters.Read("beta1", spec.Beta1),
            Beta2 = parameters.Read("beta2", spec.Beta2),
            Epsilon = parameters.Read("epsilon", spec.Epsilon),
        };
        if (resolved is { Nesterov: true, Momentum: 0 })
            Add(pointer + "/nesterov", "nesterov needs a momentum above 0");
        return resolved;
    }

    private ScheduleSpec Schedule(ScheduleSpec schedule)
    {
        if (schedule.Name != "constant")
            Add("/training/schedule", schedule.Name is "step" or "cosine" or "exponential" or "one_cycle"
                ? $"schedule '{schedule.Name}' is not supported yet; so far there is constant"
                : $"unknown schedule '{schedule.Name}'{Names.DidYouMean(schedule.Name, ["constant"])}");
        if (schedule.WarmupSteps is not (null or 0))
            Add("/training/schedule/warmupSteps", "warmupSteps is not supported yet; leave it out");
        return schedule;
    }

    private string Loss(string loss)
    {
        var classes = data.Target == TargetKind.Classes;
        switch (loss)
        {
            case "auto":
                return classes ? "cross_entropy" : "mse";
            case "cross_entropy" when !classes:
                Add("/training/loss", "cross_entropy needs classes, but the target is a number: use mse");
                break;
            case "binary_cross_entropy" when !classes || data.Classes != 2:
                Add("/training/loss", $"binary_cross_entropy needs two classes, but the target {(classes ? $"has {data.Classes}: use cross_entropy" : "is a number: use mse")}");
                break;
            case "cross_entropy" or "binary_cross_entropy" or "mse":
                break;
            case "huber":
                Add("/training/loss", "loss 'huber' is not supported yet");
                break;
            default:
                Add("/training/loss", $"unknown loss '{loss}'{Names.DidYouMean(loss, ["auto", "cross_entropy", "binary_cross_entropy", "mse"])}");
                break;
        }
        return loss;
    }

    private DiagnosticsSpec Diagnostics(DiagnosticsSpec diagnostics)
    {
        var every = diagnostics.EverySteps ?? 100;
        if (every < 1)
            Add("/diagnostics/everySteps", $"everySteps must be at least 1, not {every}");
        var rows = diagnostics.EvaluationRows ?? 2048;
        Within("/diagnostics/evaluationRows", "evaluationRows", rows, 1, MaxEvaluationRows);
        if (diagnostics.Rules is { Count: > 0 })
            Add("/diagnostics/rules", "rules are not supported yet; leave them out or give {}");
        return diagnostics with { EverySteps = every, EvaluationRows = rows, Rules = null };
    }

    private void Within(string pointer, string name, long value, long min, long max)
    {
        if (value < min || value > max)
            Add(pointer, $"{name} must be from {Number(min)} to {Number(max)}, not {Number(value)}");
    }

    private void Share(string pointer, string name, double value)
    {
        if (!(value is >= 0 and < 1))
            Add(pointer, string.Create(CultureInfo.InvariantCulture, $"{name} must be in [0, 1), not {value}"));
    }

    private void NotYet(string pointer, string name, double value, double only)
    {
        if (value != only)
            Add(pointer, string.Create(CultureInfo.InvariantCulture, $"{name} is not supported yet; leave it out or give {only}"));
    }

    private void Add(string pointer, string message) => errors.Add(new(pointer, message));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
