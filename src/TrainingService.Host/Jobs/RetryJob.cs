using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class RetryJob
{
    /// <summary>Run a failed or canceled job again</summary>
    /// <remarks>
    /// The same job with the same spec goes back into the queue, as a new attempt. What the earlier attempt measured goes when the new one
    /// begins. A job that diverged will diverge again: clone it with a change instead.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The job, `queued`.</response>
    /// <response code="409">The job is neither failed nor canceled, or belongs to a sweep.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext http,
        TrainingDbContext db, WakeUps wakeUps, CancellationToken cancellation)
    {
        var seen = JobTags.Seen(ifMatch);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Of two requests at once the second waits here, and then finds the job queued.
        if (await db.Jobs.FromSql($"SELECT *, xmin FROM jobs WHERE id = {id} FOR UPDATE").ToListAsync(cancellation) is not [var job])
            return GetJob.NotFound(id);
        if (JobTags.Changed(job, seen) is { } other)
            return other;
        if (job.SweepId is { } sweep)
            return Problems.Conflict($"The job belongs to sweep {sweep}; "
                + $"run its failed cells again with POST /api/v1/sweeps/{sweep}/retry-failed.");
        if (job.Status is not (JobStatus.Failed or JobStatus.Canceled))
            return Problems.Conflict($"The job is {Json.NameOf(job.Status)}; only failed and canceled jobs can run again. "
                + $"To run it once more, clone it (POST {JobRoutes.Root}/{id}/clone).");
        job.Requeue();
        await db.ForgetCheckpointsAsync([job], cancellation);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        wakeUps.Add(job);
        return await GetJob.Accepted(job, http, db, cancellation);
    }
}
