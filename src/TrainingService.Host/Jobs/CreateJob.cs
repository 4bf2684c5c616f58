using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Jobs;

public static class CreateJob
{
    // Of one core with AVX-512, as measured: arithmetic in the matrix products, and what a step and a run cost beside it. Slower elsewhere.
    private const double OperationsPerSecond = 5e10, SecondsPerStep = 1e-5, SecondsPerRun = 1e-3;

    /// <summary>Submit a training job</summary>
    /// <remarks>
    /// Checks the whole body, stores the job as <c>queued</c> and answers at once; a worker trains it. Only <c>dataset</c> is required.
    /// Follow the answer's <c>Location</c> until <c>status</c> is succeeded, failed or canceled.
    /// </remarks>
    /// <param name="validateOnly">As <see cref="ValidateJob"/>, for callers from before that had a path of its own.</param>
    /// <param name="body">What to train; only `dataset` is required.</param>
    /// <response code="202">The job as it was stored, `queued`.</response>
    /// <response code="409">The first request with this Idempotency-Key is still running.</response>
    public static async Task<Results<Accepted<JobResponse>, JsonHttpResult<JobEstimate>, ProblemHttpResult>> Handle(JsonBody<JobSpec> body,
        [FromQuery] bool? validateOnly, [FromHeader(Name = Idempotency.Header)] string? idempotencyKey,
        HttpContext http, TrainingDbContext db, JobRules rules, DatasetRegistry datasets,
        WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        if (validateOnly == true)
        {
            http.Features.Set(new ChangesNothing());
            return IsAccepted(rules, body.Value, out var estimated, out var wrong)
                ? TypedResults.Json(ValidateJob.Estimate(estimated, datasets, cancellation)) : wrong;
        }

        http.Response.Headers.RetryAfter = "1";
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, body.Value, cancellation);
        if (once.Answered<JobResponse>() is { } replay)
            return replay;
        return IsAccepted(rules, body.Value, out var accepted, out var problem)
            ? await Submit(accepted, once, db, wakeUps, clock, cancellation) : problem;
    }

    /// <summary>Stores the job with the answer to its request, and only then wakes a worker.</summary>
    public static async Task<Accepted<JobResponse>> Submit(CheckedJob accepted, Idempotency once, TrainingDbContext db, WakeUps wakeUps,
        TimeProvider clock, CancellationToken cancellation)
    {
        var job = NewJob(accepted, clock.GetUtcNow());
        db.Jobs.Add(job);
        var answer = TypedResults.Accepted($"{JobRoutes.Root}/{job.Id}",
            JobResponse.Of(job, await QueuePositions.Of(db, job, cancellation)));
        once.Remember(answer);
        await db.SaveChangesAsync(cancellation);
        await once.Commit(cancellation);
        wakeUps.Add(job);
        return answer;
    }

    public static bool IsAccepted(JobRules rules, JobSpec spec, [NotNullWhen(true)] out CheckedJob? job,
        [NotNullWhen(false)] out ProblemHttpResult? problem, bool stored = false)
    {
        var errors = new List<SpecError>();
        job = rules.Check(spec, errors, stored);
        problem = job is null ? Problems.Invalid(errors) : null;
        return job is not null;
    }

    /// <summary>Rough wall time on one idle core.</summary>
    public static double Seconds(RunPlan plan) =>
        plan.FloatingPointOperations / OperationsPerSecond + plan.Steps * SecondsPerStep + SecondsPerRun;

    /// <summary>What rules know of a job's rows.</summary>
    public static DataFacts Facts(JobSpec spec, RunPlan plan, TrainingData data, DatasetRegistry datasets) =>
        DataFacts.Of(plan, data, spec.Dataset.Standardize ?? true, datasets.Find(spec.Dataset)?.InputNames ?? []);

    /// <summary>The row of a job that is to be queued.</summary>
    public static Job NewJob(CheckedJob job, DateTimeOffset now) => NewJob(job, now, job.Spec.Name, null, null, 0);

    /// <summary>The row of a sweep's job that is to be queued.</summary>
    /// <param name="job">Whose spec but for its name and seed it has.</param>
    /// <param name="template">Where that is stored.</param>
    /// <param name="name">Its own.</param>
    /// <param name="seed">Its own.</param>
    /// <param name="now">The time.</param>
    /// <param name="place">Among those that are made together.</param>
    /// <param name="of">Whose row the sweep is.</param>
    public static Job NewCell(CheckedJob job, JobTemplate template, string name, long seed, DateTimeOffset now, int place, IShared of)
    {
        var cell = NewJob(job, now, name, template, seed, place);
        cell.BelongTo(of);
        return cell;
    }

    private static Job NewJob(CheckedJob job, DateTimeOffset now, string? name, JobTemplate? template, long? seed, int place)
    {
        // Whole milliseconds, as in the id: so the order of ids is the order of creation times.
        var created = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        var layers = job.Plan.DenseLayers;
        return new()
        {
            Id = Ordered(Guid.CreateVersion7(created), place),
            Visibility = job.Visibility,
            NotifyUrl = template is null ? job.NotifyUrl : null,
            Name = name,
            Status = JobStatus.Queued,
            OwnSpec = template is null ? job.Spec : null,
            OwnRequest = template is null ? job.Request : null,
            Template = template,
            TemplateNumber = template?.Number,
            Seed = seed,
            Dataset = job.Spec.Dataset.Name,
            Activations = [.. layers.SkipLast(1).Select(layer => layer.Activation).Distinct().Order()],
            Initializers = [.. layers.Select(layer => layer.Initializer).Distinct().Order()],
            Labels = new(job.Labels),
            SweepId = template?.SweepId,
            Priority = job.Priority,
            CreatedAt = created,
            Epochs = job.Plan.Training.Epochs,
            Steps = job.Plan.Steps,
            Cost = Seconds(job.Plan),
            MemoryBytes = job.MemoryBytes,
            StoredBytes = CheckedJob.StoredBytesOf(job.Plan, template?.Spec.Diagnostics?.EverySteps),
            Traceparent = template is null ? Traces.Parent : null,
        };
    }

    /// <summary>
    /// With the place among those made at once in the 12 bits behind the version (RFC 9562, 6.2, method 1): else ids of one millisecond
    /// have no order, and the order of ids is that of the queue. What is more than 4,096 apart is not made in one millisecond.
    /// </summary>
    private static Guid Ordered(Guid id, int place)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        (bytes[6], bytes[7]) = ((byte)(0x70 | ((place >> 8) & 0xF)), (byte)place);
        return new(bytes, bigEndian: true);
    }
}
