using System.Linq.Expressions;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
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

    /// <summary>Paused while running; the worker has not stopped yet.</summary>
    Pausing,

    /// <summary>Waits for a client to resume it; no worker holds it.</summary>
    Paused,
}

/// <summary>Where the training of a clone begins: at a checkpoint of another job.</summary>
/// <param name="Job">That job's id.</param>
/// <param name="Step">The checkpoint's.</param>
public sealed record FromCheckpoint(Guid Job, long Step)
{
    public const string Field = "fromCheckpoint";
}

/// <summary>A row of <c>jobs</c>: the truth about a job. The queue only wakes workers.</summary>
public sealed class Job : IShared
{
    public Guid Id { get; init; }

    /// <summary>A sweep's jobs are those of its owner, whoever adds to it.</summary>
    public string Owner { get; set; } = View.Current.Owner;
    public Visibility Visibility { get; set; }
    public string? Name { get; init; }
    public JobStatus Status { get; set; }

    /// <summary>Resolved: canonical names, all defaults filled in.</summary>
    public JobSpec Spec
    {
        get => OwnSpec ?? Template?.SpecOf(Name, Seed) ?? throw new InvalidOperationException($"Job {Id} was read without its spec.");
        init => OwnSpec = value;
    }

    /// <summary>Whether its net is kept once it has succeeded; of its spec, for those who read it without.</summary>
    public bool StoresWeights
    {
        get => _storesWeights ?? Spec.StoreWeights == true;
        init => _storesWeights = value;
    }

    private readonly bool? _storesWeights;

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
    /// How often in a row a lease ran out in the middle of a run that stored no checkpoint, as happens when a process dies; at 3 the job
    /// fails as <c>crash_loop</c>. A process that turns out to live takes its own back.
    /// </summary>
    public int Crashes { get; set; }

    /// <summary>What earlier attempts ran, which counts towards the timeout.</summary>
    public double RanSeconds { get; set; }

    /// <summary>Null unless it is a clone that goes on from another job's checkpoint.</summary>
    public FromCheckpoint? FromCheckpoint { get; set; }

    /// <summary>
    /// The request that asked for it, as W3C <c>traceparent</c>: its run is a part of that trace. Null of a sweep's, whose template has it.
    /// </summary>
    public string? Traceparent { get; init; }

    /// <summary>Who is told when it ends; a trigger of the table sees to it.</summary>
    public string? NotifyUrl { get; init; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    public int Epoch { get; set; }
    public int Epochs { get; init; }
    public long Step { get; set; }
    public long Steps { get; init; }

    /// <summary>Estimated seconds of a worker's time: short runs are claimed together.</summary>
    public double Cost { get; init; } = 1;

    /// <summary>Estimated bytes that its run needs at most; null of jobs from before this was kept, which count as nothing.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>
    /// What its measurements take, as estimated: at first of a whole run, once it has ended of as far as it came. Null of jobs from before
    /// this was kept, which count as nothing.
    /// </summary>
    public long? StoredBytes { get; set; }
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

    /// <summary>Is the same one's, and seen by the same.</summary>
    public void BelongTo(IShared other) => (Owner, Visibility) = (other.Owner, other.Visibility);

    /// <summary>
    /// Waits for a worker again, as it did when it was new. What it measured goes when a worker claims it, but for what lies before a
    /// checkpoint.
    /// </summary>
    public void Requeue()
    {
        GiveBack(JobStatus.Queued, null);
        (Result, ErrorCode, ErrorMessage, FinishedAt) = (null, null, null, null);
        (Crashes, RanSeconds) = (0, 0);
    }

    /// <summary>No worker holds it any more.</summary>
    /// <param name="status">Queued or paused.</param>
    /// <param name="checkpoint">From where it will go on; null for the beginning.</param>
    public void GiveBack(JobStatus status, Checkpoint? checkpoint)
    {
        (Status, StartedAt, LeaseOwner, LeaseUntil) = (status, null, null, null);
        (Epoch, Step, SamplesPerSecond, EtaSeconds) = (checkpoint?.Epoch ?? 0, checkpoint?.Step ?? 0, null, null);
    }

    /// <summary>Whether it waits for a worker that has so many bytes for it, and is of nobody who has as many runs as may be.</summary>
    public static Expression<Func<Job, bool>> WaitsFor(long memory, string[] full) =>
        job => job.Status == JobStatus.Queued && (job.MemoryBytes == null || job.MemoryBytes <= memory) && !full.Contains(job.Owner);

    public bool IsFinished => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    /// <summary>Postgres' xmin: changes with every write, so it is the ETag.</summary>
    public uint Version { get; set; }
}
