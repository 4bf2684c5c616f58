using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>
/// A checked run. The only way to get one is <see cref="Check"/>, so whoever holds a plan can train it.
/// </summary>
public sealed class RunPlan
{
    private const long MaxParameters = 50_000_000;

    private RunPlan(ModelPlan model, TrainingPlan training, DiagnosticsPlan diagnostics, DataShape data, IReadOnlyList<LayerPlan> layers) =>
        (Model, Training, Diagnostics, Data, Layers) = (model, training, diagnostics, data, layers);

    /// <summary>The network.</summary>
    public ModelPlan Model { get; }

    /// <summary>How it is trained.</summary>
    public TrainingPlan Training { get; }

    /// <summary>What is measured on the way.</summary>
    public DiagnosticsPlan Diagnostics { get; }

    /// <summary>What the plan was checked against.</summary>
    public DataShape Data { get; }

    /// <summary>What the net's outputs mean.</summary>
    public OutputKind Meaning => Training.Loss.Means(Data.Target == TargetKind.Classes);

    /// <summary>Columns of a row's answer: a probability or score a class, or the target's numbers.</summary>
    public int Columns => Meaning is OutputKind.Logit ? 2 : Layers[^1].Units;

    /// <summary>Trainable numbers: weights, biases, slopes.</summary>
    public long ParameterCount => Layers.Sum(l => l.Parameters);

    /// <summary>
    /// Bytes that a run holds at most: parameters, optimiser state and what early stopping returns to, activations of a batch, what is
    /// measured of the units, and the data's rows and their order.
    /// </summary>
    public long MemoryBytes => Network.Bytes(Layers, Data.Features, Training.Optimizer.Create().States,
        Capacity, StoresGradients, Training.EarlyStopping is not null)
        + Linear.Sum(l => (long)l.Units
            * (LayerObserver.BytesPerUnit + (Training.EarlyStopping is null ? 0 : LayerObserver.KeptBytesPerUnit)))
        + (Diagnostics.EffectiveRank ? EffectiveRank.Bytes(Linear.Select(l => l.Units), EvaluationRows) : 0)
        + 2L * sizeof(int) * Data.TrainRows
        + ((long)Data.TrainRows + Data.ValidationRows + Data.TestRows)
            * (Data.RowBytes + (Training.StandardizeTarget == true ? 2 : 1) * sizeof(float));

    /// <summary>
    /// Bytes of a captured state, see <see cref="Trainer.Capture"/>: of each parameter itself, what the optimiser keeps and what early
    /// stopping returns to, and the histories of the units.
    /// </summary>
    public long StateBytes => Layers.SelectMany(l => l.Flat).Sum(l => sizeof(float)
            * ((l.PaddedMatrices + l.PaddedVectors) * (1 + Training.Optimizer.Create().States + (Training.EarlyStopping is null ? 0 : 1))
                + l.Running))
        + Linear.Sum(l => (long)l.Units * LayerObserver.BytesPerUnit);

    /// <summary>Optimiser steps of the whole run.</summary>
    public long Steps => TrainingPlan.Steps(Data.TrainRows, Training.BatchSize, Training.Epochs, Normalizes);

    /// <summary>
    /// Rows of measurements that the run tells at most: of each layer at each evaluation, and of the splits at each evaluation and epoch.
    /// </summary>
    public long MeasuredRows => MeasuredRowsWith(Diagnostics.EverySteps);

    /// <summary>The same if so many steps lay between evaluations.</summary>
    public long MeasuredRowsWith(int everySteps) => (Steps / everySteps + 2) * (Linear.Count() + 1) + 2L * Training.Epochs + 3;

    /// <summary>The fewest steps between evaluations with which the run tells at most so many rows; null if none are enough.</summary>
    public long? EveryStepsFor(long rows) =>
        (rows - 2L * Training.Epochs - 3) / (Linear.Count() + 1) - 2 is > 0 and var evaluations
            ? Math.Max(1, (Steps + evaluations - 1) / evaluations) : null;

    /// <summary>What is done otherwise than the spec lets one expect, a sentence each.</summary>
    public IReadOnlyList<string> Notes => JoinsLast
        ? [string.Create(CultureInfo.InvariantCulture, $"An epoch's last batch would have one row, from which batch_norm learns nothing: ")
            + string.Create(CultureInfo.InvariantCulture, $"it joins the batch before it, which has {Capacity:N0} rows.")]
        : [];

    /// <summary>The dense layers, from the input on; the output layer is last.</summary>
    public IReadOnlyList<LayerInfo> DenseLayers =>
        [.. Linear.Select((l, i) => new LayerInfo(i, l.Name, l.Units, l.Activation.Name, l.Initializer.Name))];

    /// <summary>
    /// Multiplications and additions of the whole run's matrix products: 6 per weight and training row (4 in the
    /// first layer), 2 per evaluated row.
    /// </summary>
    public double FloatingPointOperations
    {
        get
        {
            double epochs = Training.Epochs;
            return epochs * Data.TrainRows * Operations.Step
                + (epochs * Data.ValidationRows + Data.TrainRows + Data.TestRows) * Operations.Forward
                + ((double)Steps / Diagnostics.EverySteps * RowsBetween + 2.0 * EvaluationRows) * Operations.Evaluation;
        }
    }

    private RowOperations Operations => RowOperations.Of(Layers);

    /// <summary>Rows that the layers are measured on.</summary>
    internal int EvaluationRows => Math.Min(Data.TrainRows, Diagnostics.EvaluationRows);

    /// <summary>Of them, those that are measured between the ends.</summary>
    internal int RowsBetween => Math.Min(Data.TrainRows, Diagnostics.RowsBetween);

    /// <summary>Steps of an epoch.</summary>
    internal long EpochSteps => Steps / Training.Epochs;

