using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;

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
    public long ParameterCount => DenseLayers().Sum(l => l.Parameters);

    /// <summary>Bytes that a run holds at most: parameters, optimiser state, activations of a batch, and the data's rows.</summary>
    public long MemoryBytes => Network.Bytes(DenseLayers(), Optimizers.Optimizer.Create(Training.Optimizer!).States, Capacity)
        + sizeof(float) * ((long)Data.TrainRows + Data.ValidationRows + Data.TestRows) * (Data.Features + 1);

    /// <summary>Optimiser steps of the whole run.</summary>
    public long Steps => (Data.TrainRows + Training.BatchSize!.Value - 1L) / Training.BatchSize!.Value * Training.Epochs!.Value;

    /// <summary>Multiplications and additions of the whole run's matrix products: 6 per weight and training row (4 in the first layer), 2 per evaluated row.</summary>
    public double FloatingPointOperations
    {
        get
        {
            var layers = DenseLayers();
            double forward = 2.0 * layers.Sum(l => (double)l.Inputs * l.Outputs), first = 2.0 * layers[0].Inputs * layers[0].Outputs;
            double epochs = Training.Epochs!.Value, measured = Math.Min(Data.TrainRows, Diagnostics.EvaluationRows!.Value);
            return epochs * Data.TrainRows * (3 * forward - first)
                + (epochs * Data.ValidationRows + Data.TrainRows + Data.TestRows) * forward
                + ((double)Steps / Diagnostics.EverySteps!.Value + 2) * measured * (2 * forward - first);
        }
    }

    /// <summary>Samples that the network's buffers hold: a batch, and enough for evaluations to be quick.</summary>
    internal int Capacity => Math.Max(Training.BatchSize!.Value, 256);

    /// <summary>
    /// Checks the specs against each other and the data and fills in the defaults. Adds one error per broken rule, with pointers below
    /// <c>/model</c>, <c>/training</c> and <c>/diagnostics</c>, and answers null if there was any.
    /// </summary>
    public static RunPlan? Check(ModelSpec model, TrainingSpec training, DiagnosticsSpec diagnostics, DataShape data, ICollection<SpecError> errors) =>
        new PlanCheck(data, errors).Run(model, training, diagnostics);

    /// <summary>The dense layers from the input on, dropout layers folded into the layer behind them; the output layer is last.</summary>
    internal IReadOnlyList<DensePlan> DenseLayers()
    {
        var layers = new List<DensePlan>();
        var inputs = Data.Features;
        var dropout = 0.0;
        foreach (var layer in Model.Layers ?? [.. Model.HiddenLayers!.Select(units => new LayerSpec { Type = "dense", Units = units })])
        {
            if (layer.Type == "dropout")
            {
                dropout = layer.Rate!.Value;
                continue;
            }
            layers.Add(new($"hidden{layers.Count + 1}", inputs, layer.Units!.Value, layer.Activation ?? Model.Activation!, layer.Initializer ?? Model.Initializer!,
                layer.BiasInitializer ?? Model.BiasInitializer!, dropout));
            inputs = layer.Units.Value;
            dropout = Model.Layers is null ? Model.Dropout!.Value : 0;
        }
        var outputs = Data.Target == TargetKind.Number ? Data.Numbers : Training.Loss == "binary_cross_entropy" ? 1 : Data.Classes;
        layers.Add(new("output", inputs, outputs, new() { Name = "identity" }, Model.Initializer!, Model.BiasInitializer!, dropout));
        return layers;
    }
}
