using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class CancelSweep
{
    /// <summary>Cancel a sweep</summary>
    /// <remarks>
    /// Its queued jobs are canceled at once, running ones stop within seconds. What has ended stays, and the report covers it.
    /// Repeating it, or canceling a finished sweep, changes nothing and is no error.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="202">The sweep: canceling, canceled, or finished as it was.</response>
    public static async Task<Results<Accepted<SweepResponse>, ProblemHttpResult>> Handle(Guid id, HttpContext http,
        TrainingDbContext db, SweepProgress progress, TimeProvider clock, CancellationToken cancellation)
    {
        if (!await db.Sweeps.AnyAsync(sweep => sweep.Id == id, cancellation))
            return GetSweep.NotFound(id);
        await db.Sweeps.Where(sweep => sweep.Id == id && sweep.FinishedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(sweep => sweep.Status, JobStatus.Canceling), cancellation);
        DateTimeOffset? now = clock.GetUtcNow();
        await using (var transaction = await db.Database.BeginTransactionAsync(cancellation))
        {
            // In the order in which a worker locks those that it writes together, so that neither waits for the other.
            await db.Database.ExecuteSqlAsync($"""
                SELECT FROM jobs WHERE sweep_id = {id} AND status IN ('queued', 'running', 'paused', 'pausing') ORDER BY id FOR UPDATE
                """, cancellation);
            // Only of a sweep that is being cancelled: between the two statements it may have come to its end by itself.
            await db.Jobs.Where(job => job.SweepId == id).Where(CancelJob.CanBeCanceled)
                .Where(job => db.Set<Sweep>().Any(sweep => sweep.Id == id && sweep.Status == JobStatus.Canceling))
                .ExecuteUpdateAsync(CancelJob.Change(now), cancellation);
            await transaction.CommitAsync(cancellation);
        }
        await progress.AdvanceAsync(id, cancellation);

        await using var snapshot = await db.SnapshotAsync(cancellation);
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        var answer = await SweepResponse.OfAsync(db, sweep, cancellation);
        http.Response.Headers.ETag = answer.Tag;
        if (!answer.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return TypedResults.Accepted(answer.Links.Self, answer);
    }
}
