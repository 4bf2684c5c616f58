using TrainingService.Engine.Training;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>
/// A sweep's figures, each chart as wide as a phone. An arm has the same color, dash and marker in all of them; where there are too many
/// arms each figure chooses by what it shows, and never one of two that are compared without the other.
/// </summary>
public sealed class SweepCharts
{
    public const int Width = 356, Height = 264;

    private const int SmallCharts = 6, LongCharts = 4, MostLayers = 4, LayerPoints = 12;

    private static readonly ChartAxis Epoch = new("epoch");

    private readonly SweepReport _report;
    private readonly IReadOnlyList<ArmCurves> _curves;
    private readonly List<int> _byResult, _byFlow;
    private readonly Dictionary<int, int> _styles = [];

    public SweepCharts(SweepReport report, IReadOnlyList<ArmCurves> curves)
    {
        (_report, _curves) = (report, curves);
        (_byResult, _byFlow) = (Chosen(report, ChartStyle.Count, Result), Chosen(report, ChartStyle.Count, Flow));
        foreach (var arm in _byResult.Union(_byFlow))
        {
            var beside = new[] { _byResult, _byFlow }.Where(chart => chart.Contains(arm)).SelectMany(chart => chart)
                .Where(_styles.ContainsKey).Select(other => _styles[other]).ToHashSet();
            _styles[arm] = Enumerable.Range(0, ChartStyle.Count).Where(style => !beside.Contains(style))
                .DefaultIfEmpty(arm % ChartStyle.Count).First();
        }
    }

    private Outcome Outcome => SweepMetrics.Named(_report.Metric).Outcome;

    /// <summary>The arms that any figure shows, by index.</summary>
    public static List<int> Shown(SweepReport report) =>
        [.. Chosen(report, ChartStyle.Count, Result).Union(Chosen(report, ChartStyle.Count, Flow))
            .Union(Chosen(report, LongCharts, arm => Hidden(arm, "rmsActivation"))).Union(OfLayers.SelectMany(name => Chosen(report,
                SmallCharts, arm => Hidden(arm, name)))).Order()];

    private static string[] OfLayers => ["sparsity", "deadFraction", "meanActivation", "rmsActivation", "saturation"];

    /// <summary>Accuracy (R² for numbers) and loss over the epochs, and what the result costs.</summary>
    public Figure? Learning()
    {
        var accuracy = OnSplits("accuracy", 100, "correctly classified (%)", isLoss: false);
        var fit = accuracy.Count > 0 ? accuracy : OnSplits("r2", 1, "variance explained, R²", isLoss: false);
        var loss = OnSplits("loss", 1, JobCharts.LossLabel(_report.Provenance.Spec.Base.Training?.Loss is { } name and not "auto" ? name
            : accuracy.Count > 0 ? "cross_entropy" : "mse"), isLoss: true);
        var cost = Cost();
        return fit.Count + loss.Count == 0 && cost is null ? null : Legended("Accuracy, loss and cost",
            [.. fit, .. loss, .. cost is null ? [] : (Chart[])[cost]], _byResult, Bands() + (cost is null ? ""
                : " Bars beside the cost are 95 % intervals; the time is each run's fastest epoch, the median over seeds, measurements "
                + "left "
                    + "out."));
    }

    /// <summary>What an arm's result costs.</summary>
    private Chart? Cost()
    {
        var scale = Outcome.IsFraction ? 100 : 1;
        var arms = _byResult.Where(arm => _report.Arms[arm] is { Mean: not null, SecondsPerEpoch: not null }).ToList();
        if (arms.Count < 2 || Outcome.IsRelative)
            return null;
        // one run that is left of many is no mean
        var sound = arms.Where(arm => _report.Arms[arm].Diverged == 0).ToList() is { Count: > 1 } some ? some : arms;
        var (unit, perSecond) = arms.Max(arm => _report.Arms[arm].SecondsPerEpoch) < 0.1 ? ("milliseconds", 1000) : ("seconds", 1);
        var y = Axes.Around([.. sound.Select(arm => scale * _report.Arms[arm].Mean ?? 0)],
            sound.SelectMany(arm => (double?[])[Possible(_report.Arms[arm].Ci95?[0]), Possible(_report.Arms[arm].Ci95?[1])]),
                Outcome.IsShare);
        return new($"{Prose.Capital(Outcome.Words)} and time", new($"{unit} per epoch"),
            new(Outcome.IsFraction ? $"{Outcome.Words} (%)" : Outcome.Words, Min: y.Min, Max: y.Max),
            [.. sound.Select(arm => new Curve(Name(arm), [Point(_report.Arms[arm])], Joined: false, Style: _styles[arm]))])
        {
            Width = Width,
            Height = Height,
            Named = false,
        };

        CurvePoint Point(ArmReport arm) => new(perSecond * arm.SecondsPerEpoch ?? double.NaN,
            scale * arm.Mean ?? double.NaN, Possible(arm.Ci95?[0]), Possible(arm.Ci95?[1]));

        // Two seeds may give an interval of a share that reaches far below 0 and above 1.
        double? Possible(double? end) => Outcome.IsShare && end is { } share ? scale * Math.Clamp(share, 0, 1) : scale * end;
    }

