using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Events;

/// <summary>Reads what there is to tell of jobs: of each all in one statement, so that it is of one moment.</summary>
public sealed class JobEvents : IDisposable
{
    /// <summary>Rows of metrics that are read at once, and of those read last that are kept for whoever comes.</summary>
    private const int Rows = 500;

    private static readonly string Sql = SqlOf("(step, split) > ($2, $3)", "");

    /// <summary>Of those that are there, the last.</summary>
    private static readonly string LastSql = SqlOf("$2 + $3 IS NOT NULL", "DESC");

    private const string NowSql = """
        SELECT attempt, status, step, coalesce((SELECT 2 * step + split FROM job_metrics WHERE job_id = $1 AND split < 2
                ORDER BY step DESC, split DESC LIMIT 1), -1),
            coalesce((SELECT max(number) FROM job_findings WHERE job_id = $1), -1)
        FROM jobs WHERE id = $1
        """;

    private static readonly Dictionary<string, Visibility> Visibilities = Enum.GetValues<Visibility>().ToDictionary(Json.NameOf);

    private readonly IDbContextFactory<TrainingDbContext> _databases;

    /// <summary>However many read behind, others need connections, too.</summary>
    private readonly SemaphoreSlim _pages = new(4);

    public JobEvents(Changes changes, IDbContextFactory<TrainingDbContext> databases, ILogger<JobEvents> log)
    {
        _databases = databases;
        Feeds = new(changes, ReadAsync, log);
    }

    public Feeds<JobMoment> Feeds { get; }

