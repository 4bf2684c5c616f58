using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Events;

/// <summary>That a job or a sweep came to a status.</summary>
/// <param name="Id">Which.</param>
/// <param name="Status">Where it is in its life.</param>
/// <param name="Attempt">Of a job: how often a worker has begun with it.</param>
/// <param name="At">Of an end: when.</param>
public sealed record ChangeEvent(Guid Id, JobStatus Status, int? Attempt, DateTimeOffset? At) : IChanged
{
    [JsonIgnore]
    public ulong Transaction { get; init; }

    [JsonIgnore]
    public bool IsSweep { get; init; }

    [JsonIgnore]
    public string Owner { get; init; } = "";

    [JsonIgnore]
    public bool IsShared { get; init; }

    [JsonIgnore]
    public string Key => Id.ToString("N");

    public bool IsSeenBy(View view) => view.SeesAll || Owner == view.Owner || (view.ReadsShared && IsShared);
}

/// <summary>What happened lately.</summary>
/// <param name="From">After what that snapshot saw.</param>
/// <param name="Now">And up to this one.</param>
/// <param name="Changes">All in between, each job and sweep as it is now; null if they are too many to be told one by one.</param>
public sealed record AllMoment(Snapshot From, Snapshot Now, IReadOnlyList<ChangeEvent>? Changes)
{
    /// <summary>With what came later; who has been told up to here needs nothing from before.</summary>
    public AllMoment With(AllMoment later, int most)
    {
        if (Changes is null || later.Changes is null || Changes.Count + later.Changes.Count > most)
            return later;
        var latest = Changes.ToDictionary(change => change.Id);
        foreach (var change in later.Changes)
            latest[change.Id] = change;
        return new(From, later.Now, [.. latest.Values]);
    }
}

/// <summary>Reads which jobs and sweeps came to another status, of all that there are: those who follow look which they may see.</summary>
public sealed class AllEvents : IDisposable
{
    /// <summary>Told one by one; beyond that it is said that much happened.</summary>
    private const int Most = 1000;

    /// <summary>Between two looks: every row that a run writes may have been a status.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(250);

    // A sweep's jobs are told by its own stream. Of rows that were restored from another server the numbers of transactions mean nothing.
    private static readonly string Sql = $"""
        SELECT pg_current_snapshot()::text, changed.* FROM (SELECT) one LEFT JOIN LATERAL (
            (SELECT false AS is_sweep, id, owner, visibility, status, attempt, finished_at, changed::text::bigint AS changed FROM jobs
                WHERE sweep_id IS NULL AND changed >= pg_snapshot_xmin($1::pg_snapshot)
                    AND changed < pg_snapshot_xmax(pg_current_snapshot())
                    AND NOT pg_visible_in_snapshot(changed, $1::pg_snapshot) LIMIT {Most + 1})
            UNION ALL
            (SELECT true, id, owner, visibility, status, NULL, finished_at, changed::text::bigint FROM sweeps
                WHERE changed >= pg_snapshot_xmin($1::pg_snapshot)
                    AND changed < pg_snapshot_xmax(pg_current_snapshot())
                    AND NOT pg_visible_in_snapshot(changed, $1::pg_snapshot) LIMIT {Most + 1})) changed ON true
        """;

    private readonly IDbContextFactory<TrainingDbContext> _databases;

    /// <summary>However many read behind, others need connections, too.</summary>
    private readonly SemaphoreSlim _pages = new(4);

    public AllEvents(Changes changes, IDbContextFactory<TrainingDbContext> databases, ILogger<AllEvents> log)
    {
        _databases = databases;
        Feeds = new(changes, ReadAsync, log, Least);
    }

    public Feeds<AllMoment> Feeds { get; }

    /// <summary>What follows a place that lies before what is known to all. Null while Postgres is away.</summary>
    public async Task<AllMoment?> PageAsync(Snapshot from, CancellationToken cancellation)
    {
        await _pages.WaitAsync(cancellation);
        try
        {
            return await SinceAsync(from, cancellation);
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            return null;
        }
        finally
        {
            _pages.Release();
        }
    }

    public void Dispose() => _pages.Dispose();

    private async Task<AllMoment> ReadAsync(Guid all, AllMoment? before, CancellationToken cancellation)
    {
        if (before is null)
        {
            await using var db = await _databases.CreateDbContextAsync(cancellation);
            var text = await db.Database.SqlQuery<string>($"""SELECT pg_current_snapshot()::text AS "Value" """).SingleAsync(cancellation);
            var now = Read(text);
            return new(now, now, []);
        }
        var later = await SinceAsync(before.Now, cancellation);
        return later.Changes is [] ? before : before.With(later, Most);
    }

    private async Task<AllMoment> SinceAsync(Snapshot from, CancellationToken cancellation)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand(Sql, (NpgsqlConnection)db.Database.GetDbConnection());
        command.Parameters.Add(new() { Value = from.ToString(), NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var (now, changes) = (from, new List<ChangeEvent>());
        while (await reader.ReadAsync(cancellation))
        {
            now = Read(reader.GetString(0));
            if (reader.IsDBNull(1))
                continue;
            changes.Add(new(reader.GetGuid(2), JobStatusNames.Find(reader.GetString(5))
                ?? throw new InvalidDataException($"'{reader.GetString(5)}' is no status."), reader.IsDBNull(6) ? null : reader.GetInt32(6),
                reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7))
            {
                IsSweep = reader.GetBoolean(1),
                Owner = reader.GetString(3),
                IsShared = reader.GetString(4) == Json.NameOf(Visibility.Everyone),
                Transaction = (ulong)reader.GetInt64(8),
            });
        }
        return new(from, now, changes.Count > Most ? null : changes);
    }

    private static Snapshot Read(string text) => Snapshot.Read(text) ?? throw new InvalidDataException($"'{text}' is no snapshot.");
}
