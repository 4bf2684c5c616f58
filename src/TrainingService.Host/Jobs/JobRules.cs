using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>What one job may use, <c>TRAINING_JOB_MEMORY_MB</c>.</summary>
public sealed record JobLimits(int MemoryMegabytes);

/// <summary>A job that can run: what was asked for, its spec with every default filled in, and the plan of its run.</summary>
public sealed record CheckedJob(JobSpec Request, JobSpec Spec, RunPlan Plan);

/// <summary>Every rule that a spec must keep to be accepted.</summary>
public sealed class JobRules(DatasetRegistry datasets, JobLimits limits)
{
    public const int MaxName = 200;

    public static IReadOnlyList<string> Priorities { get; } = ["high", "normal", "low"];

    // Stands in for an unknown dataset, so that the rest of the spec is checked all the same: two classes and many rows allow what any dataset would.
    private static readonly DataShape AnyData = new(1, TargetKind.Classes, 2, 1_000_000_000, 1, 1);

    /// <summary>Adds an error for every broken rule; null if there is one.</summary>
    public CheckedJob? Check(JobSpec spec, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        CheckOwnFields(spec, errors);
        var data = datasets.Resolve(spec.Dataset, spec.Training?.Seed ?? 1, errors);
        var plan = RunPlan.Check(spec.Model ?? new(), spec.Training ?? new(), spec.Diagnostics ?? new(), data?.Shape ?? AnyData, errors);
        if (plan is not null && data is not null && plan.MemoryBytes > limits.MemoryMegabytes * 1_000_000L)
        {
            errors.Add(new("/model", $"the run would need about {plan.MemoryBytes / 1_000_000:N0} MB of memory ({plan.ParameterCount:N0} parameters, "
                + $"batches of {plan.Training.BatchSize:N0} rows); a job may have {limits.MemoryMegabytes:N0} MB: use fewer units or a smaller batch"));
        }
        if (errors.Count > before)
            return null;
        return new(spec, spec with
        {
            Dataset = data!.Value.Spec,
            Model = plan!.Model.Spec,
            Training = plan.Training.Spec,
            Diagnostics = plan.Diagnostics.Spec,
            Priority = spec.Priority ?? "normal",
            TimeoutSeconds = spec.TimeoutSeconds ?? 3600,
            Labels = spec.Labels ?? new Dictionary<string, string>(),
        }, plan);
    }

    /// <summary>A model with every default filled in; null if it breaks a rule by itself.</summary>
    public static ModelSpec? Resolve(ModelSpec model) => RunPlan.Check(model, new(), new(), AnyData, [])?.Model.Spec;

    private static void CheckOwnFields(JobSpec spec, ICollection<SpecError> errors)
    {
        if (spec.Name is not null && (Characters.Exceeds(spec.Name, MaxName) || string.IsNullOrWhiteSpace(spec.Name)))
            errors.Add(new("/name", "must have 1 to 200 characters, not only blanks; leave it out for a job without a name"));
        if (spec.Priority is { } priority && !Priorities.Contains(priority))
            errors.Add(new("/priority", $"unknown priority '{priority}'; allowed are {string.Join(", ", Priorities)}{Names.DidYouMean(priority, Priorities)}"));
        if (spec.TimeoutSeconds is < 1 or > 604_800)
            errors.Add(new("/timeoutSeconds", $"must be from 1 to 604,800 seconds (a week), not {spec.TimeoutSeconds}"));
        if (spec.NotifyUrl is not null)
            errors.Add(new("/notifyUrl", "notifications are not supported yet; poll the job instead"));
        if (spec.Labels is null)
            return;
        if (spec.Labels.Count > 32)
            errors.Add(new("/labels", $"at most 32 labels are allowed, not {spec.Labels.Count}"));
        foreach (var (key, value) in spec.Labels)
        {
            var place = $"/labels/{JsonShape.Escape(key)}";
            if (key.Length == 0 || Characters.Exceeds(key, 63) || key.Contains('='))
                errors.Add(new(place, "a label's key must have 1 to 63 characters and no '='"));
            if (Characters.Exceeds(value, 255))
                errors.Add(new(place, $"a label's value may have at most 255 characters, not {Characters.Count(value)}"));
        }
    }
}
