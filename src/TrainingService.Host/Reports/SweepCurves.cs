using System.Collections.Concurrent;
using System.Data.Common;
using System.Runtime.CompilerServices;
using MathNet.Numerics.Statistics;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>A value over the seeds of an arm at one place of its training.</summary>
/// <param name="Epoch">The place.</param>
/// <param name="Runs">Seeds that got there.</param>
/// <param name="Finite">Of which have a finite value; mean and interval are over these.</param>
/// <param name="Mean">Null without one.</param>
/// <param name="Sd">Null below two.</param>
public readonly record struct CurveStat(double Epoch, int Runs, int Finite, double? Mean, double? Sd)
{
    /// <summary>Two seeds give an interval so wide that it hides all else.</summary>
    public const int LeastForBand = 3;

    private static readonly ConcurrentDictionary<int, double> Quantiles = new();

    /// <summary>The mean with its 95 % interval by Student's t.</summary>
    public CurvePoint Scaled(double scale)
    {
        if (Mean is not { } mean)
            return new(Epoch, double.NaN);
        var half = Finite >= LeastForBand && Sd is { } sd
            ? Quantiles.GetOrAdd(Finite - 1, degrees => Tails.Student(Tails.Alpha, degrees)) * sd / Math.Sqrt(Finite)
            : (double?)null;
        return new(Epoch, scale * mean, scale * (mean - half), scale * (mean + half));
    }
}

/// <summary>What an arm's runs measured on their way, over its seeds.</summary>
/// <param name="Metrics">By name (loss, accuracy, r2) and split.</param>
/// <param name="Layers">The dense layers; the output layer is last.</param>
/// <param name="LayerStats">By series, named as in <c>/jobs/{id}/layers</c>, and layer.</param>
/// <param name="Ends">One run's hidden layers as they were measured last, with their histograms.</param>
/// <param name="GradientFlow">log10 from the first to the last hidden layer, of the runs in which it is finite.</param>
public sealed record ArmCurves(IReadOnlyDictionary<(string Name, Split Split), IReadOnlyList<CurveStat>> Metrics,
    IReadOnlyList<LayerInfo> Layers, IReadOnlyDictionary<(string Name, int Layer), IReadOnlyList<CurveStat>> LayerStats,
    IReadOnlyList<CurveStat> GradientFlow, IReadOnlyList<LayerRow> Ends);

/// <summary>
/// The curves of a sweep's arms, in the order of the arms. Postgres takes the means, so a thousand runs come as a few thousand numbers.
/// </summary>
public static class SweepCurves
{
    private const int MaxPoints = 25;

    private static readonly Measure<MetricPoint>[] OfMetrics = [.. ((string[])["loss", "accuracy", "r2"]).Select(Measures.OfMetrics.Named)];
    private static readonly Measure<LayerPoint>[] OfLayers =
        [.. ((string[])["sparsity", "offRate", "deadFraction", "saturation", "meanActivation", "rmsActivation"]).Select(
            Measures.OfLayers.Named)];