    /// <summary>The gradient on its way back through the net.</summary>
    public Figure? GradientFlow()
    {
        var arms = _byFlow.Where(arm => IsCurve(_curves[arm].GradientFlow)).ToList();
        return arms.Count == 0 ? null : Legended("Gradient flow", [new Chart("Gradient flow over the epochs", Epoch,
            new("decades, first over last layer"), [.. arms.Select(arm => Line(arm, _curves[arm].GradientFlow, 1))])
        {
            Width = Width,
            Height = Height,
            Named = false,
        }], arms, $"log10 of norm(∂C/∂z) in the first over the last hidden layer. At 0 the gradient keeps its size on its way back; "
            + $"at −2 a hundredth is left. {Bands()} Runs in which one of the two gradients is exactly zero are left out at that point.");
    }

    /// <summary>Each layer over the epochs, a small chart for each arm, all on the same axes.</summary>
    public IEnumerable<Figure> Layers()
    {
        const string Numbered = "A number at a curve's end is that of the hidden layer.";
        Figure?[] figures =
        [
            Small("Sparsity of each layer", "share of activations (%)", "sparsity", 100,
                $"Share of a layer's outputs that are exactly 0. An arm marked “off rate” has no exact zeros: its curves are the share "
                + $"of inputs z ≤ 0. {Numbered}", fromZero: true, arm => HasZeros(arm) ? "sparsity" : "offRate",
                arm => HasZeros(arm) ? "" : " (off rate)"),
            Small("Dead units of each layer", "share of units (%)", "deadFraction", 100,
                "Units with z ≤ 0 on every evaluation row, of an activation that then passes no gradient. Units of others never count "
                + $"as dead. At epoch 0 they were born dead. {Numbered}", fromZero: true),
            Small("Mean activation of each layer", "mean output", "meanActivation", 1,
                $"Over all units and evaluation rows: 0 is centred. {Numbered}", fromZero: false),
            Small("Size of the activations of each layer", "rms of the outputs", "rmsActivation", 1, Numbered, fromZero: true),
            Small("Saturated activations of each layer", "share of activations (%)", "saturation", 100,
                $"Where the slope is below 5 % of the function's steepest; a rectifier's zeros count. {Numbered}", fromZero: true),
        ];
        return [.. figures.OfType<Figure>(), .. Histograms() is { } histograms ? [histograms] : (Figure[])[]];

        Figure? Histograms()
        {
            var charts = Chosen(_report, LongCharts, arm => Hidden(arm, "rmsActivation"))
                .Where(arm => _curves[arm].Ends.Any(row => row.Layer < _curves[arm].Layers.Count - 1))
                .Select(arm => JobCharts.Histograms(Name(arm), _curves[arm].Layers, _curves[arm].Ends, 3) is var chart ? chart with
                {
                    Width = Width,
                    Height = Height,
                    Note = null,
                    Marks = false,
                    Curves = [.. chart.Curves.Select(curve => curve with { Name = Number(curve.Name) })],
                } : chart).ToList();
            return charts.Count == 0 ? null : new("How the activations are distributed at the end", charts,
                "Single outputs of one run of each arm on all evaluation rows. Exact zeros are left out: the sparsity counts them. "
                + $"{Numbered}{Of(charts.Count)}", Tabled: false);
        }

        Figure? Small(string title, string label, string quantity, double scale, string text, bool fromZero,
            Func<int, string>? name = null, Func<int, string>? suffix = null)
        {
            var charts = Chosen(_report, SmallCharts, arm => Hidden(arm, quantity))
                .Where(arm => _curves[arm].Layers.Count > 1).Select(arm => (Arm: arm,
                    Lines: JobCharts.Some([.. _curves[arm].Layers.SkipLast(1)], MostLayers)
                        .Where(layer => _curves[arm].LayerStats.TryGetValue((name?.Invoke(arm) ?? quantity, layer.Index), out var stats)
                            && IsCurve(stats))
                        .Select(layer => new Curve(Number(layer.Name), [.. JobCharts.Some(
                            [.. _curves[arm].LayerStats[(name?.Invoke(arm) ?? quantity, layer.Index)]], LayerPoints)
                            .Where(stat => stat.Mean is not null)
                            .Select(stat => new CurvePoint(stat.Epoch, scale * stat.Mean ?? double.NaN))])).ToList()))
                .Where(chart => chart.Lines.Count > 0).ToList();
            // what runs that diverge leave behind is no size of a net's activations
            var sound = charts.Where(chart => _report.Arms[chart.Arm].Diverged == 0).ToList();
            var values = (sound.Count == 0 ? charts : sound).SelectMany(chart => chart.Lines).SelectMany(line => line.Points)
                .Select(point => point.Y).Where(double.IsFinite).ToList();
            if (values.Count == 0)
                return null;
            var (min, max) = (fromZero ? Math.Min(0, values.Min()) : values.Min(), values.Max());
            if (scale == 100)
                (min, max) = (0, Math.Min(100, Math.Max(max, 1)));
            else if (max - min <= 0)
                max = min + 1;
            var epochs =
                Epoch with { Min = 0, Max = charts.SelectMany(chart => chart.Lines).SelectMany(line => line.Points).Max(point => point.X) };
            return new(title, [.. charts.Select(chart =>
                new Chart(Name(chart.Arm) + suffix?.Invoke(chart.Arm), epochs, new(label, Min: min, Max: max), chart.Lines)
                { Width = Width, Height = Height, Marks = false })], $"{text} Lines are means over seeds.{Of(charts.Count)}",
                    Tabled: false);
        }

        string Of(int charts) => charts == _report.Arms.Count ? "" : $" {charts} of {_report.Arms.Count} arms are shown.";
    }

