using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>The rules and defaults of a run's specs.</summary>
internal sealed class PlanCheck(DataShape data, ICollection<SpecError> errors)
{
    private const int MaxLayers = 1_000;
    private const int MaxUnits = 65_536;
    private const long MaxParameters = 50_000_000;
    private const int MaxEpochs = 100_000;
    private const int MaxEvaluationRows = 100_000;

    private const int MaxDepth = 16;

    private static readonly ParameterInfo Momentum = new("momentum", 0.9, "[0, 1)", "");

    private static readonly ParameterInfo[] AdamParameters =
    [
        new("learningRate", 0.001, "> 0", ""), new("beta1", 0.9, "[0, 1)", ""), new("beta2", 0.999, "[0, 1)", ""), new("epsilon", 1e-8, "> 0", ""),
        new("weightDecay", 0.0, ">= 0", ""),
    ];

    private static readonly Dictionary<string, ParameterInfo[]> Optimizers = new()
    {
        ["sgd"] = [new("learningRate", 0.05, "> 0", ""), Momentum, new("nesterov", false, "true | false", ""), new("weightDecay", 0.0, ">= 0", "")],
        ["adam"] = AdamParameters,
        ["adamw"] = [.. AdamParameters.SkipLast(1), new("weightDecay", 0.01, ">= 0", "")],
        ["rmsprop"] =
        [
            new("learningRate", 0.001, "> 0", ""), new("alpha", 0.99, "[0, 1)", ""), new("epsilon", 1e-8, "> 0", ""), Momentum with { Default = 0.0 },
            new("weightDecay", 0.0, ">= 0", ""),
        ],
    };

    /// <summary>Which fields an entry of the long form has beside its type.</summary>
    private static readonly Dictionary<string, string[]> LayerFields = new()
    {
        ["dense"] = ["units", "activation", "initializer", "biasInitializer"],
        ["activation"] = ["activation"],
        ["dropout"] = ["rate"],
        ["alpha_dropout"] = ["rate"],
        ["batch_norm"] = ["epsilon", "momentum"],
        ["layer_norm"] = ["epsilon"],
        ["residual"] = ["layers"],
    };

    public RunPlan? Run(ModelSpec model, TrainingSpec training, DiagnosticsSpec diagnostics)
    {
        var before = errors.Count;
        var resolvedModel = Model(model);
        var resolvedTraining = Training(training);
        var resolvedDiagnostics = Diagnostics(diagnostics);
        if (errors.Count > before)
            return null;
        var plan = new RunPlan(resolvedModel, resolvedTraining, resolvedDiagnostics, data);
        if (plan.ParameterCount > MaxParameters)
            Add(model.Layers is null ? "/model/hiddenLayers" : "/model/layers",
                $"the network would have {Number(plan.ParameterCount)} parameters; at most {Number(MaxParameters)} are allowed");
        if (resolvedDiagnostics.EffectiveRank == true)
            EffectiveRanks(plan);
        return errors.Count > before ? null
            : resolvedDiagnostics.EverySteps is not null ? plan
            : new(resolvedModel, resolvedTraining, resolvedDiagnostics with { EverySteps = plan.EverySteps }, data);
    }

    private void EffectiveRanks(RunPlan plan)
    {
        var operations = plan.DenseLayers.Sum(l => EffectiveRank.Operations(l.Units, plan.EvaluationRows));
        if (operations > EffectiveRank.MostOperations)
            Add("/diagnostics/effectiveRank", string.Create(CultureInfo.InvariantCulture,
                $"the effective ranks of layers this wide would take {operations:0.#E+0} operations (rows units^2 + 4 units^3 of each layer); "
                + $"at most {EffectiveRank.MostOperations:0.#E+0} are allowed: use narrower layers or fewer evaluationRows, or leave effectiveRank out"));
    }

