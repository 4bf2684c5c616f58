using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>Something to do to many jobs.</summary>
public sealed record BulkRequest
{
    /// <summary>Which jobs: the fields are those of <c>GET /jobs</c>, and all that are given must hold; <c>{}</c> is all jobs.</summary>
    public required BulkFilter Filter { get; init; }

    /// <summary><c>cancel</c>, <c>delete</c> (finished jobs that belong to no sweep) or <c>label</c>.</summary>
    [OneOf("cancel", "delete", "label")]
    public required string Action { get; init; }

    /// <summary>For <c>label</c>: what to set.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>For <c>label</c>: keys of those to take off.</summary>
    public IReadOnlyList<string>? RemoveLabels { get; init; }
}

/// <summary>Which jobs, as <c>GET /jobs</c> takes it.</summary>
public sealed record BulkFilter
{
    /// <summary>Only jobs in one of these statuses.</summary>
    public IReadOnlyList<string>? Status { get; init; }

    /// <summary>Only jobs with all of these labels, as key=value.</summary>
    public IReadOnlyList<string>? Label { get; init; }

    /// <summary>Only jobs whose net has a hidden layer with this activation.</summary>
    public string? Activation { get; init; }

    /// <summary>Only jobs whose net has weights drawn by this initialiser.</summary>
    public string? Initializer { get; init; }

    /// <summary>Only jobs on this dataset.</summary>
    public string? Dataset { get; init; }

    /// <summary>Only jobs of this sweep; <c>none</c>: only those of no sweep.</summary>
    public string? SweepId { get; init; }

    /// <summary>Only jobs of sweeps that are runs of the arm of this name.</summary>
    public string? Arm { get; init; }

    /// <summary>Only jobs of sweeps that run with this seed.</summary>
    public long? Seed { get; init; }

    /// <summary>Only jobs of this owner; <c>none</c>: nobody's. Left out: one's own, of admins all.</summary>
    public string? Owner { get; init; }

    /// <summary>Only jobs created after this time (ISO 8601).</summary>
    public string? CreatedAfter { get; init; }

    /// <summary>Only jobs created before this time (ISO 8601).</summary>
    public string? CreatedBefore { get; init; }

    /// <summary>Only these jobs, by their ids.</summary>
    [Items(1, MostIds)]
    public IReadOnlyList<Guid>? Ids { get; init; }

    public const int MostIds = 500;

    public JobFilter AsQuery() => new()
    {
        Status = Status?.ToArray(),
        Label = Label?.ToArray(),
        Activation = Activation,
        Initializer = Initializer,
        Dataset = Dataset,
        SweepId = SweepId,
        Owner = Owner,
        Arm = Arm,
        Seed = Seed,
        CreatedAfter = CreatedAfter,
        CreatedBefore = CreatedBefore,
    };
}

/// <summary>What became of the jobs.</summary>
/// <param name="Action">What was asked for.</param>
/// <param name="Matched">Jobs that the filter named when they were looked at.</param>
/// <param name="Changed">Of these, those that were changed now.</param>
/// <param name="Unchanged">Those that were as asked for already, or can't be: unfinished ones and those of sweeps are not deleted.</param>
public sealed record BulkResult(string Action, int Matched, int Changed, int Unchanged);

public static class BulkJobs
{
    /// <summary>Rows that are locked together, for some milliseconds.</summary>
    private const int Batch = 200;

