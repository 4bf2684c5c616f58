using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>
/// A checked run: specs with canonical names and every default filled in. The only way to get one is <see cref="Check"/>, so whoever holds a plan can train it.
/// </summary>
public sealed class RunPlan
{
    internal RunPlan(ModelSpec model, TrainingSpec training, DiagnosticsSpec diagnostics, DataShape data)
    {
        Model = model;
        Training = training;
        Diagnostics = diagnostics;
        Data = data;
    }

    /// <summary>The resolved model.</summary>
    public ModelSpec Model { get; }

    /// <summary>The resolved training.</summary>
    public TrainingSpec Training { get; }

    /// <summary>The resolved diagnostics.</summary>
    public DiagnosticsSpec Diagnostics { get; }

    /// <summary>What the plan was checked against.</summary>
    public DataShape Data { get; }

    /// <summary>Trainable numbers: weights, biases, slopes.</summary>
    public long ParameterCount => Layers.Sum(l => l.Parameters);

    /// <summary>Bytes that a run holds at most: parameters, optimiser state, activations of a batch, and the data's rows.</summary>
    public long MemoryBytes => Network.Bytes(Layers, Data.Features, Optimizers.Optimizer.Create(Training.Optimizer!).States, Capacity, StoresGradients)
        + Linear(Layers).Sum(l => (long)l.Units * (LayerObserver.BytesPerUnit + (Diagnostics.EffectiveRank == true ? sizeof(float) * EvaluationRows : 0)))
        + sizeof(float) * ((long)Data.TrainRows + Data.ValidationRows + Data.TestRows) * (Data.Features + 1);

    /// <summary>Optimiser steps of the whole run.</summary>
    public long Steps => (Data.TrainRows + Training.BatchSize!.Value - 1L) / Training.BatchSize!.Value * Training.Epochs!.Value;

    /// <summary>The dense layers, from the input on; the output layer is last.</summary>
    public IReadOnlyList<LayerInfo> DenseLayers =>
        [.. Linear(Layers).Select((l, i) => new LayerInfo(i, l.Name, l.Units, l.Activation.Name, l.Initializer.Name))];

    /// <summary>Multiplications and additions of the whole run's matrix products: 6 per weight and training row (4 in the first layer), 2 per evaluated row.</summary>
    public double FloatingPointOperations
    {
        get
        {
            double epochs = Training.Epochs!.Value;
            return epochs * Data.TrainRows * StepOperations + (epochs * Data.ValidationRows + Data.TrainRows + Data.TestRows) * ForwardOperations
                + ((double)Steps / Diagnostics.EverySteps!.Value + 2) * EvaluationRows * EvaluationOperations;
        }
    }

    /// <summary>Of one row's way forward.</summary>
    private double ForwardOperations => 2.0 * Layers.Sum(l => l.Multiplies);

    /// <summary>Of one row in a training step: nobody wants the gradient by the features.</summary>
    internal double StepOperations => 3 * ForwardOperations - FirstOperations;

    /// <summary>Of one row in an evaluation of the layers: forward, and the gradient back to the first layer.</summary>
    internal double EvaluationOperations => 2 * ForwardOperations - FirstOperations;

    private double FirstOperations => 2.0 * Linear(Layers).First().Multiplies;

    /// <summary>Steps between evaluations where the request leaves them open.</summary>
    internal int EverySteps => EvaluationCost.EverySteps(Steps, Capacity, StepOperations, EvaluationRows, EvaluationOperations);

    /// <summary>Rows that the layers are measured on.</summary>
    internal int EvaluationRows => Math.Min(Data.TrainRows, Diagnostics.EvaluationRows!.Value);

    /// <summary>Samples that the network's buffers hold.</summary>
    internal int Capacity => Training.BatchSize!.Value;

    /// <summary>
    /// Checks the specs against each other and the data and fills in the defaults. Adds one error per broken rule, with pointers below
    /// <c>/model</c>, <c>/training</c> and <c>/diagnostics</c>, and answers null if there was any.
    /// </summary>
    public static RunPlan? Check(ModelSpec model, TrainingSpec training, DiagnosticsSpec diagnostics, DataShape data, ICollection<SpecError> errors) =>
        new PlanCheck(data, errors).Run(model, training, diagnostics);

    /// <summary>Whether no layer computes something else while training: dropout, batch norm.</summary>
    internal bool TrainsAsItEvaluates => Same(Layers);

