using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>
/// One attempt at one job. The attempt's number is the fencing token: all that is written for a job is written through
/// <see cref="WriteAsync"/>.
/// </summary>
/// <param name="Template">What it shares with others of its group; null if its spec is its own.</param>
public sealed record Lease(Guid Id, int Attempt, JobSpec Spec, JobSpec Request, short Priority, Guid? SweepId, Guid? Verifies,
    JobTemplate? Template = null)
{
    /// <summary>Where the checkpoint is with which it goes on; null if it begins at step 0.</summary>
    public Checkpoint? Checkpoint { get; init; }

    /// <summary>The step of another job's checkpoint that it begins with, which is a copy of its own by now; null of most jobs.</summary>
    public long? ForkedAt { get; init; }

    /// <summary>The request that asked for it, as W3C <c>traceparent</c>; null if that isn't known.</summary>
    public string? Traceparent { get; init; }

    /// <summary>The trace that it is of.</summary>
    public string? Trace => Traces.IdOf(Traceparent);

    /// <summary>What it needs at most, as estimated.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Seconds of work, as estimated.</summary>
    public double Cost { get; init; }

    /// <summary>What earlier attempts ran.</summary>
    public double RanSeconds { get; init; }

    /// <summary>Seconds of work that a worker claims at once: what is more urgent waits so long, and is to begin within one.</summary>
    private const double GroupSeconds = 0.6;

    /// <summary>Less is not left to others: to claim and to write a group takes a good part of it.</summary>
    private const double LeastSeconds = 0.05;

    /// <summary>Any number, as long as it is ours alone.</summary>
    private const long OwnersLock = 0x7261_696E_4F77_6E01;

    /// <summary>Runs that a worker claims at once.</summary>
    private const int MostRuns = 256;

    /// <summary>What a worker may take that has so many bytes for it, of those who may have more runs at once.</summary>
    private const string Waits = "status = 'queued' AND coalesce(memory_bytes, 0) <= @memory AND owner <> ALL (@full)";

    /// <summary>Whose turn it is: a sweep's, or that of the jobs which were submitted one by one.</summary>
    private const string Source = "coalesce(jobs.sweep_id, '00000000-0000-0000-0000-000000000000')";

    /// <summary>Those whose turn it may be, of the most urgent priority, owner by owner.</summary>
    private const string Sources = $"""
        source AS (
            (SELECT priority, owner, {Source} AS id FROM jobs WHERE {Waits} ORDER BY 1, 2, 3 LIMIT 1)
            UNION ALL
            SELECT source.priority, next.owner, next.id FROM source, LATERAL (
                SELECT jobs.owner, {Source} AS id FROM jobs
                WHERE {Waits} AND jobs.priority = source.priority AND (jobs.owner, {Source}) > (source.owner, source.id)
                ORDER BY jobs.owner, {Source} LIMIT 1) next)
        """;

    /// <summary>What waits of the source whose turn it is.</summary>
    private const string OfChosen = $"""
        {Waits} AND priority = (SELECT priority FROM chosen) AND owner = (SELECT owner FROM chosen) AND {Source} = (SELECT id FROM chosen)
        """;

    /// <summary>
    /// The next runs that wait and fit the memory: of the most urgent priority; in it of the owner whom fewest workers serve, and of theirs
    /// of the source that fewest serve (by lot among equals, which needs no memory); of it the oldest ones, 0.6 s of work. A part
    /// of what is left is left to the others, so that all end at about the same time (guided self-scheduling: Polychronopoulos and Kuck,
    /// IEEE Trans. Computers 36 (1987)). Of runs that come alone, one whose seed no other worker is at comes first, since two at the same
    /// would wait for the same rows to be prepared. A run whose worker died before comes alone: whichever of a group is to blame will be
    /// found, and the others don't suffer for it.
    /// </summary>
    // Leases are told by the database's clock alone, so that workers need not agree on the time; those of a group are renewed together, so
    // that as many workers serve a source as its running jobs have leases. However many rows wait, a claim reads those of the index
    // ix_jobs_waiting that it takes or counts: hence the scalar subqueries, which a join would turn into scans of all.
    public const string Next = $"""
        WITH RECURSIVE {Sources},
        busy AS (
            SELECT owner, {Source} AS id, count(DISTINCT (lease_owner, lease_until)) AS workers
            FROM jobs WHERE status IN {JobStatusNames.HeldSql} GROUP BY 1, 2),
        served AS (
            SELECT owner, coalesce(sum(workers), 0) AS workers, random() AS lot
            FROM (SELECT DISTINCT owner FROM source) owners LEFT JOIN busy USING (owner) GROUP BY owner),
        chosen AS (
            SELECT priority, owner, id FROM source JOIN served USING (owner) LEFT JOIN busy USING (owner, id)
            ORDER BY served.workers, lot, coalesce(busy.workers, 0), random() LIMIT 1),
        share AS (
            SELECT CASE WHEN min(cost) >= @seconds THEN 1
                ELSE greatest(1, least(@most, greatest(count(*) / (2 * @workers), floor(@least / max(cost)))))::bigint END AS runs
            FROM (SELECT cost FROM jobs
                WHERE {OfChosen}
                LIMIT @most * 2 * @workers) waiting),
        taken AS (
            SELECT ARRAY(SELECT seed FROM jobs WHERE status IN {JobStatusNames.HeldSql}
                AND owner = (SELECT owner FROM chosen) AND {Source} = (SELECT id FROM chosen)
                AND seed IS NOT NULL) AS seeds FROM share WHERE runs = 1),
        apart AS (
            SELECT EXISTS (SELECT FROM jobs
                WHERE {OfChosen}
                    AND seed <> ALL (seeds)) AS possible FROM taken),
        candidate AS (
            SELECT id, cost, attempt FROM jobs
            WHERE {OfChosen}
                AND ((SELECT possible FROM apart) IS NOT TRUE OR seed <> ALL ((SELECT seeds FROM taken)::bigint[]))
            ORDER BY id LIMIT (SELECT runs FROM share) FOR UPDATE SKIP LOCKED),
        placed AS (
            SELECT id, row_number() OVER earlier AS place, sum(cost) OVER earlier - cost AS before,
                bool_and(attempt = 0) OVER earlier AS fresh
            FROM candidate WINDOW earlier AS (ORDER BY id)),
        picked AS (
            SELECT id, place, max(place) OVER () AS runs FROM placed WHERE place = 1 OR fresh AND before < @seconds)
        UPDATE jobs SET {Claimed}, started_at = CASE WHEN runs = 1 THEN @now END FROM picked WHERE jobs.id = picked.id
        """;

    /// <summary>
    /// Of the leases those that are still held, their jobs' rows locked. Found by id before their status counts: statistics from when
    /// nothing ran made Postgres go through all that runs, once for each lease.
    /// </summary>
    public const string Held = $"""
        WITH attempts AS MATERIALIZED (
            SELECT jobs.id, jobs.status FROM jobs JOIN unnest(@ids, @attempts) AS lease (id, attempt) USING (id, attempt)
            ORDER BY jobs.id FOR UPDATE OF jobs)
        SELECT id, status FROM attempts WHERE status IN {JobStatusNames.HeldSql}
        """;

    private const string One = $"""
        UPDATE jobs SET {Claimed}, started_at = @now WHERE id = @id AND {Waits}
            AND NOT EXISTS (SELECT FROM jobs urgent WHERE {Waits} AND urgent.priority < jobs.priority)
        """;

    /// <summary>Of those that fit a worker's memory, the oldest one of a source whose first does not fit what is free of it.</summary>
    private const string Awaited = $"""
        WITH RECURSIVE {Sources},
        first AS (
            SELECT (SELECT jobs.id FROM jobs WHERE {Waits} AND jobs.priority = source.priority
                AND jobs.owner = source.owner AND {Source} = source.id ORDER BY jobs.id LIMIT 1) AS id
            FROM source)
        SELECT jobs.id, jobs.memory_bytes FROM first JOIN jobs USING (id) WHERE jobs.memory_bytes > @free ORDER BY jobs.id LIMIT 1
        """;

    private const string Claimed = """
        status = 'running', attempt = attempt + 1, lease_owner = @owner, lease_until = now() + @lease
        """;

    private const string Returned =
        " RETURNING jobs.id, attempt, spec::text, request::text, priority, sweep_id, verifies, template_number, name, seed, ran_seconds, "
        + "(from_checkpoint ->> 'step')::bigint, coalesce(memory_bytes, 0), traceparent, cost";

    /// <summary>
    /// Takes a queued job, or answers none: it is another's, has been cancelled or deleted, needs more memory than it may, its owner has as
    /// many runs as may be, or something more urgent waits.
    /// </summary>
    public static Task<IReadOnlyList<Lease>> ClaimAsync(IDbContextFactory<TrainingDbContext> databases,
        Guid id, long memory, WorkerOptions options, TimeProvider clock, CancellationToken cancellation) =>
        ClaimAsync(databases, One + Returned, options, clock, [new("id", id), new("memory", memory)], cancellation);

    /// <summary>Whether something waits that a worker with so many bytes for it may take.</summary>
    public static async Task<bool> WaitsAsync(TrainingDbContext db, long memory, WorkerOptions options, CancellationToken cancellation)
    {
        var full = await FullAsync(db, options, cancellation);
        return await db.Jobs.Where(Job.WaitsFor(memory, full)).AnyAsync(cancellation);
    }

    /// <summary>Whose runs are as many as those of one owner may be at once; nobody's are not counted.</summary>
    public static async Task<string[]> FullAsync(TrainingDbContext db, WorkerOptions options, CancellationToken cancellation) =>
        options.OwnerRuns == 0 ? [] : await db.Database.SqlQueryRaw<string>($$"""
            SELECT owner AS "Value" FROM jobs WHERE status IN {{JobStatusNames.HeldSql}} AND owner <> ''
            GROUP BY owner HAVING count(DISTINCT (lease_owner, lease_until)) >= {0}
            """, options.OwnerRuns).ToArrayAsync(cancellation);

    /// <summary>The job whose turn it is and for which there is not enough memory free; null if there is for whatever comes next.</summary>
    public static async Task<(Guid Id, long Bytes)?> AwaitedAsync(IDbContextFactory<TrainingDbContext> databases, long free,
        WorkerOptions options, CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        await using var look = new NpgsqlCommand(Awaited, (NpgsqlConnection)db.Database.GetDbConnection());
        look.Parameters.AddWithValue("free", free);
        look.Parameters.AddWithValue("memory", options.Memory);
        look.Parameters.AddWithValue("full", await FullAsync(db, options, cancellation));
        await using var rows = await look.ExecuteReaderAsync(cancellation);
        return await rows.ReadAsync(cancellation) ? (rows.GetGuid(0), rows.GetInt64(1)) : null;
    }

    /// <summary>
    /// Takes what comes next, in the order in which it is to run: 0.6 s of runs of one source, or one run that is longer.
    /// None if nothing waits that needs no more memory than it may, or others are just taking what does.
    /// </summary>
    /// <param name="databases">The jobs'.</param>
    /// <param name="memory">Bytes that a run may need.</param>
    /// <param name="pace">Seconds that an estimated second takes here.</param>
    /// <param name="options">The worker's.</param>
    /// <param name="clock">Tells when a run began.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<IReadOnlyList<Lease>> ClaimNextAsync(IDbContextFactory<TrainingDbContext> databases, long memory,
        double pace, WorkerOptions options, TimeProvider clock, CancellationToken cancellation) =>
        [.. (await ClaimAsync(databases, Next + Returned, options, clock,
            [new("memory", memory), new("seconds", GroupSeconds / pace), new("least", LeastSeconds / pace), new("most", MostRuns),
                new("workers", options.Workers)], cancellation))
            .OrderBy(lease => lease.Id)];

    /// <summary>
    /// In one transaction, which holds the rows of those attempts that still own their jobs: hands over how these stand, to write them.
    /// The rows are locked in the order of their ids, as by all who lock more than one.
    /// </summary>
    public static async Task WriteAsync(IDbContextFactory<TrainingDbContext> databases, IEnumerable<Lease> leases,
        Func<TrainingDbContext, IReadOnlyDictionary<Guid, JobStatus>, Task> write)
    {
        await using var db = await databases.CreateDbContextAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var owned = new Dictionary<Guid, JobStatus>();
        await using (var lockRows = new NpgsqlCommand(Held, (NpgsqlConnection)db.Database.GetDbConnection()))
        {
            lockRows.Parameters.AddWithValue("ids", leases.Select(lease => lease.Id).ToArray());
            lockRows.Parameters.AddWithValue("attempts", leases.Select(lease => lease.Attempt).ToArray());
            await using var rows = await lockRows.ExecuteReaderAsync();
            while (await rows.ReadAsync())
                owned.Add(rows.GetGuid(0), Statuses[rows.GetString(1)]);
        }
        await write(db, owned);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
    }

    /// <summary>
    /// Takes back that the process died which had these leases: it was frozen, or cut off from the database, until others believed so. That
    /// is no loop of crashes.
    /// </summary>
    public static async Task OutliveAsync(IDbContextFactory<TrainingDbContext> databases, Lease[] leases)
    {
        if (leases.Length == 0)
            return;
        await using var db = await databases.CreateDbContextAsync();
        await db.Database.ExecuteSqlRawAsync("""
            UPDATE jobs SET crashes = crashes - 1 WHERE id IN (
                SELECT jobs.id FROM jobs JOIN unnest({0}, {1}) AS lease (id, attempt) USING (id)
                WHERE crashes > 0 AND finished_at IS NULL AND jobs.attempt >= lease.attempt ORDER BY jobs.id FOR UPDATE OF jobs)
            """, leases.Select(lease => lease.Id).ToArray(), leases.Select(lease => lease.Attempt).ToArray());
    }

    private static async Task<IReadOnlyList<Lease>> ClaimAsync(IDbContextFactory<TrainingDbContext> databases, string sql,
        WorkerOptions options, TimeProvider clock, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var claimed = new List<(Lease Lease, short? Template, string? Name, long? Seed)>();
        var (again, checkpoints) = (new List<Guid>(), new Dictionary<Guid, Checkpoint>());
        // Two workers that claim at once would each see the other's run not yet there.
        if (options.OwnerRuns > 0)
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({OwnersLock})", cancellation);
        var full = await FullAsync(db, options, cancellation);
        await using (var claim = new NpgsqlCommand(sql, (NpgsqlConnection)db.Database.GetDbConnection()))
        {
            claim.Parameters.AddRange(parameters);
            claim.Parameters.AddWithValue("owner", options.Owner);
            claim.Parameters.AddWithValue("full", full);
            claim.Parameters.AddWithValue("lease", options.Lease);
            claim.Parameters.AddWithValue("now", clock.GetUtcNow());
            await using var rows = await claim.ExecuteReaderAsync(cancellation);
            while (await rows.ReadAsync(cancellation))
            {
                var spec = rows.IsDBNull(2) ? Shared : Parse(rows.GetString(2));
                claimed.Add((new(rows.GetGuid(0), rows.GetInt32(1), spec, rows.IsDBNull(3) ? spec : Parse(rows.GetString(3)),
                    rows.GetInt16(4), rows.IsDBNull(5) ? null : rows.GetGuid(5), rows.IsDBNull(6) ? null : rows.GetGuid(6))
                {
                    RanSeconds = rows.GetDouble(10),
                    ForkedAt = rows.IsDBNull(11) ? null : rows.GetInt64(11),
                    MemoryBytes = rows.GetInt64(12),
                    Traceparent = rows.IsDBNull(13) ? null : rows.GetString(13),
                    Cost = rows.GetDouble(14),
                },
                    rows.IsDBNull(7) ? null : rows.GetInt16(7), rows.IsDBNull(8) ? null : rows.GetString(8),
                    rows.IsDBNull(9) ? null : rows.GetInt64(9)));
                if (rows.GetInt32(1) > 1 || !rows.IsDBNull(11))
                    again.Add(rows.GetGuid(0));
            }
        }
        if (again.Count > 0)
            checkpoints = await CheckpointsAsync(db, again, cancellation);
        // all of one source
        var templates = claimed.Select(run => run.Template).OfType<short>().Distinct().ToArray() is not { Length: > 0 } numbers ? []
            : await db.JobTemplates.AsNoTracking().Where(template => template.SweepId == claimed[0].Lease.SweepId
                && numbers.Contains(template.Number)).ToDictionaryAsync(template => template.Number, cancellation);
        var leases = claimed.ConvertAll(run => run.Template is not { } number ? run.Lease : run.Lease with
        {
            Spec = templates[number].SpecOf(run.Name, run.Seed),
            Request = templates[number].RequestOf(run.Name, run.Seed),
            Template = templates[number],
            Traceparent = run.Lease.Traceparent ?? templates[number].Traceparent,
        });
        await transaction.CommitAsync(cancellation);
        return checkpoints.Count == 0 ? leases
            : leases.ConvertAll(lease => lease with { Checkpoint = checkpoints.GetValueOrDefault(lease.Id) });
    }

    /// <summary>
    /// The newest checkpoint of each of these jobs, which were run before. What an earlier attempt measured of one that has none goes;
    /// else that is decided when the checkpoint was read (<see cref="Resumption"/>).
    /// </summary>
    private static async Task<Dictionary<Guid, Checkpoint>> CheckpointsAsync(TrainingDbContext db, List<Guid> jobs,
        CancellationToken cancellation)
    {
        var newest = (await db.Checkpoints.AsNoTracking().Where(c => jobs.Contains(c.JobId)).ToListAsync(cancellation))
            .GroupBy(c => c.JobId).ToDictionary(each => each.Key, each => each.MaxBy(c => c.Step) ?? each.First());
        await db.JobModels.Where(m => jobs.Contains(m.JobId)).ExecuteDeleteAsync(cancellation);
        if (jobs.Where(id => !newest.ContainsKey(id)).ToArray() is { Length: > 0 } fresh)
        {
            await db.Metrics.Where(m => fresh.Contains(m.JobId)).ExecuteDeleteAsync(cancellation);
            await db.Layers.Where(l => fresh.Contains(l.JobId)).ExecuteDeleteAsync(cancellation);
            await db.Units.Where(u => fresh.Contains(u.JobId)).ExecuteDeleteAsync(cancellation);
            await db.Findings.Where(f => fresh.Contains(f.JobId)).ExecuteDeleteAsync(cancellation);
            await db.Jobs.Where(job => fresh.Contains(job.Id)).ExecuteUpdateAsync(set => set
                .SetProperty(job => job.Layers, (IReadOnlyList<LayerInfo>?)null).SetProperty(job => job.Findings, (FindingCounts?)null)
                .SetProperty(job => job.Preflight, (Preflight?)null), cancellation);
        }
        return newest;
    }

    /// <summary>Those in which a worker holds a job, by their names.</summary>
    private static readonly Dictionary<string, JobStatus> Statuses =
        new[] { JobStatus.Running, JobStatus.Canceling, JobStatus.Pausing }.ToDictionary(Json.NameOf);

    /// <summary>In the place of a spec that is its template's.</summary>
    private static JobSpec Shared { get; } = new() { Dataset = new() { Name = "" } };

    private static JobSpec Parse(string json) => JsonSerializer.Deserialize<JobSpec>(json, Json.Options)
        ?? throw new InvalidOperationException("A job has no spec.");
}
