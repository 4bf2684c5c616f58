using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Reports;

/// <summary>What a job has measured, as charts.</summary>
public static class JobCharts
{
    /// <summary>Share of exact zeros above which they are the function's doing and not an underflow's.</summary>
    public const double SomeZeros = 1e-3;

    private const int MaxPoints = 500;

    private static readonly ChartAxis Epoch = new("epoch");

    public static Chart Loss(Job job, IReadOnlyList<MetricRow> rows)
    {
        var curves = Splits(rows, row => row.Loss);
        var values = curves.SelectMany(curve => curve.Points).Select(point => point.Y)
            .Where(y => double.IsFinite(y) && y > 0).DefaultIfEmpty(1).ToList();
        // Two decades on a linear axis would show one bend and a flat line.
        var log = values.Max() / values.Min() > 100;
        return new(Title("Loss", job), Epoch, new(LossLabel(job.Spec.Training?.Loss), log, log ? null : Math.Min(0, values.Min())), curves);
    }

    /// <summary>A regression has R² in its place.</summary>
    public static Chart Accuracy(Job job, IReadOnlyList<MetricRow> rows)
    {
        var regression = rows.Any(row => row.R2 is not null);
        return regression
            ? new(Title("R²", job), Epoch, new("share of the target's variance explained, R²", Max: 1), Splits(rows, row => row.R2))
            {
                Note = "A regression has no accuracy.",
            }
            : new(Title("Accuracy", job), Epoch, new("correctly classified (%)"), Splits(rows, row => 100 * row.Accuracy));
    }

    public static IReadOnlyList<Chart> Sparsity(Job job, IReadOnlyList<LayerRow> rows)
    {
        // Functions without an exactly flat side give no zeros; what can be told of them is how often they are on their negative side.
        var exact = rows.GroupBy(row => row.Layer)
            .ToDictionary(layer => layer.Key, layer => layer.Any(row => row.Sparsity > SomeZeros) || layer.All(row => row.OffRate == 0));
        var some = exact.Where(entry => entry.Key < LastHidden(job) + 1).Select(entry => entry.Value).ToList();
        return
        [
            Layers(job, rows, Title("Sparsity", job), new("share of activations (%)", Min: 0),
                row => 100 * (exact[row.Layer] ? row.Sparsity : row.OffRate),
                some.All(e => e) ? "Share of a layer's outputs that are exactly 0." : some.Any(e => e)
                    ? $"Share of outputs that are exactly 0; of {string.Join(", ", Names(job, exact))}, which have no exact zeros, "
                        + "the off rate: share of inputs z ≤ 0."
                    : "Off rate, the share of inputs z ≤ 0: this activation gives no exact zeros, so its sparsity is 0."),
            Layers(job, rows, "Dead units", new("share of the layer's units (%)", Min: 0), row => 100 * row.DeadFraction,
                "Units with z ≤ 0 on every evaluation row, of an activation that then passes no gradient; "
                + "units of others never count as dead."),
        ];
    }

    public static IReadOnlyList<Chart> GradientFlows(Job job, IReadOnlyList<LayerRow> rows)
    {
        var layers = job.Layers ?? [];
        var flow = new List<double[]>();
        foreach (var evaluation in rows.GroupBy(row => (row.Step, row.Epoch)))
            if (GradientFlow.Of([.. evaluation.OrderBy(row => row.Layer)], layers) is { } ratio)
                flow.Add([evaluation.Key.Step, evaluation.Key.Epoch, ratio]);
        return
        [
            new(Title("Gradient flow", job), Epoch, new("log10 of norm(∂C/∂z) in the first over the last hidden layer"),
                flow.Count == 0 ? [] : [Thin("flow", flow)])
            {
                Note = "0 is a gradient that keeps its size on its way back; −2 one that shrinks to a hundredth.",
            },
            Layers(job, rows, "Gradient of each layer", new("root mean square of ∂C/∂z", Log: true), row => row.GradientRms, null),
        ];
    }

    public static IReadOnlyList<Chart> Activations(Job job, IReadOnlyList<LayerRow> rows) =>
    [
        Histograms(Title("Activations before training", job), job.Layers ?? [], [.. rows.Where(row => row.Step == 0)]),
        Histograms("Activations at the end", job.Layers ?? [], [.. rows.Where(row => row.Step > 0)]),
        Layers(job, rows, "Activations: mean", new("mean output"), row => row.MeanActivation,
            "Over all units and evaluation rows of a layer."),
        Layers(job, rows, "Activations: size", new("root mean square of the outputs", Min: 0), row => row.RmsActivation, null),
        Layers(job, rows, "Saturated", new("share of activations (%)", Min: 0),
            row => 100 * row.Saturation, "Where the slope is below 5 % of the function's steepest."),
    ];

