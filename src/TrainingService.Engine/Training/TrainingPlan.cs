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
/// <param name="EarlyStopping">Null to train all epochs.</param>
public sealed record TrainingPlan(int Epochs, int BatchSize, long Seed, OptimizerPlan Optimizer, SchedulePlan Schedule, LossPlan Loss,
    double ActivityL1, double? ClipNorm, EarlyStoppingPlan? EarlyStopping)
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
        EarlyStopping = EarlyStopping?.Spec,
    };

    /// <summary>Optimiser steps of the whole run on so many rows.</summary>
    internal static long Steps(int rows, int batch, int epochs) => (rows + batch - 1L) / batch * epochs;

    /// <summary>Checks and fills in the defaults; adds errors and answers null if there were any.</summary>
    internal static TrainingPlan? Resolve(TrainingSpec spec, DataShape data, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var fields = Fields.Check(spec, Pointer, errors);
        var epochs = fields.Of<int>(nameof(spec.Epochs));
        var batch = spec.BatchSize ?? Math.Min(StandardBatch, data.TrainRows);
        if (batch > data.TrainRows)
            errors.Add(new(Pointer + "/batchSize", string.Create(CultureInfo.InvariantCulture,
                $"batchSize {batch:N0} is larger than the {data.TrainRows:N0} training rows")));
        var loss = LossPlan.Resolve(fields.Of<string>(nameof(spec.Loss)),
            fields.Of<double>(nameof(spec.LabelSmoothing)), spec.HuberDelta, data, Pointer, errors);
        var stopping = spec.EarlyStopping is null ? null
            : EarlyStoppingPlan.Resolve(spec.EarlyStopping, data, Pointer + "/earlyStopping", errors);
        var optimizer = OptimizerPlan.Resolve(spec.Optimizer ?? OptimizerSpec.Default, Pointer + "/optimizer", errors);
        // where these were refused, any number of steps will do
        var steps = batch < 1 || epochs < 1 ? 1 : Steps(data.TrainRows, batch, epochs);
        var schedule = SchedulePlan.Resolve(spec.Schedule ?? ScheduleSpec.Default, steps, Pointer + "/schedule", errors);
        return errors.Count > before || loss is null || optimizer is null || schedule is null ? null
            : new(epochs, batch, fields.Of<long>(nameof(spec.Seed)), optimizer, schedule,
                loss, fields.Of<double>(nameof(spec.ActivityL1)), spec.ClipNorm, stopping);
    }
}

/// <summary>Checked early stopping: see <see cref="EarlyStoppingSpec"/>.</summary>
/// <param name="Patience">Epochs without improvement after which training stops.</param>
/// <param name="MinDelta">How much lower the loss must be to count as an improvement.</param>
public sealed record EarlyStoppingPlan(int Patience, double MinDelta)
{
    /// <summary>The stored and shown form.</summary>
    public EarlyStoppingSpec Spec => new() { Patience = Patience, MinDelta = MinDelta };

    internal static EarlyStoppingPlan Resolve(EarlyStoppingSpec spec, DataShape data, string pointer, ICollection<SpecError> errors)
    {
        if (data.ValidationRows == 0)
            errors.Add(new(pointer, "earlyStopping watches the validation loss, but there are no validation rows: "
                + "give a validationFraction above 0"));
        var fields = Fields.Check(spec, pointer, errors);
        return new(fields.Of<int>(nameof(spec.Patience)), fields.Of<double>(nameof(spec.MinDelta)));
    }
}
