using System.Linq.Expressions;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;

namespace TrainingService.Host.Jobs;

/// <summary>A job as clients see it.</summary>
public sealed record JobResponse
{
    /// <summary>UUIDv7: ids sort by the time of creation.</summary>
    public required Guid Id { get; init; }

    /// <summary>The name given at creation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Name { get; init; }

    /// <summary>Whose it is; null for nobody's, as where access is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Owner { get; init; }

    /// <summary>Who may read it beside its owner and admins.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>Where the job is in its life; succeeded, failed and canceled are final.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>
    /// What is trained: canonical names, every default filled in. It can be POSTed again as it is. Lists have it with <c>fields=spec</c>.
    /// </summary>
    public JobSpec? Spec { get; init; }

    /// <summary>Given at creation, or since then by `POST /api/v1/jobs/bulk`.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>1 for the job that is next; null once it isn't queued any more.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required int? QueuePosition { get; init; }

    /// <summary>When a worker is likely to begin with it, by what is estimated of the jobs before it; null if no worker could.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? EstimatedStartAt { get; init; }

    /// <summary>What keeps the job from going on, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How often a worker has begun with the job.</summary>
    public required int Attempt { get; init; }

    /// <summary>How far the training is.</summary>
    public required JobProgress Progress { get; init; }

    /// <summary>How the training ended; null until then. A diverged job has one too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required TrainingResult? Result { get; init; }

    /// <summary>Why the job failed; null unless it did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required JobError? Error { get; init; }

    /// <summary>How many findings there are by now; <c>links.findings</c> has them.</summary>
    public required FindingCounts Findings { get; init; }

    /// <summary>When the job was accepted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the latest attempt began.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the job came to its final status.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The sweep that the job belongs to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required Guid? SweepId { get; init; }

    /// <summary>Of a sweep's job: the arm that it is a run of.</summary>
    public string? Arm { get; init; }

    /// <summary>Of a sweep's job: the seed that it runs with.</summary>
    public long? Seed { get; init; }

    /// <summary>The job whose run this one repeats, to be compared (<c>GET .../verification</c>).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required Guid? Verifies { get; init; }

    /// <summary>The checkpoint of another job that this one went on from; left out of jobs that began at step 0.</summary>
    public FromCheckpoint? FromCheckpoint { get; init; }

    /// <summary>Who is told when it ends; left out for all but its owner and admins.</summary>
    public string? NotifyUrl { get; init; }

    /// <summary>Where to go from here.</summary>
    public required JobLinks Links { get; init; }

    private const string KeepsNet = """{"storeWeights": true}""";

    /// <summary>
    /// As much of a job's row as is shown: to read its request, layers and pre-flight, too, would take longer than all else, and so would
    /// the spec for lists. Of old sweeps' jobs, which have no template, the seed is in the spec alone.
    /// </summary>
    public static Expression<Func<Job, Job>> Row(bool withSpec) => job => new Job
    {
        Id = job.Id,
        Owner = job.Owner,
        Visibility = job.Visibility,
        Name = job.Name,
        Status = job.Status,
        OwnSpec = withSpec || (job.SweepId != null && job.Template == null) ? job.OwnSpec : null,
        StoresWeights = job.Status == JobStatus.Succeeded
            && EF.Functions.JsonContains(job.Template == null ? job.OwnSpec! : job.Template.Spec, KeepsNet),
        Template = job.Template == null ? null : new JobTemplate
        {
            SweepId = job.Template.SweepId,
            Arm = job.Template.Arm,
            Spec = withSpec ? job.Template.Spec : null!,
            Request = null!,
        },
        Seed = job.Seed,
        Dataset = job.Dataset,
        Activations = job.Activations,
        Initializers = job.Initializers,
        Labels = job.Labels,
        Priority = job.Priority,
        SweepId = job.SweepId,
        CreatedAt = job.CreatedAt,
        Attempt = job.Attempt,
        FromCheckpoint = job.FromCheckpoint,
        NotifyUrl = job.NotifyUrl,
        StartedAt = job.StartedAt,
        FinishedAt = job.FinishedAt,
        Epoch = job.Epoch,
        Epochs = job.Epochs,
        Step = job.Step,
        Steps = job.Steps,
        MemoryBytes = job.MemoryBytes,
        EtaSeconds = job.EtaSeconds,
        Findings = job.Findings,
        Result = job.Result,
        Verifies = job.Verifies,
        ErrorCode = job.ErrorCode,
        ErrorMessage = job.ErrorMessage,
        Version = job.Version,
    };

