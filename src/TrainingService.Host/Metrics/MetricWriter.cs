using System.Diagnostics;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;

namespace TrainingService.Host.Metrics;

/// <summary>
/// What a run has measured, on its way from the training thread into the tables. Where too much waits, the training waits, too.
/// </summary>
public sealed class MetricWriter(CancellationToken stop)
{
    private const int Capacity = 10_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    // most runs measure a few dozen rows
    private readonly Lock _lock = new();
    private readonly Queue<object> _waiting = new(64);
    private readonly List<object> _batch = [];
    private readonly List<long> _layerSteps = [];
    private bool _mayBeStored, _isWhole;

    /// <summary>On its way between points: layers' rows from this step on are taken back.</summary>
    private sealed record Returned(long Step);

    /// <summary>Rows that wait to be written.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Whether at least so many wait that can be written before the end.</summary>
    public bool IsFull(int rows)
    {
        if (Waiting < rows)
            return false;
        lock (_lock)
            return _waiting.TryPeek(out var next) && next is not Returned;
    }

    public void Add(MetricPoint point) => Enqueue(point);

    public void Add(IReadOnlyList<LayerPoint> points)
    {
        foreach (var point in points)
        {
            Enqueue(point);
            _layerSteps.Add(point.Step);
        }
    }

    /// <summary>
    /// Takes back what was measured of layers at this step and later, since the run returned to the weights of that step; what was
    /// measured of those follows.
    /// </summary>
    public void Return(long step)
    {
        Enqueue(new Returned(step));
        // that is no row, and those are none any more
        Measured -= 1 + _layerSteps.RemoveAll(taken => taken >= step);
    }

    /// <summary>Of a run that goes on: so many rows are stored already, and those of layers at these steps.</summary>
    public void Resume(int metrics, IReadOnlyCollection<long> layerSteps)
    {
        Measured += metrics + layerSteps.Count;
        _layerSteps.AddRange(layerSteps);
        _mayBeStored = true;
    }

    /// <summary>
    /// Rows that were measured since the run began, in whichever attempt; to be read on the training thread, or once it has ended.
    /// </summary>
    public long Measured { get; private set; }

    /// <summary>How many went in here so far; to be read on the training thread.</summary>
    public long Entered { get; private set; }

    /// <summary>How many of those are stored, or are by the <see cref="CopyAsync"/> that was called last.</summary>
    public long Copied { get; private set; }

    /// <summary>
    /// Rows that are stored, if all there ever were have just been copied at once, of which Postgres takes all or none; else null:
    /// Postgres knows.
    /// </summary>
    public long? Stored { get; private set; }

    /// <summary>
    /// Copies what waits, of all these jobs at once; what is not followed by <see cref="Forget"/> is copied again at the next call.
    /// </summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="writers">Of which jobs. Of one that has ended nothing is left; else, while Postgres refuses, no more may gather here
    /// than may wait, which then does. Nothing is taken back before the end: a run that goes on from a checkpoint finds all up to there.
    /// </param>
    public static async Task CopyAsync(NpgsqlConnection connection, IReadOnlyList<(Guid JobId, MetricWriter Writer, bool Ended)> writers)
    {
        foreach (var (jobId, writer, ended) in writers)
            await writer.GatherAsync(connection, jobId, ended);
        await CopyAsync<MetricPoint>(connection, writers, "job_metrics", ["job_id", "step", "split", "epoch"], Measures.OfMetrics,
            (rows, point) => WritePlace(rows, point.Step, (short)point.Split, point.Epoch));
        await CopyAsync<LayerPoint>(connection, writers, "job_layers", ["job_id", "step", "layer", "epoch", "histogram"],
            Measures.OfLayers, (rows, point) =>
            {
                WritePlace(rows, point.Step, (short)point.Layer, point.Epoch);
                rows.Write(MetricTables.ToArray(point.Histogram));
            });
        foreach (var (_, writer, _) in writers)
            writer.Stored = writer._isWhole ? writer._batch.Count(point => point is not Returned) : null;
    }