    /// <summary>Nets that were drawn and never trained, against the computed probability.</summary>
    public static Figure? BornDead(IReadOnlyList<BornDeadCell>? cells)
    {
        if (cells is not { Count: > 0 })
            return null;
        var widths = JobCharts.Some([.. cells.Select(cell => cell.Width).Distinct().Order()], MostLayers);
        return new("Nets born dead", [new Chart("Nets that are dead before training",
            new("depth L (layers)"), new("share of nets (%)", Min: 0, Max: 100),
        [
            .. widths.Select((width, i) =>
                new Curve($"{width}", [.. JobCharts.Some(Of(width), 24).Select(cell => new CurvePoint(cell.Depth, 100 * cell.Expected))],
                    Style: i)),
            .. widths.Select((width, i) => new Curve("", [.. JobCharts.Some(Of(width), 6)
                .Select(cell => new CurvePoint(cell.Depth, 100 * cell.Measured, 100 * cell.Ci95[0], 100 * cell.Ci95[1]))], false, i)),
        ])
        {
            Width = Width,
            Height = Height,
        }], "Lines: the computed probability; a number at a line's end is the nets' width. Markers: the share measured, with Wilson's "
            + "95 % interval. The bound 1 − (1 − 2^−N)^(L−1), which lies above both, stands in the table.", Tabled: false);

        IReadOnlyList<BornDeadCell> Of(int width) => [.. cells.Where(cell => cell.Width == width).OrderBy(cell => cell.Depth)];
    }

    /// <summary>
    /// All arms if there is room; else those that lie furthest from the median by what is shown, each with those that it is compared with.
    /// </summary>
    public static List<int> Chosen(SweepReport report, int most, Func<ArmReport, double?> quantity)
    {
        var all = Enumerable.Range(0, report.Arms.Count).ToList();
        if (all.Count <= most)
            return all;
        var values = report.Arms.Select(quantity).Select(value => value is { } v && double.IsFinite(v) ? v : (double?)null).ToList();
        var sorted = values.OfType<double>().Order().ToList();
        var median = sorted.Count == 0 ? 0 : sorted[sorted.Count / 2];
        double Far(int arm) => values[arm] is { } value ? Math.Abs(value - median) : -1;
        var places = report.Arms.Index().DistinctBy(arm => arm.Item.Name).ToDictionary(arm => arm.Item.Name, arm => arm.Index);
        var pairs = report.Contrasts.Where(contrast => places.ContainsKey(contrast.Arm) && places.ContainsKey(contrast.Baseline))
            .Select(contrast => new[] { places[contrast.Arm], places[contrast.Baseline] }).ToList();
        var chosen = new HashSet<int>();
        foreach (var group in pairs.Concat(all.Except(pairs.SelectMany(pair => pair)).Select(arm => new[] { arm }))
            .OrderByDescending(group => group.Max(Far)).ThenByDescending(group => group.Sum(Far)))
            if (chosen.Union(group).Count() <= most)
                chosen.UnionWith(group);
        return [.. chosen.Order()];
    }

