using System.Linq.Expressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

public static class CancelJob
{
    /// <summary>Cancel a job</summary>
    /// <remarks>
    /// A queued or paused job is canceled at once, a running one stops within seconds (<c>canceling</c>, then <c>canceled</c>) and keeps
    /// the metrics it has. Repeating it, or canceling a finished job, changes nothing and is no error.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The job: canceling, canceled, or finished as it was.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext http, TrainingDbContext db,
        JobEnded ended, TimeProvider clock, CancellationToken cancellation)
    {
        var seen = JobTags.Seen(ifMatch);
        var (job, changed) = await db.ChangeJobAsync(id, jobs => jobs.Where(CanBeCanceled).As(seen)
            .ExecuteUpdateAsync(Change(clock.GetUtcNow()), cancellation), cancellation);
        if (job is null)
            return GetJob.NotFound(id);
        if (!changed && JobTags.Changed(job, seen) is { } other)
            return other;
        if (job.IsFinished)
            await ended(job.SweepId, cancellation);
        return await GetJob.Accepted(job, http, db, cancellation);
    }

    /// <summary>Those that have not ended and are not yet being canceled.</summary>
    public static readonly Expression<Func<Job, bool>> CanBeCanceled = job => job.Status == JobStatus.Queued
        || job.Status == JobStatus.Running || job.Status == JobStatus.Paused || job.Status == JobStatus.Pausing;

    /// <summary>Of such jobs: those that wait end at once, the others when their worker has seen it.</summary>
    public static Action<UpdateSettersBuilder<Job>> Change(DateTimeOffset? now) => set => set
        .SetProperty(job => job.StoredBytes, job => job.Status == JobStatus.Queued && job.Attempt == 0 ? 0 : job.StoredBytes)
        .SetProperty(job => job.FinishedAt, job => job.Status == JobStatus.Queued || job.Status == JobStatus.Paused ? now : null)
        .SetProperty(job => job.Status,
            job => job.Status == JobStatus.Queued || job.Status == JobStatus.Paused ? JobStatus.Canceled : JobStatus.Canceling);
}
