using System.Collections.Concurrent;
using System.Diagnostics;
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
    private static readonly ConcurrentDictionary<string, Desk> Desks = new();

    public static async Task<QueuePlace?> Of(TrainingDbContext db, Job job, CancellationToken cancellation) =>
        (await Of(db, [job], cancellation)).TryGetValue(job.Id, out var place) ? place : null;

    public static async Task<IReadOnlyDictionary<Guid, QueuePlace>> Of(TrainingDbContext db, IEnumerable<Job> jobs,
        CancellationToken cancellation)
    {
        var wanted = jobs.Where(job => job.Status == JobStatus.Queued).ToList();
        return wanted.Count == 0 ? new Dictionary<Guid, QueuePlace>()
            : await Desks.GetOrAdd(db.Database.GetConnectionString() ?? "", _ => new(new(1))).AskAsync(db, wanted, cancellation);
    }

    /// <summary>
    /// Those who ask while others are being answered are answered together afterwards, by one query: to plan it takes longer than to count
    /// a job's place.
    /// </summary>
    private sealed class Desk(SemaphoreSlim turn)
    {
        /// <summary>Who works is remembered no longer, however long it takes to ask.</summary>
        private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

        private readonly QueueMarks _marks = new();
        private Group _next = new();
        private (Crew Crew, long Since, TimeSpan Kept)? _crew;

        public async Task<IReadOnlyDictionary<Guid, QueuePlace>> AskAsync(TrainingDbContext db, List<Job> jobs,
            CancellationToken cancellation)
        {
            var mark = await _marks.ReadAsync(db, cancellation);
            Group group;
            lock (turn)
            {
                group = _next;
                foreach (var job in jobs)
                    group.Jobs[job.Id] = job;
            }
            await turn.WaitAsync(cancellation);
            try
            {
                lock (turn)
                    if (group == _next)
                        _next = new();
                return group.Places ??= await CountAsync(db, group.Jobs.Values, mark, cancellation);
            }
            finally
            {
                turn.Release();
            }
        }

        private async Task<IReadOnlyDictionary<Guid, QueuePlace>> CountAsync(TrainingDbContext db, IEnumerable<Job> jobs,
            Func<Job, QueueMark> mark, CancellationToken cancellation)
        {
            var begun = Stopwatch.GetTimestamp();
            var known = _crew is var (last, since, kept) && Stopwatch.GetElapsedTime(since) is var age && age < kept
                ? last with { Now = last.Now + age } : null;
            var (places, crew) = await QueuePositions.CountAsync(db, jobs, mark, known, cancellation);
            if (known is null)
            {
                var pause = QueueMarks.Pause * Stopwatch.GetElapsedTime(begun);
                _crew = (crew, Stopwatch.GetTimestamp(), pause < LongestPause ? pause : LongestPause);
            }
            if (places.Values.Any(place => place.Position > QueueMarks.Spacing))
                _marks.Want();
            return places;
        }

        private sealed class Group
        {
            public Dictionary<Guid, Job> Jobs { get; } = [];
            public IReadOnlyDictionary<Guid, QueuePlace>? Places { get; set; }
        }
    }

    // Its own priority and those before it apart: where (priority, id) < (a, b) ends a range, Postgres 15 reads on to the index's end.
    private const string AheadSql = """
        SELECT place, own.jobs + others.jobs AS jobs_ahead, own.seconds + others.seconds AS seconds_ahead
        FROM unnest({0}, {1}, {2}, {3}) WITH ORDINALITY AS wanted (priority, id, from_priority, from_id, place),
            LATERAL (SELECT count(*) AS jobs, coalesce(sum(cost), 0) AS seconds FROM jobs
                WHERE status = 'queued' AND jobs.priority = wanted.priority AND jobs.id < wanted.id
                    AND jobs.id >= CASE WHEN from_priority = wanted.priority THEN from_id
                        ELSE '00000000-0000-0000-0000-000000000000' END) own,
            LATERAL (SELECT count(*) AS jobs, coalesce(sum(cost), 0) AS seconds FROM jobs
                WHERE status = 'queued' AND jobs.priority >= from_priority AND jobs.priority < wanted.priority
                    AND (jobs.priority > from_priority OR jobs.id >= from_id)) others
        """;

    /// <summary>Counts from each job's mark, or from the one before it if that is nearer.</summary>
    /// <param name="db">Where they wait.</param>
    /// <param name="jobs">Whose places are wanted.</param>
    /// <param name="mark">The last one before a job.</param>
    /// <param name="known">Who works; null to ask for it in the same statement.</param>
    /// <param name="cancellation">Ends it.</param>
    private static async Task<(IReadOnlyDictionary<Guid, QueuePlace> Places, Crew Crew)> CountAsync(TrainingDbContext db,
        IEnumerable<Job> jobs, Func<Job, QueueMark> mark, Crew? known, CancellationToken cancellation)
    {
        Job[] wanted = [.. jobs.OrderBy(job => job.Priority).ThenBy(job => job.Id)];
        QueueMark[] marks = [.. wanted.Select(mark)];
        bool Follows(int i) => i > 0 && marks[i] == marks[i - 1];
        (short Priority, Guid Id)[] from = [.. wanted.Select((_, i) => Follows(i)
            ? (wanted[i - 1].Priority, wanted[i - 1].Id) : (marks[i].Priority, marks[i].Id))];
        object[] arguments = [wanted.Select(job => job.Priority).ToArray(), wanted.Select(job => job.Id).ToArray(),
            from.Select(place => place.Priority).ToArray(), from.Select(place => place.Id).ToArray()];

        IReadOnlyList<Ahead> counted;
        if (known is not null)
        {
            counted = await db.Database.SqlQueryRaw<Ahead>($"{AheadSql} ORDER BY place", arguments).ToListAsync(cancellation);
        }
        else
        {
            var rows = await db.Database.SqlQueryRaw<AheadAndCrew>(
                $"SELECT * FROM ({AheadSql}) ahead, ({CrewSql}) crew ORDER BY place", arguments).ToListAsync(cancellation);
            (counted, known) = (rows, rows[0].Crew);
        }

        var places = new Dictionary<Guid, QueuePlace>(wanted.Length);
        var (ahead, seconds) = (0L, 0.0);
        foreach (var (i, (job, count)) in wanted.Zip(counted).Index())
        {
            if (!Follows(i))
                (ahead, seconds) = (marks[i].Jobs, marks[i].Seconds);
            (ahead, seconds) = (ahead + count.JobsAhead, seconds + count.SecondsAhead);
            places[job.Id] = known.Place(1 + (int)ahead, seconds, job.MemoryBytes ?? 0);
        }
        return (places, known);
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
        SELECT now() AS now, crew.*, held.* FROM
            (SELECT coalesce(sum((data ->> 'WorkerCount')::int), 0)::int AS workers,
                coalesce(max(coalesce(substring(id FROM ':([0-9]+)mb:')::float8 * 1e6, 1e18)), 0)::bigint AS largest,
                least(coalesce(sum(coalesce(substring(id FROM ':([0-9]+)mb:')::float8 * 1e6, 1e18)), 0), 9e18)::bigint AS memory
                FROM hangfire.server WHERE lastheartbeat > now() - interval '30 seconds') crew,
            (SELECT coalesce(sum(most), 0)::bigint AS used, coalesce(sum(jobs), 0)::int AS running, coalesce(sum(seconds), 0) AS seconds
                FROM (SELECT max(memory_bytes) AS most, count(*) AS jobs,
                        sum(coalesce(eta_seconds, cost)) FILTER (WHERE status = 'running') AS seconds
                    FROM jobs WHERE status IN {JobStatusNames.HeldSql} GROUP BY lease_owner, lease_until) groups) held
        """;

    private static Task<Crew> CrewAsync(TrainingDbContext db, CancellationToken cancellation) =>
        db.Database.SqlQueryRaw<Crew>(CrewSql).SingleAsync(cancellation);

    private sealed record Crew(DateTimeOffset Now, int Workers, long Largest, long Memory, long Used, int Running, double Seconds)
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

    private record Ahead(long JobsAhead, double SecondsAhead);

    private sealed record AheadAndCrew(long JobsAhead, double SecondsAhead, DateTimeOffset Now, int Workers, long Largest, long Memory,
        long Used, int Running, double Seconds) : Ahead(JobsAhead, SecondsAhead)
    {
        public Crew Crew => new(Now, Workers, Largest, Memory, Used, Running, Seconds);
    }
}