    /// <summary>What follows a place that lies before what is known to all. Null while Postgres is away.</summary>
    public async Task<JobMoment?> PageAsync(Guid id, JobCursor from, CancellationToken cancellation)
    {
        await _pages.WaitAsync(cancellation);
        try
        {
            return await ReadAsync(id, Sql, from.Metrics, from.Test, -1, cancellation);
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

    /// <summary>Where one is who knows all that stands there now; null if there is no such job. In nobody's eyes.</summary>
    public async Task<JobCursor?> NowAsync(Guid id, CancellationToken cancellation)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand(NowSql, (NpgsqlConnection)db.Database.GetDbConnection());
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? new(reader.GetInt32(0), StatusOf(reader.GetString(1)), reader.GetInt64(2), reader.GetInt64(3), false, reader.GetInt32(4),
                false) : null;
    }

    public void Dispose() => _pages.Dispose();

    private async Task<JobMoment> ReadAsync(Guid id, JobMoment? before, CancellationToken cancellation)
    {
        if (before is null or { State: null })
            return await ReadAsync(id, LastSql, -1, false, -1, cancellation);
        var now = before;
        while (true)
        {
            var more = await ReadAsync(id, Sql, now.Last, now.Test is not null, now.Findings is [.., var last] ? last.Number : -1,
                cancellation);
            if (more.State is null)
                return more;
            now = now.With(more, Rows);
            if (more.Rows.Count < Rows)
                return now.IsAs(before) ? before : now;
        }
    }

    private async Task<JobMoment> ReadAsync(Guid id, string sql, long after, bool tested, int findings, CancellationToken cancellation)
    {
        await using var db = await _databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand(sql, (NpgsqlConnection)db.Database.GetDbConnection());
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = after < 0 ? -1 : after / 2, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = (short)(after < 0 ? 0 : after % 2), NpgsqlDbType = NpgsqlDbType.Smallint });
        command.Parameters.Add(new() { Value = findings });
        command.Parameters.Add(new() { Value = tested });
        command.Parameters.Add(new() { Value = Rows });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        JobState? state = null;
        IReadOnlyList<FindingEvent>? found = null;
        var rows = new List<MetricEvent>();
        byte[]? test = null;
        while (await reader.ReadAsync(cancellation))
        {
            if (state is null)
                (state, found) = (StateOf(reader), reader.IsDBNull(16) ? null : FindingsOf(reader.GetFieldValue<string[]>(16)));
            if (reader.IsDBNull(17))
                continue;
            var (step, split) = (reader.GetInt64(17), (Split)reader.GetInt16(18));
            if (split is Split.Test)
                test = JsonOf(reader, step, split);
            else
                rows.Add(new(JobCursor.PlaceOf(step, split), JsonOf(reader, step, split)));
        }
        // What comes last is told when nothing comes before it any more.
        var isWhole = rows.Count < Rows;
        return new(state, rows, rows is [var first, ..] && !isWhole ? first.Place - 1 : -1, isWhole || sql == LastSql ? test : null, found);
    }

    private static JobState StateOf(NpgsqlDataReader reader) => new(reader.GetString(0), Visibilities[reader.GetString(1)],
        StatusOf(reader.GetString(2)),
        reader.GetInt32(3), new(reader.GetInt32(4), reader.GetInt32(5), reader.GetInt64(6), reader.GetInt64(7),
            reader.GetInt64(7) == 0 ? 0 : (double)reader.GetInt64(6) / reader.GetInt64(7), reader.IsDBNull(8) ? null : reader.GetDouble(8)),
        reader.GetFieldValue<DateTimeOffset>(9), Time(reader, 10), Time(reader, 11))
    {
        Result = Parse<TrainingResult>(reader, 12),
        Findings = Parse<FindingCounts>(reader, 13) ?? FindingCounts.None,
        Error = reader.IsDBNull(14) ? null : new(reader.GetString(14), reader.IsDBNull(15) ? "" : reader.GetString(15)),
    };

    private static JobStatus StatusOf(string name) =>
        JobStatusNames.Find(name) ?? throw new InvalidDataException($"'{name}' is no status.");

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

    private static T? Parse<T>(NpgsqlDataReader reader, int column) where T : class =>
        reader.IsDBNull(column) ? null : JsonSerializer.Deserialize<T>(reader.GetString(column), Json.Measured);

    /// <summary>Each a number, a space, and JSON, which is written as it is elsewhere.</summary>
    private static FindingEvent[] FindingsOf(string[] rows) => [.. rows.Select(row =>
    {
        var space = row.IndexOf(' ', StringComparison.Ordinal);
        var finding = JsonSerializer.Deserialize<Finding>(row.AsSpan(space + 1), Json.Measured);
        return new FindingEvent(int.Parse(row.AsSpan(0, space), CultureInfo.InvariantCulture),
            JsonSerializer.SerializeToUtf8Bytes(finding, Json.Options));
    })];

    /// <summary>As a line of NDJSON has it.</summary>
    private static byte[] JsonOf(NpgsqlDataReader reader, long step, Split split)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step);
            json.WriteNumber("epoch", reader.GetDouble(19));
            json.WriteString("split", Json.NameOf(split));
            foreach (var (i, measure) in Measures.OfMetrics.Index())
                if (reader.IsDBNull(20 + i))
                    continue;
                else if (reader.GetFloat(20 + i) is var value && float.IsFinite(value))
                    json.WriteNumber(measure.Name, value);
                else
                    json.WriteString(measure.Name, value.ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static string SqlOf(string which, string order)
    {
        var columns = string.Join(", ", Measures.OfMetrics.Select(measure => measure.Column));
        // What is large stands in the first row alone. Findings are told as a whole if one is new, and at the end, when some may have gone.
        return $"""
            WITH job AS MATERIALIZED (
                SELECT owner, visibility, status, attempt, epoch AS epochs_done, epochs, step AS steps_done, steps, eta_seconds, created_at,
                    started_at, finished_at, CASE WHEN finished_at IS NOT NULL THEN result::text END AS result, findings::text AS findings,
                    error_code, error_message,
                    CASE WHEN finished_at IS NOT NULL OR EXISTS (SELECT FROM job_findings WHERE job_id = $1 AND number > $4) THEN
                        ARRAY(SELECT number || ' ' || finding::text FROM job_findings WHERE job_id = $1
                            ORDER BY number, rule, layer) END AS found
                FROM jobs WHERE id = $1)
            SELECT owner, visibility, status, attempt, epochs_done, epochs, steps_done, steps, eta_seconds, created_at, started_at,
                finished_at, CASE WHEN number > 1 THEN NULL ELSE result END, findings, error_code, error_message,
                CASE WHEN number > 1 THEN NULL ELSE found END, m.step, m.split, m.epoch, {columns}
            FROM job LEFT JOIN LATERAL (
                SELECT row_number() OVER (ORDER BY split = 2, step, split) AS number, * FROM (
                    (SELECT step, split, epoch, {columns} FROM job_metrics WHERE job_id = $1 AND split < 2 AND {which}
                        ORDER BY step {order}, split {order} LIMIT $6)
                    UNION ALL
                    (SELECT step, split, epoch, {columns} FROM job_metrics
                        WHERE job_id = $1 AND split = 2 AND NOT $5 AND job.finished_at IS NOT NULL)) r) m ON true
            ORDER BY number
            """;
    }
}