    /// <summary>How the outputs of each hidden layer are distributed, its exact zeros left out.</summary>
    public static Chart Histograms(string title, IReadOnlyList<LayerInfo> layers, IReadOnlyList<LayerRow> rows,
        int most = 8) => new(title,
        new("output"), new("share of the outputs that are not 0 (%)", Log: true),
        Some([.. rows.Where(row => row.Layer < layers.Count - 1)
            .Select(row => row.Histogram is { } histogram ? Polygon(layers[row.Layer].Name, histogram) : null).OfType<Curve>()],
            most))
        {
            Note = "Single outputs on all evaluation rows. Exact zeros are left out: the sparsity counts them. "
            + "The outer bins hold what lies beyond, too.",
        };

    private static Curve Polygon(string name, Histogram histogram)
    {
        var (low, width, all) = ((double)histogram.Low, ((double)histogram.High - histogram.Low) / histogram.Counts.Count,
            histogram.Counts.Sum(count => (double)count));
        return new(name,
            [.. histogram.Counts.Index().Select(bin => new CurvePoint(low + (bin.Index + 0.5) * width, 100 * bin.Item / all))]);
    }

    public static string LossLabel(string? loss) => loss switch
    {
        "cross_entropy" => "cross entropy (nats)",
        "binary_cross_entropy" => "binary cross entropy (nats)",
        "mse" => "mean squared error",
        "huber" => "Huber loss",
        _ => "loss",
    };

    /// <summary>Of a list that is too long for one picture, evenly spread ones with the first and the last.</summary>
    public static IReadOnlyList<T> Some<T>(IReadOnlyList<T> all, int most) =>
        all.Count <= most ? all : [.. Enumerable.Range(0, most).Select(i => all[(int)((long)i * (all.Count - 1) / (most - 1))])];

    private static Chart Layers(Job job, IReadOnlyList<LayerRow> rows,
        string title, ChartAxis y, Func<LayerRow, double> value, string? note)
    {
        var hidden = (job.Layers ?? []).Take(LastHidden(job) + 1).ToList();
        var shown = Some(hidden, ChartStyle.Count);
        var left = shown.Count < hidden.Count ? $"{shown.Count} of {hidden.Count} layers are shown." : null;
        var byLayer = rows.ToLookup(row => row.Layer);
        return new(title, Epoch, y, [.. shown.Where(layer => byLayer.Contains(layer.Index)).Select(layer =>
            Thin($"{layer.Name} ({layer.Activation})", [.. byLayer[layer.Index].Select(
                row => new double[] { row.Step, row.Epoch, float.IsFinite(row.RmsActivation) ? value(row) : double.NaN })]))])
        {
            Note = string.Join(' ', new[] { note, left }.OfType<string>()),
            Empty = job.Layers is not null && hidden.Count == 0 ? "This net has no hidden layer." : "Nothing has been measured yet.",
        };
    }

    /// <summary>Index of the last hidden layer; negative without any.</summary>
    private static int LastHidden(Job job) => GradientFlow.Last(job.Layers ?? []);

    private static IEnumerable<string> Names(Job job, Dictionary<int, bool> exact) =>
        (job.Layers ?? []).Take(LastHidden(job) + 1)
            .Where(layer => exact.TryGetValue(layer.Index, out var zeros) && !zeros).Select(layer => layer.Name);

    private static IReadOnlyList<Curve> Splits(IReadOnlyList<MetricRow> rows, Func<MetricRow, double?> value) =>
    [
        .. rows.GroupBy(row => row.Split).OrderBy(split => split.Key).Select(split => Thin(split.Key.ToString().ToLowerInvariant(),
            [.. split.Select(row => value(row) is { } y ? new double[] { row.Step, row.Epoch, y } : null).OfType<double[]>()],
            (int)split.Key)).Where(curve => curve.Points.Count > 0),
    ];

    private static Curve Thin(string name, IReadOnlyList<double[]> points, int? style = null) =>
        new(name, [.. Extremes.Keep(points, MaxPoints).Select(point => new CurvePoint(point[1], point[2]))], Style: style);

    private static string Title(string what, Job job) => string.IsNullOrWhiteSpace(job.Name) ? what : $"{what}: {job.Name}";
}