    /// <summary>The curves of the arms that are shown; of the others there are none.</summary>
    public static async Task<IReadOnlyList<ArmCurves>> ReadAsync(TrainingDbContext db,
        Sweep sweep, IReadOnlyCollection<int> shown, CancellationToken cancellation)
    {
        var arms = sweep.Spec.Arms.Count;
        var longest = (await (from cell in db.SweepCells
                              join job in db.Jobs on cell.JobId equals job.Id
                              where cell.SweepId == sweep.Id && cell.Candidate < 0 && job.Layers != null
                              select new { cell.Arm, cell.JobId, job.Step }).AsNoTracking().ToListAsync(cancellation))
            .Where(cell => shown.Contains(cell.Arm)).GroupBy(cell => cell.Arm)
            .Select(arm => arm.OrderByDescending(cell => cell.Step).First()).ToList();
        var jobs = longest.Select(cell => cell.JobId).Distinct().ToArray();
        var nets = await db.Jobs.AsNoTracking().Where(job => jobs.Contains(job.Id)).Select(job => new { job.Id, job.Layers })
            .ToDictionaryAsync(job => job.Id, job => job.Layers ?? [], cancellation);

        var metricRows = await StatsAsync(db, sweep.Id, "job_metrics", "split",
            [.. OfMetrics.Select(measure => (measure.Name, $"m.{measure.Column}"))],
            await PlacesAsync(db.Metrics.Where(row => jobs.Contains(row.JobId)).Select(row => new Place(row.JobId, row.Step)),
                longest.Select(cell => (cell.Arm, cell.JobId)), cancellation), cancellation);
        var layerPlaces = await PlacesAsync(db.Layers.Where(row => jobs.Contains(row.JobId)).Select(row => new Place(row.JobId, row.Step)),
            longest.Select(cell => (cell.Arm, cell.JobId)), cancellation);
        // Of activations that aren't finite, the counts (no zeros, nothing off) say nothing.
        var layerRows = await StatsAsync(db, sweep.Id, "job_layers", "layer", [.. OfLayers.Select(
            measure => (measure.Name, $"CASE WHEN {Finite("m.rms_activation")} THEN m.{measure.Column} ELSE 'NaN' END"))],
            layerPlaces, cancellation);
        var flows = await FlowsAsync(db, sweep.Id,
            longest.ToDictionary(cell => cell.Arm, cell => nets[cell.JobId]), layerPlaces, cancellation);

        var ends = (await db.Layers.AsNoTracking().Where(row => jobs.Contains(row.JobId) && row.Step > 0 && row.Histogram != null)
            .ToListAsync(cancellation)).ToLookup(row => row.JobId);

        return [.. Enumerable.Range(0, arms).Select(arm => new ArmCurves(
            Curves(metricRows, arm, key => (Split)key),
            longest.FirstOrDefault(cell => cell.Arm == arm) is { } cell ? nets[cell.JobId] : [],
            Curves(layerRows, arm, key => key),
            [.. flows.Where(row => row.Arm == arm).Select(row => row.Stat)],
            longest.FirstOrDefault(cell => cell.Arm == arm) is { } typical ? [.. ends[typical.JobId].OrderBy(row => row.Layer)] : []))];
    }

    private static Dictionary<(string, TKey), IReadOnlyList<CurveStat>> Curves<TKey>(ILookup<int, StatRow> rows,
        int arm, Func<int, TKey> key) =>
        rows[arm].GroupBy(row => (row.Name, Key: key(row.Key))).ToDictionary(curve => (curve.Key.Name, curve.Key.Key),
            IReadOnlyList<CurveStat> (curve) => [.. curve.Select(row => row.Stat)]);

    /// <summary>
    /// At most <see cref="MaxPoints"/> of the steps at which the longest run of each arm was measured; all runs of an
    /// arm are measured at the same ones.
    /// </summary>
    private static async Task<(short[] Arms, long[] Steps)> PlacesAsync(IQueryable<Place> rows,
        IEnumerable<(short Arm, Guid JobId)> longest, CancellationToken cancellation)
    {
        var steps = (await rows.Distinct().ToListAsync(cancellation)).ToLookup(place => place.JobId, place => place.Step);
        var places = longest.SelectMany(
            cell => JobCharts.Some([.. steps[cell.JobId].Order()], MaxPoints).Select(step => (cell.Arm, Step: step))).ToList();
        return ([.. places.Select(place => place.Arm)], [.. places.Select(place => place.Step)]);
    }

    private static async Task<ILookup<int, StatRow>> StatsAsync(TrainingDbContext db, Guid sweep, string table, string key,
        (string Name, string Sql)[] values, (short[] Arms, long[] Steps) places, CancellationToken cancellation)
    {
        // The names are constants of this file.
        var sql = $"""
            SELECT c.arm, m.{key}, min(m.epoch), count(*)::int{string.Concat(values.Select(value => Stats(value.Sql)))}
            FROM unnest(@arms, @steps) AS p(arm, step)
            JOIN sweep_cells c ON c.sweep_id = @sweep AND c.candidate = -1 AND c.arm = p.arm
            JOIN {table} m ON m.job_id = c.job_id AND m.step = p.step
            GROUP BY c.arm, m.step, m.{key}
            ORDER BY c.arm, m.step, m.{key}
            """;
        var stats = new List<(int Arm, StatRow Row)>();
        await foreach (var row in RowsAsync(db, sql, sweep, places, cancellation))
            for (var i = 0; i < values.Length; i++)
                if (row.GetInt32(4 + 4 * i) > 0)
                    stats.Add((row.GetInt16(0), new(values[i].Name, row.GetInt16(1), Stat(row, 4 + 4 * i))));
        return stats.ToLookup(entry => entry.Arm, entry => entry.Row);
    }

