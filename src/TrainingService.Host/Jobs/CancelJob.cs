using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class CancelJob
{
    /// <summary>Cancel a job</summary>
    /// <remarks>
    /// A queued job is canceled at once, a running one stops within seconds (<c>canceling</c>, then <c>canceled</c>) and keeps the metrics
    /// it has. Repeating it, or canceling a finished job, changes nothing and is no error.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The job: canceling, canceled, or finished as it was.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext http, TrainingDbContext db,
        JobEnded ended, TimeProvider clock, CancellationToken cancellation)
    {
        // One conditional statement: a worker that claims or finishes the job meanwhile is either seen or waited for.
        var versions = EntityTags.Versions(ifMatch);
        var changed = await db.Jobs.Where(j => j.Id == id && (j.Status == JobStatus.Queued || j.Status == JobStatus.Running))
            .Where(j => versions == null || versions.Contains(j.Version))
            .ExecuteUpdateAsync(Change(clock.GetUtcNow()), cancellation);

        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return GetJob.NotFound(id);
        if (changed == 0 && versions?.Contains(job.Version) == false)
            return EntityTags.Changed(job.Version);
        if (job.IsFinished)
            await ended(job.SweepId, cancellation);
        var position = await QueuePositions.Of(db, job, cancellation);
        http.Response.Headers.ETag = EntityTags.Of(job.Version, position);
        if (!job.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return TypedResults.Accepted($"{JobRoutes.Root}/{id}", JobResponse.Of(job, position));
    }

    /// <summary>Of queued and running jobs: the former end at once, the latter when their worker has seen it.</summary>
    public static Action<UpdateSettersBuilder<Job>> Change(DateTimeOffset? now) => set => set
        .SetProperty(job => job.FinishedAt, job => job.Status == JobStatus.Queued ? now : null)
        .SetProperty(job => job.Status, job => job.Status == JobStatus.Queued ? JobStatus.Canceled : JobStatus.Canceling);
}