    private ModelSpec Model(ModelSpec model)
    {
        if (model.HiddenLayers is not null && model.Layers is not null)
            Add("/model/layers", "hiddenLayers and layers exclude each other: give one of them");
        if ((model.Normalization ?? "none") is not ("none" or "batch_norm" or "layer_norm"))
            Add("/model/normalization", $"unknown normalization '{model.Normalization}'{Names.DidYouMean(model.Normalization!, ["none", "batch_norm", "layer_norm"])}; "
                + "allowed are none, batch_norm and layer_norm");
        var hidden = model.Layers is null ? model.HiddenLayers ?? [256, 128] : null;
        if (hidden is not null)
            HiddenLayers(hidden);
        if (model.Dropout is { } dropout)
            Share("/model/dropout", "dropout", dropout);
        if (model.Layers is not null && (model.Normalization ?? "none") != "none")
            Add("/model/normalization", "normalization belongs to the short form; in layers, put {\"type\": \"batch_norm\"} where it is wanted");
        if (model.Layers is not null && model.Dropout > 0)
            Add("/model/dropout", "dropout belongs to the short form; in layers, put {\"type\": \"dropout\", \"rate\": ...} where it is wanted");

        var initializer = model.Initializer is null ? new InitializerSpec { Name = "kaiming_normal" } : model.Initializer;
        initializer = InitializerRegistry.Resolve(initializer, "/model/initializer", errors);
        var bias = model.BiasInitializer ?? BiasFor(initializer);
        var resolved = model with
        {
            HiddenLayers = hidden,
            Activation = ActivationRegistry.Resolve(model.Activation ?? new() { Name = "relu" }, "/model/activation", errors),
            Initializer = initializer,
            BiasInitializer = InitializerRegistry.ResolveBias(bias, "/model/biasInitializer", errors),
            Dropout = model.Dropout ?? 0,
            Normalization = model.Normalization ?? "none",
        };
        if (model.Layers is null)
            return resolved;
        _layers = 0;
        var layers = LongForm(model.Layers, resolved, data.Features, 0, "/model/layers", out _);
        if (_layers > MaxLayers)
            Add("/model/layers", $"at most {Number(MaxLayers)} layers are allowed, not {Number(_layers)}");
        else if (model.Layers.Count > 0 && !HasDense(model.Layers))
            Add("/model/layers", "layers must hold at least one dense layer");
        return resolved with { Layers = layers };
    }

    /// <summary>PyTorch's Linear and rai draw weight and bias alike.</summary>
    private static InitializerSpec BiasFor(InitializerSpec? weight) => new() { Name = weight?.Name is "torch_default" or "rai" ? weight.Name : "zeros" };

    private static bool HasDense(IReadOnlyList<LayerSpec> layers) => layers.Any(l => l is not null && (l.Type == "dense" || (l.Layers is not null && HasDense(l.Layers))));

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

    private int _layers;

    /// <summary>Resolves a list of layers; <paramref name="units"/> becomes the width behind the last one.</summary>
    private LayerSpec[] LongForm(IReadOnlyList<LayerSpec> layers, ModelSpec model, int inputs, int depth, string pointer, out int units)
    {
        units = inputs;
        _layers += layers.Count;
        if (layers.Count == 0)
            Add(pointer, "layers must hold at least one layer");
        if (depth > MaxDepth)
            Add(pointer, $"residual layers may be nested at most {MaxDepth} deep");
        if (layers.Count > MaxLayers || depth > MaxDepth)
            return [];
        var result = new LayerSpec[layers.Count];
        for (var i = 0; i < layers.Count; i++)
            result[i] = Layer(layers[i], i > 0 ? layers[i - 1] : null, model, ref units, depth, $"{pointer}/{i}");
        return result;
    }

