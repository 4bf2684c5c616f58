using System.Diagnostics;
using System.Diagnostics.Metrics;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Jobs;

/// <summary>
/// What all processes share, as metrics: what waits, and what runs. The database is asked when somebody scrapes, at most every few seconds;
/// while it is away there are no values but the one that says so.
/// </summary>
public sealed class QueueGauges(NpgsqlDataSource source, DatabasePulse pulse)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>Seconds that an answer may take, whoever scrapes having little patience.</summary>
    private const int Patience = 3;

    // Counted by ix_jobs_waiting, which holds those that wait and nothing else.
    private const string Question = $"""
        SELECT priority, coalesce(waiting.jobs, 0),
            coalesce(extract(epoch FROM now() - (SELECT created_at FROM jobs
                WHERE status = 'queued' AND jobs.priority = class.priority ORDER BY id LIMIT 1)), 0)::float8,
            (SELECT count(*) FROM jobs WHERE status IN {JobStatusNames.HeldSql} AND jobs.priority = class.priority)
        FROM (VALUES (0::smallint), (1::smallint), (2::smallint)) class (priority)
        LEFT JOIN (SELECT priority, count(*) AS jobs FROM jobs WHERE status = 'queued' GROUP BY priority) waiting USING (priority)
        """;

    private static readonly string[] Priorities = ["high", "normal", "low"];

    private readonly Lock _lock = new();
    private (long At, IReadOnlyList<Row> Rows)? _known;

    private sealed record Row(string Priority, long Waiting, double OldestSeconds, long Running);

    public void Observe()
    {
        Meters.Observe("training.jobs.queued", null, "Jobs that wait for a worker.", () => Values(row => row.Waiting));
        Meters.Observe("training.jobs.running", null, "Jobs that workers hold.", () => Values(row => row.Running));
        Meters.Observe("training.queue.oldest", "s", "Age of the oldest job that waits.", () => Values(row => row.OldestSeconds));
        Meters.Observe<int>("training.database.up", null, "1 while Postgres answers and can be written to, else 0.",
            () => [new(pulse.Problem is null ? 1 : 0)]);
    }

    private IEnumerable<Measurement<T>> Values<T>(Func<Row, T> value) where T : struct =>
        Read().Select(row => new Measurement<T>(value(row), new KeyValuePair<string, object?>("priority", row.Priority)));

    private IReadOnlyList<Row> Read()
    {
        lock (_lock)
        {
            if (_known is { } known && Stopwatch.GetElapsedTime(known.At) < Fresh)
                return known.Rows;
            var rows = Ask();
            _known = (Stopwatch.GetTimestamp(), rows);
            return rows;
        }
    }

    private List<Row> Ask()
    {
        if (pulse.IsLost)
            return [];
        try
        {
            using var connection = source.CreateConnection();
            pulse.Watch(connection);
            connection.Open();
            using var ask = new NpgsqlCommand(Question, connection) { CommandTimeout = Patience };
            using var answer = ask.ExecuteReader();
            var rows = new List<Row>();
            while (answer.Read())
                rows.Add(new(Priorities[answer.GetInt16(0)], answer.GetInt64(1), answer.GetDouble(2), answer.GetInt64(3)));
            return rows;
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            return [];
        }
    }
}