    private static async Task<List<(int Arm, CurveStat Stat)>> FlowsAsync(TrainingDbContext db, Guid sweep,
        Dictionary<short, IReadOnlyList<LayerInfo>> nets, (short[] Arms, long[] Steps) places, CancellationToken cancellation)
    {
        var deep = nets.Where(net => GradientFlow.Last(net.Value) > 0).ToList();
        const string Sql = """
            SELECT c.arm, min(f.epoch), array_agg(f.gradient_rms), array_agg(l.gradient_rms)
            FROM unnest(@arms, @steps) AS p(arm, step)
            JOIN unnest(@netArms, @last) AS n(arm, last) ON n.arm = p.arm
            JOIN sweep_cells c ON c.sweep_id = @sweep AND c.candidate = -1 AND c.arm = p.arm
            JOIN job_layers f ON f.job_id = c.job_id AND f.step = p.step AND f.layer = 0
            JOIN job_layers l ON l.job_id = c.job_id AND l.step = p.step AND l.layer = n.last
            GROUP BY c.arm, f.step
            ORDER BY c.arm, f.step
            """;
        var stats = new List<(int, CurveStat)>();
        await foreach (var row in RowsAsync(db, Sql, sweep, places, cancellation,
            ("netArms", deep.Select(net => net.Key).ToArray()),
            ("last", deep.Select(net => (short)GradientFlow.Last(net.Value)).ToArray())))
        {
            var (arm, first, last) = (row.GetInt16(0), row.GetFieldValue<float[]>(2), row.GetFieldValue<float[]>(3));
            double[] finite = [.. first.Zip(last, (f, l) => GradientFlow.Of(f, l, nets[arm])).OfType<double>().Where(double.IsFinite)];
            stats.Add((arm, new(row.GetDouble(1), first.Length, finite.Length,
                finite.Length == 0 ? null : finite.Mean(), finite.Length < 2 ? null : finite.StandardDeviation())));
        }
        return stats;
    }

    /// <summary>For Postgres, NaN is above infinity.</summary>
    private static string Finite(string value) => $"({value} > '-Infinity' AND {value} < 'Infinity')";

    /// <summary>How many rows have the value, how many of these are finite, and the mean and deviation over the finite ones.</summary>
    private static string Stats(string value)
    {
        var finite = $"FILTER (WHERE {Finite(value)})";
        return $", count({value})::int, count(*) {finite}::int, avg({value}) {finite}::float8, stddev_samp({value}::float8) {finite}";
    }

    private static CurveStat Stat(DbDataReader row, int at) => new(row.GetDouble(2), row.GetInt32(3), row.GetInt32(at + 1),
        row.IsDBNull(at + 2) ? null : row.GetDouble(at + 2), row.IsDBNull(at + 3) ? null : row.GetDouble(at + 3));

    private static async IAsyncEnumerable<DbDataReader> RowsAsync(TrainingDbContext db,
        string sql, Guid sweep, (short[] Arms, long[] Steps) places,
        [EnumeratorCancellation] CancellationToken cancellation, params (string Name, object Value)[] more)
    {
        await db.Database.OpenConnectionAsync(cancellation);
        try
        {
            await using var command = new NpgsqlCommand(sql, (NpgsqlConnection)db.Database.GetDbConnection());
            foreach (var (name, value) in (ReadOnlySpan<(string, object)>)[("sweep", sweep),
                ("arms", places.Arms), ("steps", places.Steps), .. more])
                command.Parameters.AddWithValue(name, value);
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            while (await rows.ReadAsync(cancellation))
                yield return rows;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private sealed record Place(Guid JobId, long Step);

    private readonly record struct StatRow(string Name, int Key, CurveStat Stat);
}
