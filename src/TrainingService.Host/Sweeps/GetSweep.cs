using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Sweeps;

public static class GetSweep
{
    /// <summary>Get a sweep</summary>
    /// <remarks>
    /// Carries an ETag, which changes as its jobs end. Retry-After says when to ask again: who asks sooner may be told counts that are
    /// 50 µs old for each job of the sweep, a second at most; that it has ended is told at once.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="200">The sweep.</response>
    public static async Task<Results<Ok<SweepResponse>, StatusCodeHttpResult, ProblemHttpResult>> Handle(Guid id,
        HttpContext http, TrainingDbContext db, SweepAnswers answers, CancellationToken cancellation)
    {
        var answer = answers.Find(id) is { } known && await db.Sweeps.AnyAsync(s => s.Id == id && s.Version == known.Version, cancellation)
            ? known.Answer : await ReadAsync();
        if (answer is null)
            return NotFound(id);
        http.Response.Headers.ETag = answer.Tag;
        http.Response.Headers.CacheControl = "no-cache";
        if (!answer.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return EntityTags.NoneMatch(http.Request, answer.Tag)
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(answer);

        async Task<SweepResponse?> ReadAsync()
        {
            await using var snapshot = await db.SnapshotAsync(cancellation);
            if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
                return null;
            var read = await SweepResponse.OfAsync(db, sweep, cancellation);
            answers.Keep(read, sweep.Version);
            return read;
        }
    }

    public static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no sweep {id}.");
}
