using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class RetryFailed
{
    /// <summary>Run a sweep's failed cells again</summary>
    /// <remarks>
    /// Only jobs that ended without an outcome (an error, a timeout, canceled) are queued again; succeeded and diverged ones stay,
    /// since an equal job would give the same again.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="202">The sweep, under way again; unchanged if nothing had failed.</response>
    /// <response code="409">The sweep is not finished.</response>
    public static async Task<Results<Accepted<SweepResponse>, ProblemHttpResult>> Handle(Guid id,
        HttpContext http, TrainingDbContext db, WakeUps wakeUps, CancellationToken cancellation)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (await db.LockSweepAsync(id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        if (!sweep.IsFinished)
            return Problems.Conflict($"The sweep is {Json.NameOf(sweep.Status)}; wait for its end, or cancel it, "
                + "before running its failed cells again.");
        var failed = await db.Jobs.Where(job => job.SweepId == id
            && (job.Status == JobStatus.Canceled || (job.Status == JobStatus.Failed && job.ErrorCode != "diverged")))
            .OrderBy(job => job.Id).ToListAsync(cancellation);
        foreach (var job in failed)
            job.Requeue();
        await db.ForgetCheckpointsAsync(failed, cancellation);
        if (failed.Count > 0)
        {
            sweep.Reopen();
            // What they give may decide otherwise.
            sweep.Spec = sweep.Spec with { Stopped = null };
        }
        await db.SaveChangesAsync(cancellation);
        var answer = await SweepResponse.OfAsync(db, sweep, cancellation);
        await transaction.CommitAsync(cancellation);
        wakeUps.Add(failed);

        http.Response.Headers.ETag = answer.Tag;
        if (!answer.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return TypedResults.Accepted(answer.Links.Self, answer);
    }
}