    /// <summary>Cancel, delete or label many jobs</summary>
    /// <remarks>
    /// In batches, each of which holds or doesn't: after a failure send it again, what is done already stays as it is. Jobs that are
    /// submitted meanwhile are not touched.
    /// </remarks>
    /// <response code="200">How many jobs the filter named, and how many were changed.</response>
    public static async Task<Results<Ok<BulkResult>, ProblemHttpResult>> Handle(JsonBody<BulkRequest> body, TrainingDbContext db,
        DatasetRegistry datasets, JobEnded ended, TimeProvider clock, CancellationToken cancellation)
    {
        var (request, errors) = (body.Value, new List<SpecError>());
        Fields.Check(request, "", errors);
        var named = ListJobs.Filter(db.Jobs.AsNoTracking(), request.Filter.AsQuery(), errors);
        if (request.Filter.Ids is { } some)
        {
            if (some.Count is 0 or > BulkFilter.MostIds)
                errors.Add(new("/ids", $"must be 1 to {BulkFilter.MostIds} ids, not {some.Count}; leave it out for all jobs"));
            named = named.Where(job => some.Contains(job.Id));
        }
        await ListJobs.CheckDatasetAsync(db, datasets, request.Filter.Dataset, errors, cancellation);
        JobRules.CheckLabels(request.Labels, errors);
        if (request.Action is "label" != (request.Labels ?? (object?)request.RemoveLabels) is not null)
            errors.Add(new("/labels", "labels or removeLabels belong to the action label, and to it alone"));
        if (errors.Count > 0)
            return Problems.Invalid(errors.ConvertAll(error => error with { Pointer = Place(error.Pointer) }));

        var (matched, changed, last) = (0, 0, Guid.Empty);
        var newest = await db.Jobs.OrderByDescending(job => job.Id).Select(job => job.Id).FirstOrDefaultAsync(cancellation);
        while (true)
        {
            var ids = await named.Where(job => job.Id > last && job.Id <= newest).OrderBy(job => job.Id).Select(job => job.Id).Take(Batch)
                .ToArrayAsync(cancellation);
            if (ids is [])
                return TypedResults.Ok(new BulkResult(request.Action, matched, changed, matched - changed));
            (matched, last) = (matched + ids.Length, ids[^1]);
            changed += request.Action switch
            {
                "cancel" => await CancelAsync(db, ids, ended, clock, cancellation),
                "delete" => await DeleteJob.Deletable(db).Where(job => ids.Contains(job.Id)).ExecuteDeleteAsync(cancellation),
                _ => await LabelAsync(db, ids, request, cancellation),
            };
        }
    }

    /// <summary>What is wrong with a filter is wrong in the filter.</summary>
    private static string Place(string pointer) => pointer.Split('/') switch
    {
        ["", "filter" or "action" or "labels" or "removeLabels", ..] => pointer,
        _ => $"/filter{pointer}",
    };

    private static async Task<int> CancelAsync(TrainingDbContext db, Guid[] ids, JobEnded ended, TimeProvider clock,
        CancellationToken cancellation)
    {
        int changed;
        await using (var transaction = await db.Database.BeginTransactionAsync(cancellation))
        {
            // In the order in which a worker locks those that it writes together.
            await db.Database.ExecuteSqlAsync($"SELECT FROM jobs WHERE id = ANY ({ids}) ORDER BY id FOR UPDATE", cancellation);
            changed = await db.Jobs.Where(job => ids.Contains(job.Id)).Where(CancelJob.CanBeCanceled)
                .ExecuteUpdateAsync(CancelJob.Change(clock.GetUtcNow()), cancellation);
            await transaction.CommitAsync(cancellation);
        }
        foreach (var sweep in await db.Jobs.Where(job => ids.Contains(job.Id) && job.FinishedAt != null)
            .Select(job => job.SweepId).Distinct()
            .ToListAsync(cancellation))
            await ended(sweep, cancellation);
        return changed;
    }

    /// <summary>The labels of the spec are those it was submitted with; these are what jobs are found by.</summary>
    private static Task<int> LabelAsync(TrainingDbContext db, Guid[] ids, BulkRequest request, CancellationToken cancellation)
    {
        var set = JsonSerializer.Serialize(request.Labels ?? new Dictionary<string, string>(), Json.Options);
        var off = request.RemoveLabels?.ToArray() ?? [];
        return db.Database.ExecuteSqlAsync($"""
            WITH locked AS (SELECT id FROM jobs WHERE id = ANY ({ids}) ORDER BY id FOR UPDATE)
            UPDATE jobs SET labels = (labels - {off}) || {set}::jsonb FROM locked
            WHERE jobs.id = locked.id AND labels <> (labels - {off}) || {set}::jsonb
                AND (SELECT count(*) FROM jsonb_object_keys((labels - {off}) || {set}::jsonb)) <= {JobRules.MaxLabels}
            """, cancellation);
    }
}
