using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>Fails jobs that need more memory than any worker had for long enough that none will.</summary>
/// <param name="patience">How long that is at least; a job waits twice as long at most.</param>
public sealed class TooLarge(TimeSpan patience)
{
    private const int Batch = 1000;

    private DateTimeOffset? _since;
    private long? _before;
    private long _largest;

    /// <summary>To be called again and again; answers whose jobs failed.</summary>
    /// <param name="db">Where the jobs are.</param>
    /// <param name="largest">Bytes that the largest worker has for jobs now.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<IReadOnlyList<Guid?>> FailAsync(TrainingDbContext db, long largest, DateTimeOffset now,
        CancellationToken cancellation)
    {
        _since ??= now;
        if (now - _since >= patience)
            (_since, _before, _largest) = (now, _largest, 0);
        _largest = Math.Max(_largest, largest);
        if (_before is not { } before)
            return [];
        // the largest of all workers that were seen since one patience ago at least
        var most = Math.Max(before, _largest);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var jobs = await db.Jobs.FromSql($"""
            SELECT *, xmin FROM jobs WHERE status = 'queued' AND memory_bytes > {most} AND created_at < {now - patience}
            ORDER BY id LIMIT {Batch} FOR UPDATE SKIP LOCKED
            """).ToListAsync(cancellation);
        foreach (var job in jobs)
            Outcome.Failed(ClaimedRun.OutOfMemory, QueuePlace.TooLarge(job.MemoryBytes ?? 0, most)).ApplyTo(job, now);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return [.. jobs.Select(job => job.SweepId).Distinct()];
    }
}
