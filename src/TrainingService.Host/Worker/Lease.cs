using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Worker;

/// <summary>
/// One attempt at one job. The attempt's number is the fencing token: all that is written for a job is written through here.
/// </summary>
public sealed class Lease
{
    private readonly IDbContextFactory<TrainingDbContext> _databases;
    private readonly TimeSpan _length;
    private readonly int _attempt;

    private Lease(IDbContextFactory<TrainingDbContext> databases, TimeSpan length, Job job)
    {
        (_databases, _length, _attempt) = (databases, length, job.Attempt);
        (Id, Spec, Request, Priority, SweepId, Verifies) =
            (job.Id, job.Spec, job.Request ?? job.Spec, job.Priority, job.SweepId, job.Verifies);
    }

    public Guid Id { get; }
    public JobSpec Spec { get; }
    public JobSpec Request { get; }
    public short Priority { get; }
    public Guid? SweepId { get; }
    public Guid? Verifies { get; }

    /// <summary>Takes a queued job, or answers null: it is another's, or has been cancelled or deleted.</summary>
    public static async Task<Lease?> ClaimAsync(IDbContextFactory<TrainingDbContext> databases,
        Guid id, WorkerOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Leases are told by the database's clock alone, so that workers need not agree on the time.
        var claimed = await db.Jobs.FromSql($"""
            UPDATE jobs SET status = 'running', attempt = attempt + 1, lease_owner = {options.Owner}, lease_until = now() + {options.Lease},
                started_at = {clock.GetUtcNow()}, layers = NULL, findings = NULL, preflight = NULL
            WHERE id = {id} AND status = 'queued' RETURNING *, xmin
            """).ToListAsync(cancellation);
        if (claimed is not [var job])
            return null;
        if (job.Attempt > 1)
        {
            // An attempt begins at step 0, so what an earlier one measured goes.
            await db.Metrics.Where(m => m.JobId == id).ExecuteDeleteAsync(cancellation);
            await db.Layers.Where(l => l.JobId == id).ExecuteDeleteAsync(cancellation);
            await db.Units.Where(u => u.JobId == id).ExecuteDeleteAsync(cancellation);
            await db.Findings.Where(f => f.JobId == id).ExecuteDeleteAsync(cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return new(databases, options.Lease, job);
    }

    /// <summary>
    /// Renews the lease and writes in the same transaction, which holds the job's row; false if this attempt no longer owns the job.
    /// </summary>
    public async Task<bool> WriteAsync(Func<TrainingDbContext, Job, Task> write)
    {
        await using var db = await _databases.CreateDbContextAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var owned = await db.Jobs.FromSql($"""
            UPDATE jobs SET lease_until = now() + {_length}
            WHERE id = {Id} AND attempt = {_attempt} AND status IN ('running', 'canceling') RETURNING *, xmin
            """).ToListAsync();
        if (owned is not [var job])
            return false;
        await write(db, job);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
        return true;
    }
}