    private LayerSpec Layer(LayerSpec? layer, LayerSpec? previous, ModelSpec model, ref int units, int depth, string pointer)
    {
        if (layer is null || !LayerFields.TryGetValue(layer.Type ?? "", out var fields))
        {
            Add(layer is null ? pointer : pointer + "/type", layer is null ? "a layer must be an object with a type, not null"
                : $"unknown layer type '{layer.Type}'{Names.DidYouMean(layer.Type ?? "", LayerFields.Keys)}; allowed are {string.Join(", ", LayerFields.Keys)}");
            return layer ?? new() { Type = "" };
        }
        foreach (var (name, value) in new (string, object?)[]
        {
            ("units", layer.Units), ("activation", layer.Activation), ("initializer", layer.Initializer), ("biasInitializer", layer.BiasInitializer), ("rate", layer.Rate),
            ("epsilon", layer.Epsilon), ("momentum", layer.Momentum), ("layers", layer.Layers),
        })
            if (value is not null && !fields.Contains(name))
                Add($"{pointer}/{name}", $"a layer of type '{layer.Type}' has no '{name}'; it has {string.Join(", ", fields)}");

        switch (layer.Type)
        {
            case "dense":
                if (layer.Units is null)
                    Add(pointer + "/units", "a dense layer needs units");
                else
                    Within(pointer + "/units", "units", layer.Units.Value, 1, MaxUnits);
                units = layer.Units ?? units;
                var initializer = layer.Initializer is null ? model.Initializer : InitializerRegistry.Resolve(layer.Initializer, pointer + "/initializer", errors);
                var bias = layer.BiasInitializer ?? (layer.Initializer is null ? null : BiasFor(initializer));
                return layer with
                {
                    Activation = layer.Activation is null ? model.Activation : ActivationRegistry.Resolve(layer.Activation, pointer + "/activation", errors),
                    Initializer = initializer,
                    BiasInitializer = bias is null ? model.BiasInitializer : InitializerRegistry.ResolveBias(bias, pointer + "/biasInitializer", errors),
                };
            case "activation":
                return layer with { Activation = layer.Activation is null ? model.Activation : ActivationRegistry.Resolve(layer.Activation, pointer + "/activation", errors) };
            case "dropout" or "alpha_dropout":
                if (layer.Rate is null)
                    Add(pointer + "/rate", $"a layer of type '{layer.Type}' needs a rate");
                else
                    Share(pointer + "/rate", "rate", layer.Rate.Value);
                if (previous?.Type is "dropout" or "alpha_dropout")
                    Add(pointer, "two dropout layers in a row: make them one");
                return layer;
            case "residual":
                if (layer.Layers is null)
                {
                    Add(pointer + "/layers", "a residual layer needs layers, its branch");
                    return layer;
                }
                var branch = LongForm(layer.Layers, model, units, depth + 1, pointer + "/layers", out var width);
                if (width != units)
                    Add(pointer + "/layers", $"the branch turns {Number(units)} units into {Number(width)}: what is added must have the width of the input, so end it with a dense layer of {Number(units)} units");
                return layer with { Layers = branch };
            default:
                var momentum = layer.Momentum ?? (layer.Type == "batch_norm" ? 0.1 : null);
                if (layer.Epsilon is { } epsilon && !(epsilon > 0 && float.IsFinite((float)epsilon) && (float)epsilon > 0))
                    Add(pointer + "/epsilon", string.Create(CultureInfo.InvariantCulture, $"epsilon must be > 0, not {epsilon}"));
                if (momentum is { } m && !(m is > 0 and <= 1))
                    Add(pointer + "/momentum", string.Create(CultureInfo.InvariantCulture, $"momentum must be in (0, 1], not {m}"));
                return layer with { Epsilon = layer.Epsilon ?? 1e-5, Momentum = momentum };
        }
    }