    private static double? Result(ArmReport arm) => arm.Mean;

    /// <summary>Log of the gradient's size in the first over that in the last hidden layer, at the end.</summary>
    private static double? Flow(ArmReport arm) => arm.Layers.SkipLast(1).Select(layer => layer.Values.GetValueOrDefault("gradientRms"))
        .ToList() is [> 0 and var first, .., > 0 and var last] ? Math.Log10(first / last) : null;

    private static double? Hidden(ArmReport arm, string name) =>
        arm.Layers.SkipLast(1).Where(layer => layer.Values.ContainsKey(name)).Select(layer => (double?)layer.Values[name]).Average();

    private List<Chart> OnSplits(string name, double scale, string label, bool isLoss)
    {
        var charts = new List<Chart>();
        foreach (var split in (Split[])[Split.Validation, Split.Train])
        {
            var arms = _byResult.Where(arm => _curves[arm].Metrics.TryGetValue((name, split), out var stats) && IsCurve(stats)).ToList();
            if (arms.Count == 0)
                continue;
            var lines = arms.Select(arm => Line(arm, _curves[arm].Metrics[(name, split)], scale)).ToList();
            var sound = lines.Where((_, i) => _report.Arms[arms[i]].Diverged == 0).ToList();
            var axis = isLoss ? Axes.OfLoss(label, sound.Count == 0 ? lines : sound) : Axes.Zoomed(label, sound.Count == 0 ? lines : sound,
                most: scale == 100 ? 100 : 1);
            string[] beyond = [.. arms.Where((_, i) => lines[i].Points[^1].Y is var end && (end < axis.Min
                || end > axis.Max)).Select(Name)];
            charts.Add(new(split == Split.Train ? "On the training rows" : "On the validation rows", Epoch, axis, lines)
            {
                Width = Width,
                Height = Height,
                Named = false,
                Note = beyond.Length == 0 ? null : $"Beyond the axis: {string.Join(", ", beyond)}.",
            });
        }
        return charts;
    }

    private Figure Legended(string title, IReadOnlyList<Chart> charts, List<int> arms, string text) => new(title, charts,
        arms.Count == _report.Arms.Count ? text
            : $"{text} {arms.Count} of {_report.Arms.Count} arms are shown, the most different ones with those that they are compared "
            + "with.",
        Legend: [.. arms.Select(arm => (Name(arm) + (_report.Arms[arm] is { Diverged: > 0 and var diverged, N: var n }
            ? $" (✕ {diverged} of {n + diverged} diverged)" : ""), _styles[arm]))]);

    private string Bands()
    {
        var runs = _curves.SelectMany(arm => arm.Metrics.Values).SelectMany(stats => stats).ToList();
        var most = runs.Count == 0 ? 0 : runs.Max(stat => stat.Finite);
        return (most >= CurveStat.LeastForBand ? "Lines are means over seeds, bands their 95 % intervals (Student's t)."
            : "Lines are means over seeds; with fewer than three there is no band.")
            + (runs.Exists(stat => stat.Finite < stat.Runs)
                ? " Runs that diverged are in the means until their first value that isn't finite, and set no axis."
                : "");
    }

    /// <summary>Two points are no curve: what lies between them is not known.</summary>
    private static bool IsCurve(IReadOnlyList<CurveStat> stats) => stats.Count(stat => stat.Mean is not null) > 2;

    private Curve Line(int arm, IReadOnlyList<CurveStat> stats, double scale) => new(Name(arm),
        [.. stats.Where(stat => stat.Mean is not null).Select(stat => stat.Scaled(scale))
            // of the few that haven't diverged yet a band would cover all else
            .Select(point => _report.Arms[arm].Diverged == 0 ? point : point with { Low = null, High = null })], Style: _styles[arm]);

    private bool HasZeros(int arm) =>
        _curves[arm].LayerStats.Any(entry => entry.Key.Name == "sparsity" && entry.Key.Layer < _curves[arm].Layers.Count - 1
            && entry.Value.Any(stat => stat.Mean > JobCharts.SomeZeros));

    private string Name(int arm) => ArmNames.Shown(_report.Arms[arm].Name);

    private static string Number(string layer) => layer.StartsWith("hidden", StringComparison.Ordinal) ? layer["hidden".Length..] : layer;
}