    /// <summary>The steps between evaluations where only those on all rows are wanted that cost next to nothing, see
    /// <see cref="EvaluationCost"/>.</summary>
    public int RareEverySteps => EvaluationCost.EverySteps(Steps, Training.BatchSize, EvaluationRows, Operations);

    /// <summary>Samples that the network's buffers hold: those of the largest batch.</summary>
    internal int Capacity => Training.BatchSize + (JoinsLast ? 1 : 0);

    /// <summary>Whether an epoch's last row, which would be a batch by itself, joins the batch before it.</summary>
    internal bool JoinsLast => TrainingPlan.JoinsLast(Data.TrainRows, Training.BatchSize, Normalizes);

    private bool Normalizes => HasBatchNorm(Model.Layers);

    private static bool HasBatchNorm(IEnumerable<LayerEntry> layers) =>
        layers.Any(l => l is BatchNormEntry || l is ResidualEntry residual && HasBatchNorm(residual.Branch));

    /// <summary>
    /// Checks the specs against each other and the data and fills in the defaults. Adds one error per broken rule, with pointers below
    /// <c>/model</c>, <c>/training</c> and <c>/diagnostics</c>, and answers null if there was any.
    /// </summary>
    public static RunPlan? Check(ModelSpec model, TrainingSpec training,
        DiagnosticsSpec diagnostics, DataShape data, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var network = new ModelCheck(data.Features, errors).Run(model);
        var normalizes = network is not null && HasBatchNorm(network.Layers);
        var course = TrainingPlan.Resolve(training, data, normalizes, errors);
        var layers = network is null || course is null ? [] : network.Plan(data.Features, course.Loss.Outputs(data));
        var measures = DiagnosticsPlan.Resolve(diagnostics, Cadence, "/diagnostics", errors);
        if (network is null || course is null || measures is null)
            return null;
        var plan = new RunPlan(network, course, measures, data, layers);
        if (plan.ParameterCount > MaxParameters)
            errors.Add(new(model.Layers is null ? "/model/hiddenLayers" : "/model/layers", string.Create(CultureInfo.InvariantCulture,
                $"the network would have {plan.ParameterCount:N0} parameters; at most {MaxParameters:N0} are allowed")));
        if (measures.EffectiveRank && EffectiveRank.Refusal(plan.DenseLayers.Select(l => l.Units), plan.EvaluationRows) is { } refusal)
            errors.Add(new("/diagnostics/effectiveRank", refusal));
        return errors.Count > before ? null : plan;

        (int EverySteps, int Rows) Cadence(int rows)
        {
            if (course is null || layers.Count == 0)
                return (1, rows);
            var least = Math.Min(course.Epochs, course.EarlyStopping is { } stopping ? stopping.Patience + 1 : int.MaxValue);
            var (every, between) = EvaluationCost.Cadence(Steps(course.Epochs), Steps(least), course.BatchSize,
                Math.Min(data.TrainRows, rows), RowOperations.Of(layers));
            return (every, between < data.TrainRows ? between : rows);

            long Steps(int epochs) => TrainingPlan.Steps(data.TrainRows, course.BatchSize, epochs, normalizes);
        }
    }

    /// <summary>The same run with another seed, which breaks no rule.</summary>
    public RunPlan WithSeed(long seed) => new(Model, Training with { Seed = seed }, Diagnostics, Data, Layers);

    /// <summary>The same run with the weights that fit each activation, and biases of 0.</summary>
    internal RunPlan WithUsualWeights() =>
        new(Model, Training, Diagnostics, Data, [.. Layers.Select(layer => layer.WithUsualWeights(Model.Activation))]);

    /// <summary>SHA-256 of all that the plan says.</summary>
    internal byte[] Hash() => SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
        new { Model = Model.Spec, Training = Training.Spec, Diagnostics = Diagnostics.Spec, Data }));

    /// <summary>Whether no layer computes something else while training: dropout, batch norm.</summary>
    internal bool TrainsAsItEvaluates => Layers.All(l => l.TrainsAsItEvaluates);

    /// <summary>Which training rows the layers are measured on.</summary>
    internal int[] PickEvaluationRows()
    {
        int[] rows = [.. Enumerable.Range(0, Data.TrainRows)];
        new RandomStream(Training.Seed, StreamPurpose.EvaluationRows, 0).Shuffle(rows);
        return rows[..EvaluationRows];
    }

    /// <param name="train">The training rows, whose classes balanced weights are made of.</param>
    internal Loss CreateLoss(DataSplit train) =>
        Training.Loss.Create(Data.Target == TargetKind.Classes, Training.ClassWeights?.Of(train, Data.Classes));

    /// <summary>How the target is standardised; with mean 0 and deviation 1 it stays as it is.</summary>
    internal TargetScale ScaleOf(TrainingData data) =>
        Training.StandardizeTarget == true ? TargetScale.Of(data.Train, Data.Numbers) : TargetScale.None(Data.Numbers);

    /// <summary>The data with the target that the network learns.</summary>
    internal TrainingData Standardized(TrainingData data)
    {
        if (Training.StandardizeTarget != true)
            return data;
        var scale = ScaleOf(data);
        return data with
        {
            Train = scale.Apply(data.Train),
            Validation = data.Validation is { } validation ? scale.Apply(validation) : null,
            Test = data.Test is { } test ? scale.Apply(test) : null,
        };
    }

    /// <summary>Clipping needs all gradients before the first update.</summary>
    internal bool StoresGradients => Training.ClipNorm is not null;

    /// <summary>What to build, from the input on; the output layer is last.</summary>
    internal IReadOnlyList<LayerPlan> Layers { get; }

    private IEnumerable<LinearPlan> Linear => Layers.SelectMany(l => l.Linear);
}
