using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class GetJob
{
    /// <summary>Get a job</summary>
    /// <remarks>
    /// Carries an ETag: send it back as <c>If-None-Match</c> and an unchanged job costs a 304 without body.
    /// Retry-After says when to ask again.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="200">The job.</response>
    public static async Task<Results<Ok<JobResponse>, StatusCodeHttpResult, ProblemHttpResult>> Handle(Guid id,
        HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return NotFound(id);
        var position = await QueuePositions.Of(db, job, cancellation);
        var tag = JobTags.Of(job, position);
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "no-cache";
        if (!job.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        if (EntityTags.NoneMatch(http.Request, tag))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        return TypedResults.Ok(JobResponse.Of(job, position));
    }

    public static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no job {id}.");
}
