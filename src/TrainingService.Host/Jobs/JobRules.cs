using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>What one job may use.</summary>
/// <param name="MemoryMegabytes">While it runs, <c>TRAINING_JOB_MEMORY_MB</c>.</param>
/// <param name="StoredMegabytes">For what it measures, <c>TRAINING_JOB_STORED_MB</c>.</param>
/// <param name="Notified">Who may be told of its end, <c>TRAINING_WEBHOOKS</c>.</param>
public sealed record JobLimits(int MemoryMegabytes, int StoredMegabytes = JobLimits.StandardStoredMegabytes, Reach Notified = Reach.Public)
{
    public const int StandardStoredMegabytes = 4000;
}

/// <summary>A job that can run.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Spec">The same with every default filled in: the stored and shown form.</param>
/// <param name="Plan">Of its run.</param>
/// <param name="Priority">0 high, 1 normal, 2 low.</param>
/// <param name="Labels">None if none were given.</param>
public sealed record CheckedJob(JobSpec Request, JobSpec Spec, RunPlan Plan, short Priority, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>Who may read it; the specs, which don't change, say nothing of it.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>Who is told when it ends; nor of this.</summary>
    public string? NotifyUrl { get; init; }

    /// <summary>What waits to be written of a run, and what every run leaves to the collector.</summary>
    private const long Beside = 3_000_000;

    /// <summary>
    /// Most by which a worker's process grows for it: the run, and thrice its state, as it was captured, packed on its way into the
    /// database, and what the collector has not yet taken of the one before; the weights that are kept at its end are less. The rows count
    /// a second time, as they are being read.
    /// </summary>
    public long MemoryBytes => BytesOf(Plan);

    /// <summary>What its measurements take in the database with their indexes, about.</summary>
    public long StoredBytes => StoredBytesOf(Plan);

    /// <inheritdoc cref="StoredBytes"/>
    /// <param name="plan">Of the run.</param>
    /// <param name="everySteps">Between evaluations, if that is not the plan's to say.</param>
    public static long StoredBytesOf(RunPlan plan, int? everySteps = null) =>
        RowBytes * plan.MeasuredRowsWith(everySteps ?? plan.Diagnostics.EverySteps)
            + UnitBytes * plan.DenseLayers.Sum(layer => (long)layer.Units);

    /// <summary>As measured; most rows are of layers.</summary>
    public const long RowBytes = 420, UnitBytes = 100;

    /// <inheritdoc cref="MemoryBytes"/>
    public static long BytesOf(RunPlan plan) => plan.MemoryBytes + 3 * plan.StateBytes + Beside
        + ((long)plan.Data.TrainRows + plan.Data.ValidationRows + plan.Data.TestRows) * plan.Data.RowBytes;
}

/// <summary>Every rule that a spec must keep to be accepted.</summary>
public sealed class JobRules(DatasetRegistry datasets, JobLimits limits)
{
    public const int MaxName = 200, MaxLabels = 32, MaxLabelKey = 63, MaxLabelValue = 255;

    private static readonly string[] Priorities = ["high", "normal", "low"];
    private static readonly Dictionary<string, string> NoLabels = [];

    // Stands in for an unknown dataset, so that the rest of the spec is checked all the same: two classes and many
    // rows allow what any dataset would.
    private static readonly DataShape AnyData = new(2, TargetKind.Classes, 2, 1_000_000_000, 1, 1);

    /// <summary>Whether a sweep may draw other test rows for each seed without being asked to.</summary>
    public bool MayDrawTest(DatasetSpec spec) => datasets.Find(spec)?.HasGivenTest != true;

