using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

/// <summary>Places in the queue: by priority, then by age.</summary>
public static class QueuePositions
{
    public static async Task<int?> Of(TrainingDbContext db, Job job, CancellationToken cancellation) =>
        job.Status != JobStatus.Queued ? null :
        1 + await db.Jobs.CountAsync(other => other.Status == JobStatus.Queued
            && (other.Priority < job.Priority || other.Priority == job.Priority && other.Id < job.Id), cancellation);

    /// <summary>One pass over the queue for a whole page of jobs.</summary>
    public static async Task<IReadOnlyDictionary<Guid, int>> Of(TrainingDbContext db, IEnumerable<Job> jobs, CancellationToken cancellation)
    {
        var wanted = jobs.Where(job => job.Status == JobStatus.Queued).Select(job => job.Id).ToHashSet();
        if (wanted.Count == 0)
            return new Dictionary<Guid, int>();
        var queue = await db.Jobs.Where(job => job.Status == JobStatus.Queued)
            .OrderBy(job => job.Priority).ThenBy(job => job.Id).Select(job => job.Id)
            .ToListAsync(cancellation);
        return queue.Index().Where(entry => wanted.Contains(entry.Item)).ToDictionary(entry => entry.Item, entry => entry.Index + 1);
    }
}
