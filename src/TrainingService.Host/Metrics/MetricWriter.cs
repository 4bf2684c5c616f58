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

    private static readonly (string Name, Func<LayerPoint, float?> Value)[] LayerColumns =
    [
        ("sparsity", p => p.Sparsity), ("off_rate", p => p.OffRate), ("dead_fraction", p => p.DeadFraction), ("born_dead_fraction", p => p.BornDeadFraction),
        ("died_fraction", p => p.DiedFraction), ("revived_fraction", p => p.RevivedFraction), ("near_dead_fraction", p => p.NearDeadFraction),
        ("negative_locked_fraction", p => p.NegativeLockedFraction), ("dormant_fraction", p => p.DormantFraction),
        ("dormant_fraction_at0", p => p.DormantFractionAt0), ("dormant_fraction_at10", p => p.DormantFractionAt10), ("saturation", p => p.Saturation),
        ("saturation_above95", p => p.SaturationAbove95), ("saturation_above99", p => p.SaturationAbove99),
        ("saturated_unit_fraction", p => p.SaturatedUnitFraction), ("mean_activation", p => p.MeanActivation), ("rms_activation", p => p.RmsActivation),
        ("mean_abs_activation", p => p.MeanAbsActivation), ("effective_rank", p => p.EffectiveRank), ("gradient_rms", p => p.GradientRms),
        ("weight_rms", p => p.WeightRms), ("update_ratio", p => p.UpdateRatio), ("slope", p => p.Slope), ("slope_min", p => p.SlopeMin),
        ("slope_max", p => p.SlopeMax),
    ];

    private readonly Channel<Entry> _channel = Channel.CreateBounded<Entry>(new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private readonly List<Entry> _batch = [];

    /// <summary>Rows that wait to be written.</summary>
    public int Waiting => _channel.Reader.Count;

    public void Add(MetricPoint point) => Add(new Entry(point, null));

    public void Add(IReadOnlyList<LayerPoint> points)
    {
        foreach (var point in points)
            Add(new Entry(null, point));
    }

    /// <summary>Rows that were measured since the run began. Exact once it has ended.</summary>
    public long Measured { get; private set; }

    /// <summary>Copies what waits; what is not followed by <see cref="Forget"/> is copied again at the next call.</summary>
    /// <param name="all">Once the run has ended: leaves nothing. Else, while Postgres refuses, no more may gather here than the channel holds, which then fills.</param>
    public async Task CopyAsync(NpgsqlConnection connection, Guid jobId, bool all = false)
    {
        // The last try may have been committed without our hearing of it.
        if (_batch.Count > 0 && await ExistsAsync(connection, jobId, _batch[0]))
            _batch.Clear();
        while ((all || _batch.Count < Capacity) && _channel.Reader.TryRead(out var entry))
            _batch.Add(entry);
        if (_batch.Exists(e => e.Metric is not null))
            await CopyMetricsAsync(connection, jobId);
        if (_batch.Exists(e => e.Layer is not null))
            await CopyLayersAsync(connection, jobId);
    }

    /// <summary>What was copied is safe.</summary>
    public void Forget() => _batch.Clear();

    /// <summary>Rows that are stored of a job.</summary>
    public static async Task<long> CountAsync(NpgsqlConnection connection, Guid jobId)
    {
        await using var query = new NpgsqlCommand(
            "SELECT (SELECT count(*) FROM job_metrics WHERE job_id = $1) + (SELECT count(*) FROM job_layers WHERE job_id = $1)", connection);
        query.Parameters.Add(new() { Value = jobId });
        return (long)(await query.ExecuteScalarAsync() ?? 0L);
    }

    private void Add(Entry entry)
    {
        if (!_channel.Writer.TryWrite(entry))
            _channel.Writer.WriteAsync(entry, stop).AsTask().GetAwaiter().GetResult();
        Measured++;
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, Guid jobId, Entry entry)
    {
        await using var query = new NpgsqlCommand(entry.Metric is null
            ? "SELECT EXISTS (SELECT FROM job_layers WHERE job_id = $1 AND step = $2 AND layer = $3)"
            : "SELECT EXISTS (SELECT FROM job_metrics WHERE job_id = $1 AND step = $2 AND split = $3)", connection);
        query.Parameters.Add(new() { Value = jobId });
        query.Parameters.Add(new() { Value = entry.Metric?.Step ?? entry.Layer!.Step });
        query.Parameters.Add(new() { Value = entry.Metric is { } metric ? (short)metric.Split : (short)entry.Layer!.Layer });
        return await query.ExecuteScalarAsync() is true;
    }

    private async Task CopyMetricsAsync(NpgsqlConnection connection, Guid jobId)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "COPY job_metrics (job_id, step, split, epoch, loss, accuracy, rmse, r2, learning_rate, gradient_norm) FROM STDIN (FORMAT BINARY)");
        foreach (var entry in _batch)
        {
            if (entry.Metric is not { } point)
                continue;
            await copy.StartRowAsync();
            await copy.WriteAsync(jobId, NpgsqlDbType.Uuid);
            await copy.WriteAsync(point.Step, NpgsqlDbType.Bigint);
            await copy.WriteAsync((short)point.Split, NpgsqlDbType.Smallint);
            await copy.WriteAsync(point.Epoch, NpgsqlDbType.Double);
            foreach (var value in (float?[])[point.Loss, point.Accuracy, point.Rmse, point.R2, point.LearningRate, point.GradientNorm])
                await WriteAsync(copy, value);
        }
        await copy.CompleteAsync();
    }

    private async Task CopyLayersAsync(NpgsqlConnection connection, Guid jobId)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            $"COPY job_layers (job_id, step, layer, epoch, {string.Join(", ", LayerColumns.Select(c => c.Name))}, histogram) FROM STDIN (FORMAT BINARY)");
        foreach (var entry in _batch)
        {
            if (entry.Layer is not { } point)
                continue;
            await copy.StartRowAsync();
            await copy.WriteAsync(jobId, NpgsqlDbType.Uuid);
            await copy.WriteAsync(point.Step, NpgsqlDbType.Bigint);
            await copy.WriteAsync((short)point.Layer, NpgsqlDbType.Smallint);
            await copy.WriteAsync(point.Epoch, NpgsqlDbType.Double);
            foreach (var column in LayerColumns)
                await WriteAsync(copy, column.Value(point));
            if (point.Histogram is { } histogram)
                await copy.WriteAsync((float[])[histogram.Low, histogram.High, .. histogram.Counts.Select(count => (float)count)], NpgsqlDbType.Array | NpgsqlDbType.Real);
            else
                await copy.WriteNullAsync();
        }
        await copy.CompleteAsync();
    }

    private static Task WriteAsync(NpgsqlBinaryImporter copy, float? value) =>
        value is { } number ? copy.WriteAsync(number, NpgsqlDbType.Real) : copy.WriteNullAsync();

    private readonly record struct Entry(MetricPoint? Metric, LayerPoint? Layer);
}
