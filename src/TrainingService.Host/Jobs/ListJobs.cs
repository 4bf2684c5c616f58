using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>Which jobs, and in what order.</summary>
public sealed record JobFilter
{
    [FromQuery(Name = "limit"), Range(1, int.MaxValue), DefaultValue(Paging.Standard),
        Description("Jobs on a page; more than 500 gives 500.")]
    public int? Limit { get; init; }

    [FromQuery(Name = "cursor"), Description("The nextCursor of the page before, with the same filters and order.")]
    public string? Cursor { get; init; }

    [FromQuery(Name = "status"), Description("Only jobs in this status; repeated: in any of them.")]
    public string[]? Status { get; init; }

    [FromQuery(Name = "label"), Description("Only jobs with this label, as key=value; repeated: with all of them.")]
    public string[]? Label { get; init; }

    [FromQuery(Name = "activation"), Description("Only jobs whose net has a hidden layer with this activation (name or alias).")]
    public string? Activation { get; init; }

    [FromQuery(Name = "initializer"), Description("Only jobs whose net has weights drawn by this initialiser (name or alias).")]
    public string? Initializer { get; init; }

    [FromQuery(Name = "dataset"), Description("Only jobs on this dataset.")]
    public string? Dataset { get; init; }

    [FromQuery(Name = "sweepId"), Description("Only jobs of this sweep; `none`: only those of no sweep.")]
    public string? SweepId { get; init; }

    [FromQuery(Name = "arm"), Description("Only jobs of sweeps that are runs of the arm of this name.")]
    public string? Arm { get; init; }

    [FromQuery(Name = "seed"), Description("Only jobs of sweeps that run with this seed.")]
    public long? Seed { get; init; }

    [FromQuery(Name = "createdAfter"), Description("Only jobs created after this time (ISO 8601; UTC if it has no offset).")]
    public string? CreatedAfter { get; init; }

    [FromQuery(Name = "createdBefore"), Description("Only jobs created before this time (ISO 8601; UTC if it has no offset).")]
    public string? CreatedBefore { get; init; }

    [FromQuery(Name = "owner"), Description("Only jobs of this owner, as far as one may see them; none: nobody's, as those from before "
        + "there were keys. Left out: one's own, of admins all; with sweepId, those of the sweep.")]
    public string? Owner { get; init; }

    [FromQuery(Name = "visibility"), RegularExpression(Owned.VisibilityPattern)]
    [Description("Only jobs that are shared with everyone, whosever they are, or only private ones.")]
    public string? Visibility { get; init; }

    [FromQuery(Name = "orderBy"), DefaultValue("-createdAt"),
        Description("createdAt: oldest first; -createdAt: newest first; or any result, with - for the largest first. Jobs that don't "
            + "have it come last.")]
    public string? OrderBy { get; init; }

    [FromQuery(Name = "fields"), Description(ListFields.Description)]
    public string? Fields { get; init; }

    [FromQuery(Name = "total"), Description("Whether to count the jobs on all pages, too.")]
    public bool? Total { get; init; }
}

public static class ListJobs
{
    private const string None = "none";

    private const string List = "jobs";

    /// <summary>List jobs</summary>
    /// <remarks>
    /// Page by page, newest first. All filters given must hold. Where there are access keys: one's own, unless <c>owner</c> or
    /// <c>visibility</c> says otherwise; admins' lists have those of all.
    /// </remarks>
    /// <response code="200">A page of jobs.</response>
    public static async Task<Results<Ok<Page<JobResponse>>, ProblemHttpResult>> Handle([AsParameters] JobFilter filter,
        TrainingDbContext db, DatasetRegistry datasets, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var order = JobOrder.Parse(filter.OrderBy, errors);
        var limit = Paging.Size(filter.Limit, errors);
        var haveSpec = ListFields.HaveSpec(filter.Fields, errors);
        var jobs = Filter(db.Jobs.AsNoTracking(), filter, errors);
        await CheckDatasetAsync(db, datasets, filter.Dataset, errors, cancellation);
        Paging.TryRead(filter.Cursor, errors, out PageEnd? last, List, order.Text);
        if (errors.Count > 0)
            return Problems.Invalid(errors);

        var found = await order.TakeAsync(db, jobs, last, limit + 1, haveSpec, cancellation);
        var page = found.Take(limit).Select(row => row.Job).ToList();
        var positions = await QueuePositions.Of(db, page, cancellation);
        return TypedResults.Ok(new Page<JobResponse>(
            [.. page.Select(job => JobResponse.Of(job, positions.TryGetValue(job.Id, out var place) ? place : null, haveSpec))],
            found.Count > limit ? Paging.Cursor(new PageEnd(page[^1].Id, found[limit - 1].Value), List, order.Text) : null,
            filter.Total == true ? await jobs.CountAsync(cancellation) : null));
    }

