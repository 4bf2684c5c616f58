using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

/// <summary>Where a job waits.</summary>
/// <param name="Position">1 for the one that is next.</param>
/// <param name="Workers">Jobs that all workers together train at a time; 0 without any worker.</param>
/// <param name="StartsAt">When a worker is likely to begin with it; null without any worker.</param>
public readonly record struct QueuePlace(int Position, int Workers, DateTimeOffset? StartsAt)
{
    public const string NoWorker = "No worker is running: the job waits until one is started.";

    public static implicit operator int(QueuePlace place) => place.Position;
}

/// <summary>Places in the queue: by priority, then by age.</summary>
public static class QueuePositions
{
    public static async Task<QueuePlace?> Of(TrainingDbContext db, Job job, CancellationToken cancellation)
    {
        if (job.Status is not JobStatus.Queued)
            return null;
        var ahead = await db.Database.SqlQueryRaw<CrewAndAhead>($$"""
            SELECT * FROM (SELECT count(*)::int AS jobs_ahead, coalesce(sum(cost), 0) AS seconds_ahead FROM jobs
                WHERE status = 'queued' AND (priority, id) < ({0}, {1})) ahead, ({{CrewSql}}) crew
            """, job.Priority, job.Id).SingleAsync(cancellation);
        return ahead.Place(1 + ahead.JobsAhead, ahead.SecondsAhead);
    }

    /// <summary>One pass over the queue for a whole page of jobs.</summary>
    public static async Task<IReadOnlyDictionary<Guid, QueuePlace>> Of(TrainingDbContext db, IEnumerable<Job> jobs,
        CancellationToken cancellation)
    {
        var wanted = jobs.Where(job => job.Status == JobStatus.Queued).Select(job => job.Id).ToArray();
        if (wanted.Length == 0)
            return new Dictionary<Guid, QueuePlace>();
        var places = await db.Database.SqlQuery<Waiting>($"""
            SELECT id, position, seconds FROM (
                SELECT id, row_number() OVER queue AS position, sum(cost) OVER queue - cost AS seconds FROM jobs
                WHERE status = 'queued' WINDOW queue AS (ORDER BY priority, id)) places
            WHERE id = ANY ({wanted})
            """).ToListAsync(cancellation);
        var crew = await CrewAsync(db, cancellation);
        return places.ToDictionary(place => place.Id, place => crew.Place((int)place.Position, place.Seconds));
    }

    /// <summary>Jobs that all workers together train at a time.</summary>
    public static async Task<int> WorkersAsync(TrainingDbContext db, CancellationToken cancellation) =>
        (await CrewAsync(db, cancellation)).Workers;

    /// <summary>Those who sent Hangfire a heartbeat lately, as they do every ten seconds, and what they have to do still.</summary>
    private const string CrewSql = $"""
        SELECT now() AS now, coalesce(sum((data ->> 'WorkerCount')::int), 0)::int AS workers,
            (SELECT count(*) FROM jobs WHERE status IN {JobStatusNames.HeldSql})::int AS running,
            (SELECT coalesce(sum(coalesce(eta_seconds, cost)), 0) FROM jobs WHERE status = 'running') AS seconds
        FROM hangfire.server WHERE lastheartbeat > now() - interval '30 seconds'
        """;

    private static Task<Crew> CrewAsync(TrainingDbContext db, CancellationToken cancellation) =>
        db.Database.SqlQueryRaw<Crew>(CrewSql).SingleAsync(cancellation);

    private sealed record Waiting(Guid Id, long Position, double Seconds);

    private record Crew(DateTimeOffset Now, int Workers, int Running, double Seconds)
    {
        private const double MostSeconds = 1e9;

        /// <summary>All that comes before it is done by all workers together: seconds / workers.</summary>
        public QueuePlace Place(int position, double secondsAhead) => new(position, Workers, Workers == 0 ? null
            : position <= Workers - Running ? Now
            : Now.AddSeconds(Math.Min((secondsAhead + Seconds) / Workers, MostSeconds)));
    }

    private sealed record CrewAndAhead(DateTimeOffset Now, int Workers, int Running, double Seconds, int JobsAhead, double SecondsAhead)
        : Crew(Now, Workers, Running, Seconds);
}
