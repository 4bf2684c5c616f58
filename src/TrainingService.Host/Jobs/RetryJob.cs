using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class RetryJob
{
    /// <summary>Run a failed or canceled job again</summary>
    /// <remarks>
    /// The same job with the same spec goes back into the queue, as a new attempt. What the earlier attempt measured goes when the new one begins. A job that
    /// diverged will diverge again: clone it with a change instead.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The job, `queued`.</response>
    /// <response code="409">The job is neither failed nor canceled, or belongs to a sweep.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id, [FromHeader(Name = "If-Match")] string? ifMatch,
        HttpContext http, TrainingDbContext db, WakeUps wakeUps, CancellationToken cancellation)
    {
        // One conditional statement, so that of two requests at once only one takes effect.
        var versions = EntityTags.Versions(ifMatch);
        var changed = await db.Jobs.Where(j => j.Id == id && j.SweepId == null && (j.Status == JobStatus.Failed || j.Status == JobStatus.Canceled))
            .Where(j => versions == null || versions.Contains(j.Version))
            .ExecuteUpdateAsync(set => set
                .SetProperty(j => j.Status, JobStatus.Queued)
                .SetProperty(j => j.Crashes, 0)
                .SetProperty(j => j.StartedAt, (DateTimeOffset?)null)
                .SetProperty(j => j.FinishedAt, (DateTimeOffset?)null)
                .SetProperty(j => j.Epoch, 0)
                .SetProperty(j => j.Step, 0L)
                .SetProperty(j => j.SamplesPerSecond, (double?)null)
                .SetProperty(j => j.Result, (TrainingResult?)null)
                .SetProperty(j => j.Findings, (FindingCounts?)null)
                .SetProperty(j => j.ErrorCode, (string?)null)
                .SetProperty(j => j.ErrorMessage, (string?)null), cancellation);

        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return GetJob.NotFound(id);
        if (changed == 0)
            return versions?.Contains(job.Version) == false ? EntityTags.Changed(job.Version)
                : Problems.Conflict(job.SweepId is { } sweep
                    ? $"The job belongs to sweep {sweep}; run its failed cells again with POST /api/v1/sweeps/{sweep}/retry-failed."
                    : $"The job is {Json.NameOf(job.Status)}; only failed and canceled jobs can run again. To run it once more, clone it "
                        + $"(POST {JobRoutes.Root}/{id}/clone).");
        wakeUps.Add(job);
        var position = await QueuePositions.Of(db, job, cancellation);
        http.Response.Headers.ETag = EntityTags.Of(job.Version, position);
        http.Response.Headers.RetryAfter = "1";
        return TypedResults.Accepted($"{JobRoutes.Root}/{id}", JobResponse.Of(job, position));
    }
}