    private TrainingSpec Training(TrainingSpec training)
    {
        Within("/training/epochs", "epochs", training.Epochs ?? 10, 1, MaxEpochs);
        var batch = training.BatchSize ?? Math.Min(64, data.TrainRows);
        if (batch < 1)
            Add("/training/batchSize", $"batchSize must be at least 1, not {batch}");
        else if (batch > data.TrainRows)
            Add("/training/batchSize", $"batchSize {Number(batch)} is larger than the {Number(data.TrainRows)} training rows");
        AtLeastZero("/training/activityL1", "activityL1", training.ActivityL1 ?? 0);
        var loss = Loss(training.Loss ?? "auto");
        Share("/training/labelSmoothing", "labelSmoothing", training.LabelSmoothing ?? 0);
        if (training.LabelSmoothing > 0 && loss != "cross_entropy")
            Add("/training/labelSmoothing", $"labelSmoothing belongs to cross_entropy, but the loss is {loss}");
        if (training.HuberDelta is { } delta)
        {
            AboveZero("/training/huberDelta", "huberDelta", delta);
            if (loss != "huber")
                Add("/training/huberDelta", $"huberDelta belongs to huber, but the loss is {loss}");
        }
        if (training.ClipNorm is { } clip)
            AboveZero("/training/clipNorm", "clipNorm", clip);
        if (training.EarlyStopping is { } stopping)
        {
            if (data.ValidationRows == 0)
                Add("/training/earlyStopping", "earlyStopping watches the validation loss, but there are no validation rows: give a validationFraction above 0");
            if (stopping.Patience < 1)
                Add("/training/earlyStopping/patience", $"patience must be at least 1, not {stopping.Patience}");
            AtLeastZero("/training/earlyStopping/minDelta", "minDelta", stopping.MinDelta ?? 0);
        }
        var optimizer = Optimizer(training.Optimizer ?? OptimizerSpec.Default);
        var epochs = training.Epochs ?? 10;
        var steps = batch < 1 || epochs < 1 ? 1 : (data.TrainRows + batch - 1L) / batch * epochs;
        return training with
        {
            Epochs = epochs,
            BatchSize = batch,
            Seed = training.Seed ?? 1,
            Optimizer = optimizer,
            Schedule = Schedule(training.Schedule ?? new() { Name = "constant" }, steps),
            Loss = loss,
            HuberDelta = loss == "huber" ? training.HuberDelta ?? 1 : null,
            ActivityL1 = training.ActivityL1 ?? 0,
            LabelSmoothing = training.LabelSmoothing ?? 0,
            EarlyStopping = training.EarlyStopping is { } early ? new() { Patience = early.Patience ?? 5, MinDelta = early.MinDelta ?? 0 } : null,
        };
    }

