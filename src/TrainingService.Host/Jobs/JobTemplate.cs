namespace TrainingService.Host.Jobs;

/// <summary>
/// A row of <c>job_templates</c>: what jobs of a sweep have in common that differ by seed and name alone. So ten thousand cells cost as
/// many small rows, however long the spec of their arm is.
/// </summary>
public sealed class JobTemplate
{
    public Guid SweepId { get; init; }

    /// <summary>In its sweep, from 0.</summary>
    public short Number { get; init; }

    /// <summary>The arm whose jobs they are; of equal ones, which share their jobs, the first. Null before it was stored.</summary>
    public string? Arm { get; init; }

    /// <summary>As <see cref="Job.Spec"/>, of no seed.</summary>
    public required JobSpec Spec { get; init; }

    /// <summary>As <see cref="Job.Request"/>, of no seed.</summary>
    public required JobSpec Request { get; init; }

    /// <summary>The request that asked for the sweep, as W3C <c>traceparent</c>.</summary>
    public string? Traceparent { get; init; }

    /// <summary>The spec of one of its jobs.</summary>
    public JobSpec SpecOf(string? name, long? seed) => Of(Spec, name, seed);

    /// <summary>What was asked for of one of its jobs.</summary>
    public JobSpec RequestOf(string? name, long? seed) => Of(Request, name, seed);

    /// <summary>The spec without what differs between the jobs.</summary>
    public static JobSpec Common(JobSpec spec) => Of(spec, null, null);

    private static JobSpec Of(JobSpec spec, string? name, long? seed) =>
        spec with { Name = name, Training = (spec.Training ?? new()) with { Seed = seed } };
}
