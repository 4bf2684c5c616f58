using System.Globalization;
using TrainingService.Engine.Data;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>A checked training: see <see cref="TrainingSpec"/>.</summary>
/// <param name="Epochs">Passes over the training rows.</param>
/// <param name="BatchSize">Rows per step.</param>
/// <param name="Seed">Of the split, the initial weights, the order of rows and dropout.</param>
/// <param name="Optimizer">With its numbers.</param>
/// <param name="Schedule">With its numbers.</param>
/// <param name="Loss">With its numbers.</param>
/// <param name="ActivityL1">Weight in the loss of the sum of |h|.</param>
/// <param name="ClipNorm">Most that the gradient's norm may be; null for no limit.</param>
/// <param name="StandardizeTarget">Whether the network learns the standardised target; null for classes.</param>
/// <param name="ClassWeights">Null where all rows count alike.</param>
/// <param name="EarlyStopping">Null to train all epochs.</param>
public sealed record TrainingPlan(int Epochs, int BatchSize, long Seed, OptimizerPlan Optimizer, SchedulePlan Schedule, LossPlan Loss,
    double ActivityL1, double? ClipNorm, bool? StandardizeTarget, ClassWeightsPlan? ClassWeights, EarlyStoppingPlan? EarlyStopping)
{
    private const string Pointer = "/training";

    private const int StandardBatch = 64;

    /// <summary>The stored and shown form.</summary>
    public TrainingSpec Spec => new()
    {
        Epochs = Epochs,
        BatchSize = BatchSize,
        Seed = Seed,
        Optimizer = Optimizer.Spec,
        Schedule = Schedule.Spec,
        Loss = Loss.Name,
        HuberDelta = (Loss as HuberPlan)?.Delta,
        ActivityL1 = ActivityL1,
        ClipNorm = ClipNorm,
        LabelSmoothing = (Loss as CrossEntropyPlan)?.LabelSmoothing ?? 0,
        StandardizeTarget = StandardizeTarget,
        ClassWeights = ClassWeights?.Spec,
        EarlyStopping = EarlyStopping?.Spec,
    };

    /// <summary>Whether an epoch's last batch would have one row and joins the one before it.</summary>
    /// <param name="rows">Of the training split.</param>
    /// <param name="batch">Rows of a batch.</param>
    /// <param name="normalizes">Whether statistics of the batch are taken, which one row has none of.</param>
    internal static bool JoinsLast(int rows, int batch, bool normalizes) => normalizes && batch > 1 && rows > batch && rows % batch == 1;

    /// <summary>Optimiser steps of the whole run on so many rows.</summary>
    internal static long Steps(int rows, int batch, int epochs, bool normalizes) =>
        ((rows + batch - 1L) / batch - (JoinsLast(rows, batch, normalizes) ? 1 : 0)) * epochs;

    /// <summary>Checks and fills in the defaults; adds errors and answers null if there were any.</summary>
    /// <param name="spec">What was asked for.</param>
    /// <param name="data">What is trained on.</param>
    /// <param name="normalizes">Whether the model has a batch_norm.</param>
    /// <param name="errors">Where refusals go.</param>
    internal static TrainingPlan? Resolve(TrainingSpec spec, DataShape data, bool normalizes, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var fields = Fields.Check(spec, Pointer, errors);
        var epochs = fields.Of<int>(nameof(spec.Epochs));
        var batch = spec.BatchSize ?? Math.Min(StandardBatch, data.TrainRows);
        if (batch > data.TrainRows)
            errors.Add(new(Pointer + "/batchSize", string.Create(CultureInfo.InvariantCulture,
                $"batchSize {batch:N0} is larger than the {data.TrainRows:N0} training rows")));
        if (batch == 1 && normalizes)
            errors.Add(new(Pointer + "/batchSize", data.TrainRows == 1
                ? "batch_norm learns nothing from one training row, which it turns into zeros: take layer_norm, or no norm"
                : "batch_norm learns nothing from batches of one row, which it turns into zeros: "
                    + "take a batchSize of at least 2, better 16 or more, or layer_norm"));
        if (spec.StandardizeTarget is not null && data.Target == TargetKind.Classes)
            errors.Add(new(Pointer + "/standardizeTarget",
                "standardizeTarget is for a number as target, but here it is classes: leave it out"));
        var weights = ClassWeightsPlan.Resolve(spec.ClassWeights, data, Pointer + "/classWeights", errors);
        var loss = LossPlan.Resolve(fields.Of<string>(nameof(spec.Loss)),
            fields.Of<double>(nameof(spec.LabelSmoothing)), spec.HuberDelta, data, Pointer, errors);
        var stopping = spec.EarlyStopping is null ? null
            : EarlyStoppingPlan.Resolve(spec.EarlyStopping, data, Pointer + "/earlyStopping", errors);
        var optimizer = OptimizerPlan.Resolve(spec.Optimizer ?? OptimizerSpec.Default, Pointer + "/optimizer", errors,
            data.Target == TargetKind.Number);
        // where these were refused, any number of steps will do
        var steps = batch < 1 || epochs < 1 ? 1 : Steps(data.TrainRows, batch, epochs, normalizes);
        var schedule = SchedulePlan.Resolve(spec.Schedule ?? ScheduleSpec.Default, steps, Pointer + "/schedule", errors);
        return errors.Count > before || loss is null || optimizer is null || schedule is null ? null
            : new(epochs, batch, fields.Of<long>(nameof(spec.Seed)), optimizer, schedule,
                loss, fields.Of<double>(nameof(spec.ActivityL1)), spec.ClipNorm,
                data.Target == TargetKind.Number ? spec.StandardizeTarget ?? true : null, weights, stopping);
    }
}

/// <summary>Checked early stopping: see <see cref="EarlyStoppingSpec"/>.</summary>
/// <param name="Metric">What is watched on the validation rows.</param>
/// <param name="Patience">Epochs without improvement after which training stops.</param>
/// <param name="MinDelta">How much better the metric must be to count as an improvement.</param>
public sealed record EarlyStoppingPlan(string Metric, int Patience, double MinDelta)
{
    internal const string Loss = "loss", Accuracy = "accuracy", BalancedAccuracy = "balancedAccuracy", Rmse = "rmse", R2 = "r2";

    /// <summary>The stored and shown form.</summary>
    public EarlyStoppingSpec Spec => new() { Metric = Metric, Patience = Patience, MinDelta = MinDelta };

    internal static EarlyStoppingPlan Resolve(EarlyStoppingSpec spec, DataShape data, string pointer, ICollection<SpecError> errors)
    {
        if (data.ValidationRows == 0)
            errors.Add(new(pointer, "earlyStopping watches the validation rows, but there are none: give a validationFraction above 0"));
        var fields = Fields.Check(spec, pointer, errors);
        var metric = fields.Of<string>(nameof(spec.Metric));
        var classes = data.Target == TargetKind.Classes;
        if (classes ? metric is Rmse or R2 : metric is Accuracy or BalancedAccuracy)
            errors.Add(new(pointer + "/metric", classes
                ? $"{metric} is for a number as target, but here it is classes: watch loss, accuracy or balancedAccuracy"
                : $"{metric} is for classes, but the target is a number: watch loss, rmse or r2"));
        return new(metric, fields.Of<int>(nameof(spec.Patience)), fields.Of<double>(nameof(spec.MinDelta)));
    }
}
