using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class GetJob
{
    /// <summary>Compiled, since no other query is asked as often.</summary>
    private static readonly Func<TrainingDbContext, Guid, CancellationToken, Task<Job?>> Find = EF.CompileAsyncQuery(
        (TrainingDbContext db, Guid id, CancellationToken cancellation) =>
            db.Set<Job>().Where(job => job.Id == id).Select(JobResponse.Row(true)).SingleOrDefault());

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
        if (await Find(db, id, cancellation) is not { } job)
            return NotFound(id);
        var answer = await Answer(job, http, db, cancellation);
        http.Response.Headers.CacheControl = "no-cache";
        if (EntityTags.NoneMatch(http.Request, http.Response.Headers.ETag.ToString()))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        return TypedResults.Ok(answer);
    }

    /// <summary>What is answered to whoever asked for a change of a job: how it is now.</summary>
    public static async Task<Accepted<JobResponse>> Accepted(Job job, HttpContext http, TrainingDbContext db,
        CancellationToken cancellation) =>
        TypedResults.Accepted($"{JobRoutes.Root}/{job.Id}", await Answer(job, http, db, cancellation));

    private static async Task<JobResponse> Answer(Job job, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        var position = await QueuePositions.Of(db, job, cancellation);
        http.Response.Headers.ETag = JobTags.Of(job, position);
        if (!job.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return JobResponse.Of(job, position);
    }

    public static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no job {id}.");
}
