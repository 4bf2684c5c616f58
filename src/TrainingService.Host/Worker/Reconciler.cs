using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>Takes jobs back from workers that fell silent, and wakes workers for queued jobs that the queue has lost.</summary>
public sealed class Reconciler(IDbContextFactory<TrainingDbContext> databases, WakeUps wakeUps, Waker waker, Slots slots,
    JobEnded ended, WorkerOptions options, TimeProvider clock, ILogger<Reconciler> log) : BackgroundService
{
    private const int CrashLimit = 3;
    private const int Batch = 1000;

    /// <summary>Between a row and its entry in the queue, and between an entry's being taken and the claim.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks for leases that ran out: a tenth of one, at most 2 s.</summary>
    private readonly TimeSpan _tick = options.Lease < TimeSpan.FromSeconds(20) ? options.Lease / 10 : TimeSpan.FromSeconds(2);

    /// <summary>Between two looks for queued jobs that the queue has lost, which cost more: five ticks.</summary>
    private const int RareTicks = 5;

    /// <summary>Longer than any roll-out takes, or a machine to start: 30 leases.</summary>
    private readonly TooLarge _tooLarge = new(30 * options.Lease);

    private long? _takenBefore;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_tick);
        // whoever has only just started does not know what was before
        var (afterFailure, quiet, ended) = (true, false, clock.GetUtcNow());
        for (var tick = 0L; ; tick++)
        {
            try
            {
                // In an outage, and while this process or the whole machine sleeps, leases run out although their workers live; once it is
                // over, they have one round to renew them.
                var slept = clock.GetUtcNow() - ended > _tick + options.Lease / 2;
                if (slept)
                    log.LogWarning("Nothing was done for {Seconds:N0} s, this process or the machine having slept: "
                        + "no job is taken back in this round.", (clock.GetUtcNow() - ended).TotalSeconds);
                // what begins meanwhile has a lease that is longer than the time to the next look
                if (!quiet || tick % RareTicks == 0)
                    quiet = !await IsAnythingLeftAsync(stoppingToken);
                if (!quiet && !afterFailure && !slept)
                {
                    await EndFrozenAsync(stoppingToken);
                    await TakeBackAsync(stoppingToken);
                }
                if (!quiet)
                    await WakeForFreeSlotsAsync(stoppingToken);
                if (tick % RareTicks == 0)
                    await ClearLocksAsync(stoppingToken);
                if (!quiet && tick % RareTicks == 0)
                {
                    await WakeForgottenAsync(stoppingToken);
                    await FailTooLargeAsync(stoppingToken);
                }
                afterFailure = false;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                afterFailure = true;
                log.LogError(Database.IsOutage(e) ? null : e,
                    "Reconciling failed ({Message}); trying again.", e.GetBaseException().Message);
            }
            ended = clock.GetUtcNow();
            if (!await timer.WaitForNextTickAsync(stoppingToken))
                return;
        }
    }

    private async Task<bool> IsAnythingLeftAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        return await db.Jobs.AnyAsync(job => job.Status == JobStatus.Queued || job.Status == JobStatus.Running
            || job.Status == JobStatus.Canceling || job.Status == JobStatus.Pausing, cancellation);
    }

    /// <summary>
    /// A worker that is frozen in the middle of a transaction keeps its job's row locked, against the next worker
    /// and against whoever cancels.
    /// </summary>
    private async Task EndFrozenAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        // Whoever changes a row leaves the number of the transaction in it. Postgres itself ends only those that do nothing,
        // not those in the middle of a COPY.
        var frozen = await db.Database.SqlQueryRaw<int>($$"""
            SELECT session.pid AS "Value" FROM jobs
            JOIN pg_locks held ON held.locktype = 'transactionid' AND held.granted AND held.transactionid = jobs.xmax
            JOIN pg_stat_activity session ON session.pid = held.pid
            WHERE jobs.status IN {{JobStatusNames.HeldSql}} AND session.datname = current_database()
                AND session.wait_event = 'ClientRead' AND session.xact_start < now() - {0}
            """, options.Lease / 2).ToListAsync(cancellation);
        foreach (var session in frozen)
        {
            // Not in the query above, where Postgres would be free to do it before it has looked at the other conditions.
            await db.Database.ExecuteSqlAsync($"SELECT pg_terminate_backend({session})", cancellation);
            log.LogWarning("Session {Session} of Postgres held a job's row and said nothing for half a lease; "
                + "its worker seems to be frozen. It was ended.", session);
        }
    }

    /// <summary>Jobs whose leases ran out go back into the queue, or end: what was asked of them meanwhile holds.</summary>
    public async Task TakeBackAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // not those that this very process runs, which lives
        var silent = await db.Jobs.FromSqlRaw($$"""
            SELECT *, xmin FROM jobs WHERE status IN {{JobStatusNames.HeldSql}} AND lease_until < now()
            AND id <> ALL ({0}) LIMIT {1} FOR UPDATE SKIP LOCKED
            """, slots.Held, Batch).ToListAsync(cancellation);
        if (silent.Count == 0)
            return;
        var ids = silent.ConvertAll(job => job.Id);
        var checkpoints = (await db.Checkpoints.AsNoTracking().Where(c => ids.Contains(c.JobId)).ToListAsync(cancellation))
            .ToLookup(c => c.JobId);
        foreach (var job in silent)
        {
            var checkpoint = checkpoints[job.Id].MaxBy(c => c.Step);
            log.LogWarning("Job {Job}: worker {Owner} fell silent in attempt {Attempt}; it will go on at step {Step}.", job.Id,
                job.LeaseOwner, job.Attempt, checkpoint?.Step ?? 0);
            // of a group, some had not begun; and what got further than the attempt before it is no loop
            job.Crashes = checkpoint?.Attempt == job.Attempt ? 0 : job.Crashes + (job.StartedAt is null ? 0 : 1);
            job.RanSeconds += job.LeaseUntil - options.Lease - job.StartedAt is { TotalSeconds: > 0 and var seconds } ? seconds : 0;
            (job.Crashes < CrashLimit
                ? Outcome.Released
                : Outcome.Failed("crash_loop", $"The worker process died {CrashLimit} times while it ran this job, which got no further in "
                    + "between; its memory may not have sufficed."))
                .ApplyTo(job, clock.GetUtcNow(), checkpoint);
        }
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        Meters.Takeovers.Add(silent.Count);
        // The silent worker's queue entry is still there, and hidden for as long as Hangfire believes in that worker.
        foreach (var job in silent.Where(job => job.Status is JobStatus.Queued))
            wakeUps.Add(job);
        foreach (var job in silent.Where(job => job.IsFinished))
            await ended(job.SweepId, cancellation);
    }

    /// <summary>
    /// Whatever Hangfire's tables hold: where slots of this process are free and jobs wait, at two looks in a row and without any being
    /// taken in between, those that wait are given new entries. One too many finds nothing and ends.
    /// </summary>
    private async Task WakeForFreeSlotsAsync(CancellationToken cancellation)
    {
        var (free, taken) = slots.State;
        await using var db = await databases.CreateDbContextAsync(cancellation);
        var waits = free > 0 ? await db.Jobs.Where(Job.WaitsFor(slots.Room, await Lease.FullAsync(db, options, cancellation)))
            .OrderBy(job => job.Priority).Select(job => (short?)job.Priority).FirstOrDefaultAsync(cancellation) : null;
        if (waits is { } priority && _takenBefore == taken)
            wakeUps.Add(new WakeUp(null, priority, free));
        _takenBefore = waits is null ? null : taken;
    }

    /// <summary>Locks that Hangfire's clients left behind when they were killed; each would hold up whatever it guards for ever.</summary>
    private async Task ClearLocksAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await db.Database.ExecuteSqlAsync(
            $"DELETE FROM hangfire.lock WHERE acquired < now() - {2 * WorkerServices.LockTimeout}", cancellation);
    }

    /// <summary>Fails what no worker can ever run.</summary>
    private async Task FailTooLargeAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        var largest = Math.Max(options.Memory, await QueuePositions.LargestWorkerAsync(db, cancellation) ?? 0);
        foreach (var sweep in await _tooLarge.FailAsync(db, largest, clock.GetUtcNow(), cancellation))
            await ended(sweep, cancellation);
    }

    /// <summary>
    /// A queued job needs an entry that a worker will take: one in a queue that workers serve, and not one that was taken before and led to
    /// nothing. Jobs of sweeps share theirs, which take whatever waits. New jobs have a moment to get theirs, and where a thousand entries
    /// wait, no worker lacks work. Who has no memory for a job now wakes nobody for
    /// it, nor does one whose owner has as many runs as may be.
    /// </summary>
    private async Task WakeForgottenAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        var full = await db.Database.SqlQuery<string>($"""
            SELECT queue AS "Value" FROM hangfire.jobqueue WHERE fetchedat IS NULL GROUP BY queue HAVING count(*) >= {Batch}
            """).ToListAsync(cancellation);
        var hungry = Waker.Queues.Index().Where(queue => !full.Contains(queue.Item)).Select(queue => (short)queue.Index).ToArray();
        var (room, waiting) = (slots.Room, await Lease.FullAsync(db, options, cancellation));
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // The lock is held until the entries are made, so two reconcilers don't both make them.
        var forgotten = await db.Jobs.FromSql($"""
            SELECT *, xmin FROM jobs WHERE status = 'queued' AND sweep_id IS NULL AND priority = ANY ({hungry})
            AND coalesce(memory_bytes, 0) <= {room} AND owner <> ALL ({waiting})
            AND created_at < now() - {Grace} AND NOT EXISTS (
                SELECT FROM hangfire.jobqueue entry JOIN hangfire.job wake ON wake.id = entry.jobid
                WHERE trim('"' FROM wake.arguments ->> 0) = jobs.id::text
                AND entry.queue = ANY ({Waker.Served}) AND (entry.fetchedat IS NULL OR entry.fetchedat > now() - {Grace}))
            ORDER BY priority, id LIMIT {Batch} FOR UPDATE SKIP LOCKED
            """).AsNoTracking().ToListAsync(cancellation);
        var draining = await db.Database.SqlQuery<string>($"""
            SELECT DISTINCT entry.queue AS "Value" FROM hangfire.jobqueue entry JOIN hangfire.job wake ON wake.id = entry.jobid
            WHERE wake.invocationdata ->> 'Method' = {nameof(JobRunner.DrainAsync)}
            AND (entry.fetchedat IS NULL OR entry.fetchedat > now() - {Grace})
            """).ToListAsync(cancellation);
        var shared = await db.Jobs.FromSql(
            $"SELECT *, xmin FROM jobs WHERE status = 'queued' AND sweep_id IS NOT NULL AND created_at < now() - {Grace}")
            .Where(Job.WaitsFor(room, waiting))
            .GroupBy(job => job.Priority).Select(jobs => new { Priority = jobs.Key, Count = jobs.Count() }).ToListAsync(cancellation);
        var wakes = forgotten.Select(job => new WakeUp(job.Id, job.Priority)).Concat(shared
            .Where(jobs => !draining.Contains(Waker.Queues[jobs.Priority])).Select(jobs => new WakeUp(null, jobs.Priority, jobs.Count)));
        // A thread of its own, as Hangfire's client holds it.
        await Task.Factory.StartNew(() => wakes.All(waker.Wake),
            cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await transaction.CommitAsync(cancellation);
    }
}