    /// <summary>A name that neither a data set has nor any job: probably misspelt.</summary>
    public static async Task CheckDatasetAsync(TrainingDbContext db, DatasetRegistry datasets, string? name, List<SpecError> errors,
        CancellationToken cancellation)
    {
        if (name is not null && datasets.Find(name) is null && !await db.Jobs.AnyAsync(job => job.Dataset == name, cancellation))
            errors.Add(new("/dataset", datasets.Unknown(name)));
    }

    public static IQueryable<Job> Filter(IQueryable<Job> jobs, JobFilter filter, List<SpecError> errors)
    {
        if (filter.Status is { Length: > 0 })
        {
            var statuses = filter.Status.Select(name => JobStatusNames.Parse(name, errors)).ToList();
            jobs = jobs.Where(j => statuses.Contains(j.Status));
        }
        foreach (var label in filter.Label ?? [])
        {
            if (label.Split('=', 2) is [{ Length: > 0 } key, var value])
            {
                var wanted = JsonSerializer.Serialize(new Dictionary<string, string> { [key] = value }, Json.Options);
                jobs = jobs.Where(j => EF.Functions.JsonContains(j.Labels, wanted));
            }
            else
            {
                errors.Add(new("/label", $"'{label}' must be written as key=value"));
            }
        }
        if (filter.Activation is { } activation)
        {
            var name = ActivationRegistry.Find(activation)?.Name;
            if (name is null)
                errors.Add(Unknown("activation", activation, ActivationRegistry.AllNames));
            jobs = jobs.Where(j => j.Activations.Contains(name));
        }
        if (filter.Initializer is { } initializer)
        {
            var name = InitializerRegistry.Find(initializer)?.Name;
            if (name is null)
                errors.Add(Unknown("initializer", initializer, InitializerRegistry.AllNames));
            jobs = jobs.Where(j => j.Initializers.Contains(name));
        }
        var (visibility, owner) = (Owned.Read(filter.Visibility, errors), filter.Owner);
        if (owner is not null || visibility is not null || filter.SweepId is null or None)
            jobs = jobs.Listed(owner, visibility);
        if (filter.Dataset is { } dataset)
            jobs = jobs.Where(j => j.Dataset == dataset);
        if (filter.SweepId is None)
            jobs = jobs.Where(j => j.SweepId == null);
        else if (Guid.TryParse(filter.SweepId, out var sweep))
            jobs = jobs.Where(j => j.SweepId == sweep);
        else if (filter.SweepId is { } text)
            errors.Add(new("/sweepId", $"'{text}' is no id (UUID); '{None}' gives the jobs of no sweep"));
        if (filter.Arm is { } arm)
            jobs = jobs.Where(j => j.Template!.Arm == arm);
        if (filter.Seed is { } seed)
            jobs = jobs.Where(j => j.Seed == seed);
        if (Time(filter.CreatedAfter, "/createdAfter", errors) is { } after)
            jobs = jobs.Where(j => j.CreatedAt > after);
        if (Time(filter.CreatedBefore, "/createdBefore", errors) is { } before)
            jobs = jobs.Where(j => j.CreatedAt < before);
        return jobs;
    }

    private static DateTimeOffset? Time(string? text, string pointer, List<SpecError> errors)
    {
        if (text is null)
            return null;
        if (IsoTime.Parse(text) is { } time)
            return time;
        errors.Add(new(pointer,
            $"'{text}' is not an ISO 8601 time such as 2026-01-31T12:00:00Z or 2026-01-31 (in an address, '+' is written %2B)"));
        return null;
    }

    private static SpecError Unknown(string kind, string name, IEnumerable<string> known) =>
        new($"/{kind}", $"unknown {kind} '{name}'{Names.DidYouMean(name, known)}");
}