    private OptimizerSpec Optimizer(OptimizerSpec spec)
    {
        const string pointer = "/training/optimizer";
        if (!Optimizers.TryGetValue(spec.Name, out var known))
        {
            Add(pointer, $"unknown optimizer '{spec.Name}'{Names.DidYouMean(spec.Name, Optimizers.Keys)}; allowed are {string.Join(", ", Optimizers.Keys)}");
            return spec;
        }
        var parameters = new ParameterReader($"optimizer '{spec.Name}'", known, pointer, errors);
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
            Alpha = parameters.Read("alpha", spec.Alpha),
        };
        if (resolved is { Nesterov: true, Momentum: 0 })
            Add(pointer + "/nesterov", "nesterov needs a momentum above 0");
        return resolved;
    }

    private ScheduleSpec Schedule(ScheduleSpec spec, long steps)
    {
        const string pointer = "/training/schedule";
        // the defaults that depend on the run
        double third = Math.Max(1, (steps + 2) / 3), toOnePercent = Math.Pow(0.01, 1.0 / Math.Max(1, steps));
        var schedules = new Dictionary<string, ParameterInfo[]>
        {
            ["constant"] = [],
            ["step"] = [new("stepSize", third, "> 0", ""), new("gamma", 0.1, "> 0", "")],
            ["exponential"] = [new("gamma", toOnePercent, "> 0", "")],
            ["cosine"] = [new("tMax", (double)Math.Clamp(steps - (spec.WarmupSteps ?? 0), 1, int.MaxValue), "> 0", ""), new("etaMin", 0.0, ">= 0", "")],
            ["one_cycle"] =
            [
                new("pctStart", 0.3, "> 0", ""), new("divFactor", 25.0, "> 0", ""), new("finalDivFactor", 1e4, "> 0", ""), new("cycleMomentum", true, "true | false", ""),
                new("baseMomentum", 0.85, "[0, 1)", ""), new("maxMomentum", 0.95, "[0, 1)", ""),
            ],
        };
        if (!schedules.TryGetValue(spec.Name, out var known))
        {
            Add(pointer, $"unknown schedule '{spec.Name}'{Names.DidYouMean(spec.Name, schedules.Keys)}; allowed are {string.Join(", ", schedules.Keys)}");
            return spec;
        }
        var parameters = new ParameterReader($"schedule '{spec.Name}'", known, pointer, errors);
        var resolved = new ScheduleSpec
        {
            Name = spec.Name,
            WarmupSteps = spec.WarmupSteps ?? 0,
            StepSize = (int?)parameters.Read("stepSize", (double?)spec.StepSize),
            Gamma = parameters.Read("gamma", spec.Gamma),
            TMax = (int?)parameters.Read("tMax", (double?)spec.TMax),
            EtaMin = parameters.Read("etaMin", spec.EtaMin),
            PctStart = parameters.Read("pctStart", spec.PctStart),
            DivFactor = parameters.Read("divFactor", spec.DivFactor),
            FinalDivFactor = parameters.Read("finalDivFactor", spec.FinalDivFactor),
            CycleMomentum = parameters.Read("cycleMomentum", spec.CycleMomentum),
            BaseMomentum = parameters.Read("baseMomentum", spec.BaseMomentum),
            MaxMomentum = parameters.Read("maxMomentum", spec.MaxMomentum),
        };
        if (resolved.WarmupSteps < 0 || (resolved.WarmupSteps > 0 && resolved.WarmupSteps >= steps))
            Add(pointer + "/warmupSteps", $"warmupSteps must be from 0 to fewer than the run's {Number(steps)} steps, not {Number(resolved.WarmupSteps.Value)}");
        if (resolved.Gamma > 1)
            Add(pointer + "/gamma", string.Create(CultureInfo.InvariantCulture, $"gamma must be > 0 and at most 1, not {resolved.Gamma}"));
        if (resolved.PctStart >= 1)
            Add(pointer + "/pctStart", string.Create(CultureInfo.InvariantCulture, $"pctStart must be in (0, 1), not {resolved.PctStart}"));
        return resolved;
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
            case "cross_entropy" or "binary_cross_entropy" or "mse" or "huber":
                break;
            default:
                Add("/training/loss", $"unknown loss '{loss}'{Names.DidYouMean(loss, ["auto", "cross_entropy", "binary_cross_entropy", "mse", "huber"])}");
                break;
        }
        return loss;
    }

    private DiagnosticsSpec Diagnostics(DiagnosticsSpec diagnostics)
    {
        if (diagnostics.EverySteps < 1)
            Add("/diagnostics/everySteps", $"everySteps must be at least 1, not {diagnostics.EverySteps}");
        var rows = diagnostics.EvaluationRows ?? 2048;
        Within("/diagnostics/evaluationRows", "evaluationRows", rows, 1, MaxEvaluationRows);
        return diagnostics with
        {
            EvaluationRows = rows,
            EffectiveRank = diagnostics.EffectiveRank ?? false,
            Rules = RulesSpec.Resolve(diagnostics.Rules, "/diagnostics/rules", errors),
        };
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

    private void AtLeastZero(string pointer, string name, double value)
    {
        if (!(value >= 0 && float.IsFinite((float)value)))
            Add(pointer, string.Create(CultureInfo.InvariantCulture, $"{name} must be a number of at least 0, not {value}"));
    }

    private void AboveZero(string pointer, string name, double value)
    {
        if (!(value > 0 && float.IsFinite((float)value)))
            Add(pointer, string.Create(CultureInfo.InvariantCulture, $"{name} must be > 0, not {value}"));
    }

    private void Add(string pointer, string message) => errors.Add(new(pointer, message));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