    private async Task GatherAsync(NpgsqlConnection connection, Guid jobId, bool all)
    {
        // The last try may have been committed without our hearing of it. Rows of metrics are never taken back; layers' rows are,
        // and can be copied again then.
        var known = _batch.Find(point => point is MetricPoint)
            ?? (_batch.Exists(point => point is Returned) ? null : _batch.FirstOrDefault());
        if (known is not null && await ExistsAsync(connection, jobId, known))
            _batch.Clear();
        _isWhole = all && !_mayBeStored;
        lock (_lock)
            while ((all || (_batch.Count < Capacity && _waiting.TryPeek(out var next) && next is not Returned))
                && _waiting.TryDequeue(out var point))
            {
                _batch.Add(point);
                Copied++;
            }
        if (_batch.FindIndex(point => point is Returned) is >= 0 and var place && _batch[place] is Returned { Step: var step })
        {
            object[] stay = [.. _batch.Where((point, i) => i > place || point is not LayerPoint layer || layer.Step < step)];
            _batch.Clear();
            _batch.AddRange(stay);
            if (_mayBeStored)
                await TakeBackAsync(connection, jobId,
                    Math.Min(step, _batch.OfType<LayerPoint>().Select(point => point.Step).DefaultIfEmpty(step).Min()));
        }
        _mayBeStored |= _batch.Count > 0;
    }

    /// <summary>What was copied is safe.</summary>
    public void Forget() => _batch.Clear();

    /// <summary>Rows that are stored of these jobs.</summary>
    public static async Task<IReadOnlyDictionary<Guid, long>> CountAsync(NpgsqlConnection connection, Guid[] jobIds)
    {
        var counts = new Dictionary<Guid, long>();
        if (jobIds.Length == 0)
            return counts;
        await using var query = new NpgsqlCommand("""
            SELECT id, (SELECT count(*) FROM job_metrics WHERE job_id = id) + (SELECT count(*) FROM job_layers WHERE job_id = id)
            FROM unnest($1) AS job (id)
            """, connection);
        query.Parameters.Add(new() { Value = jobIds });
        await using var rows = await query.ExecuteReaderAsync();
        while (await rows.ReadAsync())
            counts.Add(rows.GetGuid(0), rows.GetInt64(1));
        return counts;
    }

    private void Enqueue(object point)
    {
        while (Waiting >= Capacity)
        {
            stop.WaitHandle.WaitOne(Pause);
            stop.ThrowIfCancellationRequested();
        }
        lock (_lock)
            _waiting.Enqueue(point);
        Measured++;
        Entered++;
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, Guid jobId, object point)
    {
        var (table, key, step, place) = point is MetricPoint metric ? ("job_metrics", "split", metric.Step, (short)metric.Split)
            : point is LayerPoint layer ? ("job_layers", "layer", layer.Step, (short)layer.Layer) : throw new UnreachableException();
        await using var query =
            new NpgsqlCommand($"SELECT EXISTS (SELECT FROM {table} WHERE job_id = $1 AND step = $2 AND {key} = $3)", connection);
        query.Parameters.Add(new() { Value = jobId });
        query.Parameters.Add(new() { Value = step });
        query.Parameters.Add(new() { Value = place });
        return await query.ExecuteScalarAsync() is true;
    }

    private static async Task TakeBackAsync(NpgsqlConnection connection, Guid jobId, long step)
    {
        await using var command = new NpgsqlCommand("DELETE FROM job_layers WHERE job_id = $1 AND step >= $2", connection);
        command.Parameters.Add(new() { Value = jobId });
        command.Parameters.Add(new() { Value = step });
        await command.ExecuteNonQueryAsync();
    }

    private static async Task CopyAsync<TPoint>(NpgsqlConnection connection,
        IReadOnlyList<(Guid JobId, MetricWriter Writer, bool Ended)> writers, string table, string[] first, Measure<TPoint>[] measures,
        Action<CopyRows, TPoint> writeFirst)
        where TPoint : class
    {
        if (!writers.Any(writer => writer.Writer._batch.Exists(point => point is TPoint)))
            return;
        Measure<TPoint>[] stored = [.. measures.Where(measure => measure.IsStored)];
        string[] columns = [.. first, .. stored.Select(measure => measure.Column)];
        await using var rows = await CopyRows.BeginAsync(connection, $"{table} ({string.Join(", ", columns)})");
        foreach (var (jobId, writer, _) in writers)
            foreach (var point in writer._batch.OfType<TPoint>())
            {
                await rows.StartRowAsync((short)columns.Length);
                rows.Write(jobId);
                writeFirst(rows, point);
                foreach (var measure in stored)
                    rows.Write(measure.Value(point));
            }
        await rows.CompleteAsync();
    }

    private static void WritePlace(CopyRows rows, long step, short key, double epoch)
    {
        rows.Write(step);
        rows.Write(key);
        rows.Write(epoch);
    }
}
