using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>How the jobs of a sweep stand.</summary>
/// <param name="Counts">By status.</param>
/// <param name="Training">Of the running ones those that have begun; the others of a worker's group wait for their turn.</param>
/// <param name="Started">When the first of them began.</param>
/// <param name="Seconds">
/// What one took that succeeded, by the jobs' own times: the sweep may have lain still before it was extended. Null before the first.
/// </param>
public sealed record SweepTally(SweepCounts Counts, int Training, DateTimeOffset? Started, double? Seconds)
{
    /// <summary>Jobs in all.</summary>
    public int Total => Counts.Queued + Counts.Running + Counts.Canceling + Counts.Paused + Counts.Finished;

    public static async Task<IReadOnlyDictionary<Guid, SweepTally>> CountAsync(TrainingDbContext db, IReadOnlyList<Guid> sweeps,
        CancellationToken cancellation)
    {
        var ids = sweeps.Select(id => (Guid?)id).ToList();
        var groups = (await db.Jobs.Where(job => ids.Contains(job.SweepId))
            .GroupBy(job => new { job.SweepId, job.Status, Diverged = job.ErrorCode == "diverged" })
            .Select(jobs => new
            {
                jobs.Key.SweepId,
                jobs.Key.Status,
                jobs.Key.Diverged,
                Count = jobs.Count(),
                Begun = jobs.Count(job => job.StartedAt != null),
                Started = jobs.Min(job => job.StartedAt),
                Seconds = jobs.Average(job =>
                    (double?)((job.FinishedAt ?? job.CreatedAt) - (job.StartedAt ?? job.CreatedAt)).TotalSeconds),
            }).ToListAsync(cancellation)).ToLookup(group => group.SweepId);
        return sweeps.ToDictionary(id => id, id =>
        {
            var of = groups[id].ToList();
            int Count(JobStatus status) => of.Where(group => group.Status == status).Sum(group => group.Count);
            return new SweepTally(
                new(Count(JobStatus.Queued), Count(JobStatus.Running), Count(JobStatus.Canceling), Count(JobStatus.Succeeded),
                    Count(JobStatus.Failed), Count(JobStatus.Canceled), of.Where(group => group.Diverged).Sum(group => group.Count),
                    Count(JobStatus.Paused) + Count(JobStatus.Pausing)),
                of.Where(group => group.Status is JobStatus.Running).Sum(group => group.Begun),
                of.Min(group => group.Started),
                of.Where(group => group.Status is JobStatus.Succeeded).Max(group => group.Seconds));
        });
    }
}
