using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>Takes jobs back from workers that fell silent, and wakes workers for queued jobs that the queue has lost.</summary>
public sealed class Reconciler(IDbContextFactory<TrainingDbContext> databases, WakeUps wakeUps, Waker waker, WorkerOptions options,
    ILogger<Reconciler> log) : BackgroundService
{
    private const int CrashLimit = 3;
    private const int Batch = 1000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Lease < TimeSpan.FromSeconds(20) ? options.Lease / 2 : TimeSpan.FromSeconds(10));
        var afterFailure = false;
        do
        {
            try
            {
                // In an outage leases run out although their workers live; once it is over, they have one round to renew them.
                if (!afterFailure)
                    await TakeBackAsync(stoppingToken);
                await WakeForgottenAsync(stoppingToken);
                afterFailure = false;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                afterFailure = true;
                log.LogError(Database.IsOutage(e) ? null : e, "Reconciling failed ({Message}); trying again.", e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task TakeBackAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var silent = await db.Jobs.FromSql($"""
            SELECT *, xmin FROM jobs WHERE status IN ('running', 'canceling') AND lease_until < now() LIMIT {Batch} FOR UPDATE SKIP LOCKED
            """).ToListAsync(cancellation);
        foreach (var job in silent)
        {
            log.LogWarning("Job {Id}: worker {Owner} fell silent in attempt {Attempt}.", job.Id, job.LeaseOwner, job.Attempt);
            job.Crashes++;
            (job.Crashes < CrashLimit
                ? Outcome.Released
                : Outcome.Failed("crash_loop", $"The worker process died {CrashLimit} times while it ran this job; its memory may not have sufficed.")).ApplyTo(job);
        }
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        // The silent worker's queue entry is still there, and hidden for as long as Hangfire believes in that worker.
        wakeUps.Add(silent.Where(job => job.Status is JobStatus.Queued));
    }

    /// <summary>Once a worker has taken an entry from the queue, it stays there, hidden, until it is done with; so a job without one was lost.</summary>
    private async Task WakeForgottenAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // The lock is held until the entries are made, so two reconcilers don't both make them.
        var forgotten = await db.Jobs.FromSql($"""
            SELECT *, xmin FROM jobs WHERE status = 'queued' AND NOT EXISTS (
                SELECT FROM hangfire.jobqueue entry JOIN hangfire.job wake ON wake.id = entry.jobid WHERE trim('"' FROM wake.arguments ->> 0) = jobs.id::text)
            ORDER BY priority, id LIMIT {Batch} FOR UPDATE SKIP LOCKED
            """).AsNoTracking().ToListAsync(cancellation);
        // A thread of its own, as Hangfire's client holds it.
        await Task.Factory.StartNew(() => forgotten.TrueForAll(job => waker.Wake(new(job.Id, job.Priority))), cancellation, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await transaction.CommitAsync(cancellation);
    }
}
