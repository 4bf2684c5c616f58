using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Sweeps;

public static class GetSweep
{
    /// <summary>Get a sweep</summary>
    /// <remarks>Carries an ETag, which changes as its jobs end. Retry-After says when to ask again.</remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="200">The sweep.</response>
    public static async Task<Results<Ok<SweepResponse>, StatusCodeHttpResult, ProblemHttpResult>> Handle(Guid id,
        HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        await using var snapshot = await db.SnapshotAsync(cancellation);
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return NotFound(id);
        var answer = await SweepResponse.Of(db, sweep, cancellation);
        http.Response.Headers.ETag = answer.Tag;
        http.Response.Headers.CacheControl = "no-cache";
        if (!answer.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return EntityTags.NoneMatch(http.Request, answer.Tag)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(answer);
    }

    public static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no sweep {id}.");
}