    public static JobResponse Of(Job job, QueuePlace? place, bool withSpec = true) => new()
    {
        Id = job.Id,
        Name = job.Name,
        Owner = Owned.Named(job.Owner),
        Visibility = job.Visibility,
        Status = job.Status,
        Spec = withSpec ? job.Spec : null,
        Labels = job.Labels,
        QueuePosition = place,
        EstimatedStartAt = place?.StartsAt,
        Notes = place?.Obstacle is { } obstacle ? [obstacle] : [],
        Attempt = job.Attempt,
        Progress = new(job.Epoch, job.Epochs, job.Step, job.Steps, job.Steps == 0 ? 0 : (double)job.Step / job.Steps, job.EtaSeconds),
        Result = job.Result,
        Error = job.ErrorCode is null ? null : new(job.ErrorCode, job.ErrorMessage ?? ""),
        Findings = job.Findings ?? FindingCounts.None,
        CreatedAt = job.CreatedAt,
        StartedAt = job.StartedAt,
        FinishedAt = job.FinishedAt,
        SweepId = job.SweepId,
        Arm = job.Template?.Arm,
        Seed = job.SweepId is null ? null : job.Seed ?? job.Spec.Training?.Seed,
        Verifies = job.Verifies,
        FromCheckpoint = job.FromCheckpoint,
        NotifyUrl = View.Current.Owns(job) ? job.NotifyUrl : null,
        Links = JobLinks.Of(job),
    };
}

/// <summary>How far the training of a job is.</summary>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Epochs">Epochs in all.</param>
/// <param name="Step">Steps finished.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Fraction">Share of the steps finished, 0 to 1.</param>
/// <param name="EtaSeconds">Estimated seconds to the end, while running.</param>
public sealed record JobProgress(int Epoch, int Epochs, long Step, long Steps, double Fraction,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? EtaSeconds);

/// <summary>Why a job failed.</summary>
/// <param name="Code">Stable, for programs (<c>diverged</c>, <c>crash_loop</c>, <c>out_of_memory</c>, <c>rows_lost</c>, ...).</param>
/// <param name="Message">One sentence for people.</param>
public sealed record JobError(string Code, string Message);

/// <summary>
/// Addresses that belong to a job, relative to the service's own: those that make sense in its state, the others are left out.
/// </summary>
/// <param name="Self">The job.</param>
/// <param name="Events">What happens to it, as it happens.</param>
/// <param name="Metrics">Its losses and accuracies over time.</param>
/// <param name="Layers">Its layers' sparsity, dead units, saturation, gradients over time.</param>
/// <param name="Preflight">What theory predicted of its layers, beside what was measured.</param>
/// <param name="Findings">What its rules found.</param>
/// <param name="CloneTo">POST here a merge patch on its spec to get another job.</param>
/// <param name="Model">The net, once it has succeeded and was kept: ONNX, safetensors or JSON.</param>
/// <param name="Predictions">POST raw rows here to have the net answer them.</param>
/// <param name="Cancel">POST here to cancel it.</param>
/// <param name="Pause">POST here to stop it for a while.</param>
/// <param name="Resume">POST here to let it go on.</param>
/// <param name="Checkpoints">From where it can go on.</param>
/// <param name="Retry">POST here to run it again.</param>
/// <param name="Verify">POST here to run it again as another job, and compare.</param>
/// <param name="Verification">What came of the comparison, if it is such a job.</param>
/// <param name="Delete">DELETE this.</param>
/// <param name="Sweep">The sweep that it belongs to.</param>
public sealed record JobLinks(string Self, string Events, string Metrics, string Layers, string Preflight, string Findings,
    [property: JsonPropertyName("clone")] string CloneTo, string? Model, string? Predictions, string? Cancel, string? Pause, string? Resume,
    string? Checkpoints, string? Retry, string? Verify, string? Verification, string? Delete, string? Sweep)
{
    public static JobLinks Of(Job job)
    {
        var (self, status) = ($"{JobRoutes.Root}/{job.Id}", job.Status);
        var isKept = status is JobStatus.Succeeded && job.StoresWeights;
        var isAlone = job.SweepId is null;
        string? If(bool allowed, string part) => allowed ? $"{self}/{part}" : null;
        return new(self, $"{self}/events", $"{self}/metrics", $"{self}/layers", $"{self}/preflight", $"{self}/findings", $"{self}/clone",
            If(isKept, "model"),
            If(isKept, "predictions"),
            If(status is JobStatus.Queued or JobStatus.Running or JobStatus.Paused or JobStatus.Pausing, "cancel"),
            If(status is JobStatus.Queued or JobStatus.Running, "pause"),
            If(status is JobStatus.Paused or JobStatus.Pausing, "resume"),
            If(isAlone ? status is not JobStatus.Succeeded : !job.IsFinished, "checkpoints"),
            If(isAlone && status is (JobStatus.Failed or JobStatus.Canceled), "retry"),
            If(job.Result is not null && job.FromCheckpoint is null, "verify"),
            If(job.Verifies is not null, "verification"),
            isAlone && job.IsFinished ? self : null,
            isAlone ? null : $"{JobRoutes.Sweeps}/{job.SweepId}");
    }
}
