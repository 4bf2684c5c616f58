using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>
/// Entries in Hangfire's queue whose jobs no longer wait, having been canceled, deleted or taken by others. To carry one out costs some ten
/// milliseconds, for nothing; so whoever comes upon one drops those that come next.
/// </summary>
public static class SpentWakeUps
{
    /// <summary>Entries that are looked at at a time.</summary>
    private const int Batch = 1000;

    /// <summary>
    /// Those of the next entries whose jobs no longer wait. A job that will wait again is given an entry of its own once its row says so;
    /// nobody waits for an entry that another worker is just taking.
    /// </summary>
    public static async Task<int> DropAsync(IDbContextFactory<TrainingDbContext> databases, CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        // Parameters and states of an entry go with it, by its foreign keys.
        return await db.Database.ExecuteSqlAsync($"""
            WITH next AS (
                SELECT id, jobid FROM hangfire.jobqueue WHERE fetchedat IS NULL AND queue = ANY ({Waker.Served})
                ORDER BY queue, jobid LIMIT {Batch} FOR UPDATE SKIP LOCKED),
            spent AS (
                SELECT next.id, jobid FROM next JOIN hangfire.job wake ON wake.id = next.jobid
                WHERE wake.invocationdata ->> 'Method' = {nameof(JobRunner.RunAsync)} AND NOT EXISTS (
                    SELECT FROM jobs WHERE jobs.id = trim('"' FROM wake.arguments ->> 0)::uuid AND status = 'queued')),
            dropped AS (DELETE FROM hangfire.jobqueue USING spent WHERE jobqueue.id = spent.id RETURNING jobqueue.jobid)
            DELETE FROM hangfire.job USING dropped WHERE job.id = dropped.jobid
            """, cancellation);
    }
}