    private static bool Same(IReadOnlyList<LayerPlan> layers) => layers.All(l => l switch
    {
        DropoutPlan or NormPlan { Batch: true } => false,
        ResidualPlan residual => Same(residual.Branch),
        _ => true,
    });

    /// <summary>Which training rows the layers are measured on.</summary>
    internal int[] PickEvaluationRows()
    {
        int[] rows = [.. Enumerable.Range(0, Data.TrainRows)];
        new RandomStream(Training.Seed!.Value, StreamPurpose.EvaluationRows, 0).Shuffle(rows);
        return rows[..EvaluationRows];
    }

    internal Loss CreateLoss() => Loss.Create(Training.Loss!, Training.LabelSmoothing!.Value, Training.HuberDelta ?? 1, Data.Target == TargetKind.Classes);

    /// <summary>Clipping needs all gradients before the first update.</summary>
    internal bool StoresGradients => Training.ClipNorm is not null;

    /// <summary>What to build, from the input on; the output layer is last.</summary>
    internal IReadOnlyList<LayerPlan> Layers => field ??= Build();

    private List<LayerPlan> Build()
    {
        var layers = new List<LayerPlan>();
        var units = Data.Features;
        var hidden = 0;
        Append(layers, Model.Layers ?? ShortForm(), ref units, ref hidden);
        var outputs = Data.Target == TargetKind.Number ? Data.Numbers : Training.Loss == "binary_cross_entropy" ? 1 : Data.Classes;
        layers.Add(new LinearPlan("output", units, outputs, Model.Initializer!, Model.BiasInitializer!, Identity));
        return layers;
    }

    private static IEnumerable<LinearPlan> Linear(IEnumerable<LayerPlan> layers) =>
        layers.SelectMany(l => l is ResidualPlan residual ? Linear(residual.Branch) : l is LinearPlan linear ? [linear] : []);

    private static ActivationSpec Identity { get; } = new() { Name = "identity" };

    private List<LayerSpec> ShortForm()
    {
        var layers = new List<LayerSpec>();
        var normalized = Model.Normalization != "none";
        foreach (var units in Model.HiddenLayers!)
        {
            layers.Add(new() { Type = "dense", Units = units, Activation = normalized ? Identity : Model.Activation });
            if (normalized)
            {
                layers.Add(new() { Type = Model.Normalization!, Epsilon = 1e-5, Momentum = 0.1 });
                layers.Add(new() { Type = "activation", Activation = Model.Activation });
            }
            if (Model.Dropout > 0)
                layers.Add(new() { Type = Model.Activation!.Name == "selu" ? "alpha_dropout" : "dropout", Rate = Model.Dropout });
        }
        return layers;
    }

    private void Append(List<LayerPlan> plans, IReadOnlyList<LayerSpec> layers, ref int units, ref int hidden)
    {
        for (var i = 0; i < layers.Count; i++)
        {
            var layer = layers[i];
            switch (layer.Type)
            {
                case "dense":
                    plans.Add(new LinearPlan($"hidden{++hidden}", units, layer.Units!.Value, layer.Initializer ?? Model.Initializer!, layer.BiasInitializer ?? Model.BiasInitializer!,
                        ActivationBehind(layers, i)));
                    units = layer.Units.Value;
                    if (layer.Activation!.Name != "identity")
                        plans.Add(new ActivationPlan(units, layer.Activation));
                    break;
                case "activation":
                    plans.Add(new ActivationPlan(units, layer.Activation!));
                    break;
                case "dropout" or "alpha_dropout":
                    plans.Add(new DropoutPlan(units, layer.Rate!.Value, layer.Type == "alpha_dropout"));
                    break;
                case "residual":
                    var branch = new List<LayerPlan>();
                    Append(branch, layer.Layers!, ref units, ref hidden);
                    plans.Add(new ResidualPlan(units, branch));
                    break;
                default:
                    plans.Add(new NormPlan(units, layer.Type == "batch_norm", layer.Epsilon!.Value, layer.Momentum ?? 0));
                    break;
            }
        }
    }

    /// <summary>The dense layer's own activation, or where that is identity, the one that follows before the next dense layer.</summary>
    private static ActivationSpec ActivationBehind(IReadOnlyList<LayerSpec> layers, int index)
    {
        if (layers[index].Activation!.Name != "identity")
            return layers[index].Activation!;
        return layers.Skip(index + 1).TakeWhile(l => l.Type is not ("dense" or "residual")).FirstOrDefault(l => l.Type == "activation")?.Activation ?? Identity;
    }
}
