using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using NpgsqlTypes;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Metrics;

/// <summary>What a run has measured, on its way from the training thread into the tables. A full channel makes the training wait.</summary>
public sealed class MetricWriter(CancellationToken stop)
{
    private const int Capacity = 10_000;

    private readonly Channel<object> _channel =
        Channel.CreateBounded<object>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private readonly List<object> _batch = [];
    private readonly List<long> _layerSteps = [];

    /// <summary>On its way between points: layers' rows from this step on are taken back.</summary>
    private sealed record Returned(long Step);

    /// <summary>Rows that wait to be written.</summary>
    public int Waiting => _channel.Reader.Count;

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

    /// <summary>Rows that were measured since the run began. Exact once it has ended.</summary>
    public long Measured { get; private set; }

    /// <summary>Copies what waits; what is not followed by <see cref="Forget"/> is copied again at the next call.</summary>
    /// <param name="all">Once the run has ended: leaves nothing. Else, while Postgres refuses, no more may gather here than the
    /// channel holds, which then fills.</param>
    public async Task CopyAsync(NpgsqlConnection connection, Guid jobId, bool all = false)
    {
        // The last try may have been committed without our hearing of it. Rows of metrics are never taken back; layers' rows are,
        // and can be copied again then.
        var known = _batch.Find(point => point is MetricPoint)
            ?? (_batch.Exists(point => point is Returned) ? null : _batch.FirstOrDefault());
        if (known is not null && await ExistsAsync(connection, jobId, known))
            _batch.Clear();
        while ((all || _batch.Count < Capacity) && _channel.Reader.TryRead(out var point))
            _batch.Add(point);
        if (_batch.FindIndex(point => point is Returned) is >= 0 and var place && _batch[place] is Returned { Step: var step })
        {
            object[] stay = [.. _batch.Where((point, i) => i > place || point is not LayerPoint layer || layer.Step < step)];
            _batch.Clear();
            _batch.AddRange(stay);
            await TakeBackAsync(connection, jobId,
                Math.Min(step, _batch.OfType<LayerPoint>().Select(point => point.Step).DefaultIfEmpty(step).Min()));
        }
        if (_batch.Exists(point => point is MetricPoint))
            await CopyMetricsAsync(connection, jobId);
        if (_batch.Exists(point => point is LayerPoint))
            await CopyLayersAsync(connection, jobId);
    }

    /// <summary>What was copied is safe.</summary>
    public void Forget() => _batch.Clear();

    /// <summary>Rows that are stored of a job.</summary>
    public static async Task<long> CountAsync(NpgsqlConnection connection, Guid jobId)
    {
        await using var query = new NpgsqlCommand(
            "SELECT (SELECT count(*) FROM job_metrics WHERE job_id = $1) + (SELECT count(*) FROM job_layers WHERE job_id = $1)",
            connection);
        query.Parameters.Add(new() { Value = jobId });
        return (long)(await query.ExecuteScalarAsync() ?? 0L);
    }

    private void Enqueue(object point)
    {
        if (!_channel.Writer.TryWrite(point))
            _channel.Writer.WriteAsync(point, stop).AsTask().GetAwaiter().GetResult();
        Measured++;
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

    private async Task CopyMetricsAsync(NpgsqlConnection connection, Guid jobId)
    {
        await using var copy = await BeginAsync(connection, "job_metrics (job_id, step, split, epoch", Measures.OfMetrics);
        foreach (var point in _batch.OfType<MetricPoint>())
        {
            await StartRowAsync(copy, jobId, point.Step, (short)point.Split, point.Epoch);
            await WriteAsync(copy, Measures.OfMetrics, point);
        }
        await copy.CompleteAsync();
    }

    private async Task CopyLayersAsync(NpgsqlConnection connection, Guid jobId)
    {
        await using var copy = await BeginAsync(connection, "job_layers (job_id, step, layer, epoch, histogram", Measures.OfLayers);
        foreach (var point in _batch.OfType<LayerPoint>())
        {
            await StartRowAsync(copy, jobId, point.Step, (short)point.Layer, point.Epoch);
            if (MetricTables.ToArray(point.Histogram) is { } histogram)
                await copy.WriteAsync(histogram, NpgsqlDbType.Array | NpgsqlDbType.Real);
            else
                await copy.WriteNullAsync();
            await WriteAsync(copy, Measures.OfLayers, point);
        }
        await copy.CompleteAsync();
    }

    private static Task<NpgsqlBinaryImporter> BeginAsync<TPoint>(NpgsqlConnection connection, string into, Measure<TPoint>[] measures) =>
        connection.BeginBinaryImportAsync(
            $"COPY {into}, {string.Join(", ", measures.Where(measure => measure.IsStored).Select(measure => measure.Column))}) "
            + "FROM STDIN (FORMAT BINARY)");

    private static async Task StartRowAsync(NpgsqlBinaryImporter copy, Guid jobId, long step, short key, double epoch)
    {
        await copy.StartRowAsync();
        await copy.WriteAsync(jobId, NpgsqlDbType.Uuid);
        await copy.WriteAsync(step, NpgsqlDbType.Bigint);
        await copy.WriteAsync(key, NpgsqlDbType.Smallint);
        await copy.WriteAsync(epoch, NpgsqlDbType.Double);
    }

    private static async Task WriteAsync<TPoint>(NpgsqlBinaryImporter copy, Measure<TPoint>[] measures, TPoint point)
    {
        foreach (var measure in measures)
            if (!measure.IsStored)
                continue;
            else if (measure.Value(point) is { } value)
                await copy.WriteAsync(value, NpgsqlDbType.Real);
            else
                await copy.WriteNullAsync();
    }
}
