using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

/// <summary>Where a job waits.</summary>
/// <param name="Position">1 for the one that is next.</param>
/// <param name="Workers">Jobs that all workers together train at a time; 0 without any worker.</param>
/// <param name="StartsAt">When a worker is likely to begin with it; null if none could.</param>
/// <param name="Obstacle">Why none could, a sentence; else null.</param>
public readonly record struct QueuePlace(int Position, int Workers, DateTimeOffset? StartsAt, string? Obstacle)
{
    public const string NoWorker = "No worker is running: the job waits until one is started.";

    /// <summary>What a job is told that needs more than the largest worker has.</summary>
    public static string TooLarge(long bytes, long largest) => string.Create(CultureInfo.InvariantCulture,
        $"The run needs about {bytes / 1e6:N0} MB of memory, and the largest worker that runs has {largest / 1e6:N0} MB for jobs ")
        + "(TRAINING_MEMORY_MB).";

    public static implicit operator int(QueuePlace place) => place.Position;
}

/// <summary>Places in the queue: by priority, then by age.</summary>
public static class QueuePositions
{
    /// <summary>Of each database that this process knows.</summary>
    private static readonly ConcurrentDictionary<string, QueueMarks> Marks = new();

    public static async Task<QueuePlace?> Of(TrainingDbContext db, Job job, CancellationToken cancellation) =>
        (await Of(db, [job], cancellation)).TryGetValue(job.Id, out var place) ? place : null;

    public static async Task<IReadOnlyDictionary<Guid, QueuePlace>> Of(TrainingDbContext db, IEnumerable<Job> jobs,
        CancellationToken cancellation)
    {
        var wanted = jobs.Where(job => job.Status == JobStatus.Queued).ToDictionary(job => job.Id);
        if (wanted.Count == 0)
            return new Dictionary<Guid, QueuePlace>();
        var mark = await Marks.GetOrAdd(db.Database.GetConnectionString() ?? "", _ => new()).ReadAsync(db, cancellation);
        QueueMark[] marks = [.. wanted.Values.Select(mark)];
        var places = await db.Database.SqlQueryRaw<CrewAndAhead>($$"""
            SELECT wanted.id, base_jobs + ahead.jobs AS jobs_ahead, base_seconds + ahead.seconds AS seconds_ahead, crew.*
            FROM unnest({0}, {1}, {2}, {3}, {4}, {5}) AS wanted (priority, id, mark_priority, mark_id, base_jobs, base_seconds),
                LATERAL (SELECT count(*) AS jobs, coalesce(sum(cost), 0) AS seconds FROM jobs
                    WHERE status = 'queued' AND (jobs.priority, jobs.id) >= (mark_priority, mark_id)
                        AND (jobs.priority, jobs.id) < (wanted.priority, wanted.id)) ahead,
                ({{CrewSql}}) crew
            """, wanted.Values.Select(job => job.Priority).ToArray(), wanted.Keys.ToArray(),
            marks.Select(mark => mark.Priority).ToArray(), marks.Select(mark => mark.Id).ToArray(),
            marks.Select(mark => mark.Jobs).ToArray(), marks.Select(mark => mark.Seconds).ToArray()).ToListAsync(cancellation);
        return places.ToDictionary(place => place.Id,
            place => place.Place(1 + (int)place.JobsAhead, place.SecondsAhead, wanted[place.Id].MemoryBytes ?? 0));
    }

    /// <summary>Jobs that all workers together train at a time.</summary>
    public static async Task<int> WorkersAsync(TrainingDbContext db, CancellationToken cancellation) =>
        (await CrewAsync(db, cancellation)).Workers;

    /// <summary>Bytes that the largest worker has for jobs; null without any worker.</summary>
    public static async Task<long?> LargestWorkerAsync(TrainingDbContext db, CancellationToken cancellation) =>
        (await CrewAsync(db, cancellation)) is { Workers: > 0 } crew ? crew.Largest : null;

    /// <summary>
    /// Those who sent Hangfire a heartbeat lately, as they do every ten seconds, and what they have to do still. A worker's memory is told
    /// by its name; that of one which doesn't say is enough for all. Runs that were claimed together go one after another.
    /// </summary>
    private const string CrewSql = $"""
        SELECT now() AS now, coalesce(sum((data ->> 'WorkerCount')::int), 0)::int AS workers,
            coalesce(max(coalesce(substring(id FROM ':([0-9]+)mb:')::float8 * 1e6, 1e18)), 0)::bigint AS largest,
            least(coalesce(sum(coalesce(substring(id FROM ':([0-9]+)mb:')::float8 * 1e6, 1e18)), 0), 9e18)::bigint AS memory,
            (SELECT coalesce(sum(most), 0) FROM (SELECT max(memory_bytes) AS most FROM jobs
                WHERE status IN {JobStatusNames.HeldSql} GROUP BY lease_owner, lease_until) groups)::bigint AS used,
            (SELECT count(*) FROM jobs WHERE status IN {JobStatusNames.HeldSql})::int AS running,
            (SELECT coalesce(sum(coalesce(eta_seconds, cost)), 0) FROM jobs WHERE status = 'running') AS seconds
        FROM hangfire.server WHERE lastheartbeat > now() - interval '30 seconds'
        """;

    private static Task<Crew> CrewAsync(TrainingDbContext db, CancellationToken cancellation) =>
        db.Database.SqlQueryRaw<Crew>(CrewSql).SingleAsync(cancellation);

    private record Crew(DateTimeOffset Now, int Workers, long Largest, long Memory, long Used, int Running, double Seconds)
    {
        private const double MostSeconds = 1e9;

        /// <summary>All that comes before it is done by all workers together: seconds / workers.</summary>
        public QueuePlace Place(int position, double secondsAhead, long bytes)
        {
            if ((Workers == 0 ? QueuePlace.NoWorker : bytes > Largest ? QueuePlace.TooLarge(bytes, Largest) : null) is { } obstacle)
                return new(position, Workers, null, obstacle);
            return new(position, Workers, position <= Workers - Running && bytes <= Memory - Used ? Now
                : Now.AddSeconds(Math.Min((secondsAhead + Seconds) / Workers, MostSeconds)), null);
        }
    }

    private sealed record CrewAndAhead(DateTimeOffset Now, int Workers, long Largest, long Memory, long Used, int Running, double Seconds,
        Guid Id, long JobsAhead, double SecondsAhead)
        : Crew(Now, Workers, Largest, Memory, Used, Running, Seconds);
}