    /// <summary>Adds an error for every broken rule; null if there is one.</summary>
    /// <param name="spec">What was asked for.</param>
    /// <param name="errors">Where refusals go.</param>
    /// <param name="stored">Whether the spec is a job's own, resolved when it was submitted: it then means what it meant.</param>
    public CheckedJob? Check(JobSpec spec, ICollection<SpecError> errors, bool stored = false)
    {
        var before = errors.Count;
        var fields = Fields.Check(spec, "", errors, ["priority", "timeoutSeconds"]);
        CheckWords(spec, errors);
        var notifyUrl = NotifyUrl(spec.NotifyUrl, errors);
        var data = datasets.Resolve(spec.Dataset, spec.Training?.Seed ?? 1, errors);
        var training = spec.Training ?? new();
        if (data is null)
            // What these fit depends on the data, which is not known.
            training = training with { StandardizeTarget = null, ClassWeights = null };
        else if (stored)
            training = training.Stored(data.Value.Shape.Target);
        var plan = RunPlan.Check(spec.Model ?? new(), training, spec.Diagnostics ?? new(), data?.Shape ?? AnyData, errors);
        if (plan is not null && data is not null && CheckedJob.BytesOf(plan) > limits.MemoryMegabytes * 1_000_000L)
        {
            errors.Add(new("/model",
                $"the run would need about {CheckedJob.BytesOf(plan) / 1_000_000:N0} MB of memory ({plan.ParameterCount:N0} parameters, "
                + $"batches of {plan.Training.BatchSize:N0} rows); a job may have {limits.MemoryMegabytes:N0} MB: "
                + "use fewer units or a smaller batch"));
        }
        // what a job that is there already stores was allowed
        if (!stored && plan is not null && data is not null && CheckedJob.StoredBytesOf(plan) > limits.StoredMegabytes * 1_000_000L)
            errors.Add(new("/diagnostics/everySteps", $"the run would store about {plan.MeasuredRows:N0} rows of measurements "
                + $"({CheckedJob.StoredBytesOf(plan) / 1_000_000:N0} MB), measuring {plan.DenseLayers.Count:N0} layers every "
                + $"{plan.Diagnostics.EverySteps:N0} of {plan.Steps:N0} steps; a job may store {limits.StoredMegabytes:N0} MB: "
                + (plan.EveryStepsFor(limits.StoredMegabytes * 1_000_000L / CheckedJob.RowBytes) is { } enough
                    ? $"measure every {enough:N0} steps or more seldom" : "train for fewer epochs, or use fewer units")));
        if (errors.Count > before || plan is null || data is not { Spec: var dataset })
            return null;
        var (priority, labels) = (fields.Of<string>(nameof(spec.Priority)), spec.Labels ?? NoLabels);
        return new(spec with { Visibility = null, NotifyUrl = null }, spec with
        {
            Visibility = null,
            NotifyUrl = null,
            Dataset = dataset,
            Model = plan.Model.Spec,
            Training = plan.Training.Spec,
            Diagnostics = plan.Diagnostics.Spec,
            Priority = priority,
            TimeoutSeconds = fields.Of<int>(nameof(spec.TimeoutSeconds)),
            Labels = labels,
            StoreWeights = spec.StoreWeights ?? true,
        }, plan, (short)Array.IndexOf(Priorities, priority), labels)
        {
            Visibility = spec.Visibility ?? Visibility.Private,
            NotifyUrl = notifyUrl,
        };
    }

    /// <summary>As it is called; null of none, and of one that is refused, for an error that is added.</summary>
    public string? NotifyUrl(string? url, ICollection<SpecError> errors) =>
        Webhooks.NotifyUrl.Read(url, limits.Notified, $"/{Webhooks.NotifyUrl.Field}", errors);

    /// <summary>A model with every default filled in; null if it breaks a rule by itself.</summary>
    public static ModelSpec? Resolve(ModelSpec model) => RunPlan.Check(model, new(), new(), AnyData, [])?.Model.Spec;

    private static void CheckWords(JobSpec spec, ICollection<SpecError> errors)
    {
        if (spec.Name is not null && (Characters.Exceeds(spec.Name, MaxName) || string.IsNullOrWhiteSpace(spec.Name)))
            errors.Add(new("/name", $"must have 1 to {MaxName} characters, not only blanks; leave it out for a job without a name"));
        CheckLabels(spec.Labels, errors);
    }

    public static void CheckLabels(IReadOnlyDictionary<string, string>? labels, ICollection<SpecError> errors)
    {
        if (labels is null)
            return;
        if (labels.Count is > MaxLabels and var count)
            errors.Add(new("/labels", $"at most {MaxLabels} labels are allowed, not {count}"));
        foreach (var (key, value) in labels)
        {
            var place = $"/labels/{JsonShape.Escape(key)}";
            if (key.Length == 0 || Characters.Exceeds(key, MaxLabelKey) || key.Contains('='))
                errors.Add(new(place, $"a label's key must have 1 to {MaxLabelKey} characters and no '='"));
            if (Characters.Exceeds(value, MaxLabelValue))
                errors.Add(new(place, $"a label's value may have at most {MaxLabelValue} characters, not {Characters.Count(value)}"));
        }
    }
}
