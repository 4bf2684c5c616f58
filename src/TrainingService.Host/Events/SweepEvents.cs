using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Events;

/// <summary>Reads what there is to tell of sweeps: of each what has changed since the last look, in one statement.</summary>
public sealed class SweepEvents
{
    // Of rows that were restored from another server the numbers of transactions mean nothing. A cell is never changed, but it may be made
    // of a job that ended before; a row's own number has half the digits.
    private const string Sql = """
        WITH sweep AS MATERIALIZED (
            SELECT owner, visibility, status, created_at, finished_at, error_code, error_message, spec, pg_current_snapshot() AS now,
                pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next
            FROM sweeps WHERE id = $1),
        arms AS MATERIALIZED (
            SELECT (number - 1)::int AS arm, value ->> 'name' AS name
            FROM sweep, jsonb_array_elements(spec -> 'arms') WITH ORDINALITY AS listed (value, number)),
        cells AS (
            SELECT cell.arm, cell.candidate, cell.seed, job.id, job.status, job.attempt, job.error_code, greatest(1,
                CASE WHEN job.changed < pg_snapshot_xmax(now) THEN job.changed::text::bigint ELSE 1 END,
                next - ((next - cell.xmin::text::bigint) & 4294967295)) AS transaction
            FROM sweep, sweep_cells cell JOIN jobs job ON job.id = cell.job_id WHERE cell.sweep_id = $1)
        SELECT sweep.owner, sweep.visibility, sweep.status, sweep.created_at, sweep.finished_at, sweep.error_code, sweep.error_message,
            sweep.now::text, fresh.arm, arms.name, fresh.candidate, fresh.seed, fresh.id, fresh.status, fresh.attempt, fresh.error_code,
            fresh.transaction
        FROM sweep LEFT JOIN (
            SELECT * FROM cells WHERE NOT pg_visible_in_snapshot(transaction::text::xid8, $2::pg_snapshot)) fresh ON true
        LEFT JOIN arms ON arms.arm = fresh.arm
        """;

    private readonly IDbContextFactory<TrainingDbContext> _databases;

    public SweepEvents(Changes changes, IDbContextFactory<TrainingDbContext> databases, ILogger<SweepEvents> log)
    {
        _databases = databases;
        Feeds = new(changes, ReadAsync, log);
    }

    public Feeds<SweepMoment> Feeds { get; }

    /// <summary>Where one is who knows all that stands there now; null if there is no such sweep. In nobody's eyes.</summary>
    public async Task<SweepCursor?> NowAsync(Guid id, CancellationToken cancellation)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand("SELECT status, pg_current_snapshot()::text FROM sweeps WHERE id = $1",
            (NpgsqlConnection)db.Database.GetDbConnection());
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) && Snapshot.Read(reader.GetString(1)) is { } now
            ? new(StatusOf(reader.GetString(0)), new(now), false) : null;
    }

    private async Task<SweepMoment> ReadAsync(Guid id, SweepMoment? before, CancellationToken cancellation)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand(Sql, (NpgsqlConnection)db.Database.GetDbConnection());
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = (before?.Now ?? Snapshot.None).ToString(), NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        SweepState? state = null;
        var now = Snapshot.None;
        var fresh = new List<CellState>();
        while (await reader.ReadAsync(cancellation))
        {
            if (state is null)
            {
                state = new(reader.GetString(0), reader.GetString(1) == Json.NameOf(Visibility.Everyone), StatusOf(reader.GetString(2)),
                    reader.GetFieldValue<DateTimeOffset>(3), reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4),
                    reader.IsDBNull(5) ? null : new(reader.GetString(5), reader.IsDBNull(6) ? "" : reader.GetString(6)));
                now = Snapshot.Read(reader.GetString(7)) ?? throw new InvalidDataException($"'{reader.GetString(7)}' is no snapshot.");
            }
            if (!reader.IsDBNull(8))
                fresh.Add(new(reader.IsDBNull(9) ? "" : reader.GetString(9),
                    reader.GetInt16(10) is >= 0 and var candidate ? candidate : null, reader.GetInt64(11),
                    reader.GetGuid(12), StatusOf(reader.GetString(13)), reader.GetInt32(14),
                    reader.IsDBNull(15) ? null : reader.GetString(15))
                {
                    Transaction = (ulong)reader.GetInt64(16),
                    Key = string.Create(CultureInfo.InvariantCulture, $"{reader.GetInt16(8)}_{reader.GetInt16(10)}_{reader.GetInt64(11)}"),
                });
        }
        if (before is not null && fresh.Count == 0 && state == before.State)
            return before;
        var cells = before?.Cells.ToDictionary() ?? [];
        foreach (var cell in fresh)
            cells[cell.Key] = cell;
        return new(state, now, cells);
    }

    private static JobStatus StatusOf(string name) =>
        JobStatusNames.Find(name) ?? throw new InvalidDataException($"'{name}' is no status.");
}
