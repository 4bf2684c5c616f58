using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Findings;

namespace TrainingService.Host.Jobs;

/// <summary>Where a job is in its life.</summary>
public enum JobStatus
{
    /// <summary>Stored, not yet claimed by a worker.</summary>
    Queued,

    /// <summary>A worker holds the lease.</summary>
    Running,

    /// <summary>Cancelled while running; the worker has not stopped yet.</summary>
    Canceling,

    /// <summary>Trained to the end.</summary>
    Succeeded,

    /// <summary>Ended with an error, see <see cref="Job.ErrorCode"/>.</summary>
    Failed,

    /// <summary>Stopped by a client.</summary>
    Canceled,
}

/// <summary>A row of <c>jobs</c>: the truth about a job. The queue only wakes workers.</summary>
public sealed class Job
{
    public Guid Id { get; init; }
    public string? Name { get; init; }
    public JobStatus Status { get; set; }

    /// <summary>Resolved: canonical names, all defaults filled in.</summary>
    public JobSpec Spec
    {
        get => OwnSpec ?? Template?.SpecOf(Name, Seed) ?? throw new InvalidOperationException($"Job {Id} was read without its spec.");
        init => OwnSpec = value;
    }

    /// <summary>As it was asked for, without the defaults: those of a clone follow what it changes.</summary>
    public JobSpec? Request
    {
        get => OwnRequest ?? Template?.RequestOf(Name, Seed);
        init => OwnRequest = value;
    }

    /// <summary>What a sweep's job shares with others; null of a job by itself, whose spec is its own.</summary>
    public JobTemplate? Template { get; init; }
    public short? TemplateNumber { get; init; }

    /// <summary>That of the template's jobs it is.</summary>
    public long? Seed { get; init; }
    public JobSpec? OwnSpec { get; init; }
    public JobSpec? OwnRequest { get; init; }

    // Copies of parts of the spec, to filter by.
    public required string Dataset { get; init; }
    public required string[] Activations { get; init; }
    public required string[] Initializers { get; init; }
    public required Dictionary<string, string> Labels { get; init; }

    /// <summary>0 high, 1 normal, 2 low.</summary>
    public short Priority { get; init; }
    public Guid? SweepId { get; init; }
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Fencing token: counts the claims. Whoever writes for a job locks the row with its own attempt first.</summary>
    public int Attempt { get; set; }
    public string? LeaseOwner { get; set; }
    public DateTimeOffset? LeaseUntil { get; set; }

    /// <summary>
    /// How often a lease ran out in the middle of a run, which a process does that dies; at 3 the job fails as <c>crash_loop</c>.
    /// </summary>
    public int Crashes { get; set; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    public int Epoch { get; set; }
    public int Epochs { get; init; }
    public long Step { get; set; }
    public long Steps { get; init; }

    /// <summary>Estimated seconds of a worker's time: short runs are claimed together.</summary>
    public double Cost { get; init; } = 1;
    public double? SamplesPerSecond { get; set; }
    public double? EtaSeconds { get; set; }

    /// <summary>The dense layers, stored when training begins.</summary>
    public IReadOnlyList<LayerInfo>? Layers { get; set; }
    public FindingCounts? Findings { get; set; }
    public TrainingResult? Result { get; set; }

    /// <summary>What theory says of the net at step 0, stored when training begins.</summary>
    public Preflight? Preflight { get; set; }

    /// <summary>The job that this one reruns, to compare.</summary>
    public Guid? Verifies { get; set; }
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }

    /// <summary>Waits for a worker again, as it did when it was new. What it measured goes when a worker claims it.</summary>
    /// <param name="crashes">Those that still count.</param>
    public void Requeue(int crashes = 0)
    {
        (Status, Result, ErrorCode, ErrorMessage, FinishedAt, StartedAt) = (JobStatus.Queued, null, null, null, null, null);
        (LeaseOwner, LeaseUntil, Crashes) = (null, null, crashes);
        (Epoch, Step, SamplesPerSecond, EtaSeconds) = (0, 0, null, null);
    }

    public bool IsFinished => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    /// <summary>Postgres' xmin: changes with every write, so it is the ETag.</summary>
    public uint Version { get; set; }
}
