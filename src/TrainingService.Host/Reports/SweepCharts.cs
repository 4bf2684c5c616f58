using TrainingService.Engine.Training;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>A sweep's figures. An arm has the same color, dash and marker in all of them.</summary>
public sealed class SweepCharts(SweepReport report, IReadOnlyList<ArmCurves> curves)
{
    private const int SmallCharts = 6, SmallWidth = 356, SmallHeight = 250;

    private static readonly ChartAxis Epoch = new("epoch");

    private readonly List<int> _shown = Shown(report);

    private Outcome Outcome => SweepMetrics.Named(report.Metric).Outcome;

    private string Left => _shown.Count == report.Arms.Count ? ""
        : $"{_shown.Count} of {report.Arms.Count} arms are shown: the baseline, the best and the worst; the table of arms has all.";

    /// <summary>The arms that charts show, by index; small charts show some of these.</summary>
    public static List<int> Shown(SweepReport report) => Chosen(report, ChartStyle.Count);

    /// <summary>Accuracy (R² for numbers) and loss over the epochs.</summary>
    public IEnumerable<Figure> Learning()
    {
        var accuracy = OnSplits("accuracy", 100, "correctly classified (%)", false);
        var fit = accuracy.Count > 0 ? accuracy : OnSplits("r2", 1, "variance explained, R²", false);
        if (fit.Count > 0)
            yield return new($"{(accuracy.Count > 0 ? "Accuracy" : "R²")} over the epochs", fit, Bands());
        var loss = OnSplits("loss", 1, JobCharts.LossLabel(report.Provenance.Spec.Base.Training?.Loss is { } name and not "auto" ? name
            : accuracy.Count > 0 ? "cross_entropy" : "mse"), true);
        if (loss.Count > 0)
            yield return new("Loss over the epochs", loss, Bands());
    }

    /// <summary>What an arm's result costs.</summary>
    public Figure? Cost()
    {
        var scale = Outcome.IsFraction ? 100 : 1;
        var arms = report.Arms.Index().Where(arm => arm.Item is { Mean: not null, SecondsPerEpoch: not null }).ToList();
        if (arms.Count == 0)
            return null;
        var (unit, perSecond) = arms.Max(arm => arm.Item.SecondsPerEpoch) < 0.1 ? ("milliseconds", 1000) : ("seconds", 1);
        var named = arms.Where(arm => _shown.Contains(arm.Index))
            .Select(arm => new Curve(arm.Item.Name, [Point(arm.Item)], Joined: false, Style: Place(arm.Index)));
        var others = arms.Where(arm => !_shown.Contains(arm.Index)).Select(arm => Point(arm.Item)).ToList();
        return new("Result against cost", [new Chart($"{Capital(Outcome.Words)} against training time", new($"{unit} per epoch"),
            new(Outcome.IsFraction ? $"{Outcome.Words} (%)" : Outcome.Words),
            [.. named, .. others.Count == 0 ? [] : (Curve[])[new("", others, Joined: false, Style: 4)]])
        {
            Note = "Bars are 95 % intervals of the mean over seeds; the time is each run's fastest epoch, the median over "
                + "seeds, measurements left out."
                + (others.Count > 0 ? $" The {others.Count} arms without a name are neither the baseline nor among the best or worst."
                    : ""),
        }]);

        CurvePoint Point(ArmReport arm) => new(perSecond * arm.SecondsPerEpoch ?? double.NaN,
            scale * arm.Mean ?? double.NaN, Possible(arm.Ci95?[0]), Possible(arm.Ci95?[1]));

        // Two seeds may give an interval of a share that reaches far below 0 and above 1.
        double? Possible(double? end) => Outcome.IsFraction && end is { } share ? scale * Math.Clamp(share, 0, 1) : end;
    }

    /// <summary>The gradient on its way back through the net.</summary>
    public Figure? GradientFlow()
    {
        var flows = _shown.Where(arm => curves[arm].GradientFlow.Any(stat => stat.Mean is not null))
            .Select(arm => Line(report.Arms[arm].Name, curves[arm].GradientFlow, 1, Place(arm))).ToList();
        return flows.Count == 0 ? null : new("Gradient flow", [new Chart("Gradient flow over the epochs",
            Epoch, new("log10 of norm(∂C/∂z) in the first over the last hidden layer"), flows)
        {
            Note = $"0: the gradient keeps its size on its way back; −2: a hundredth is left. {Left}".Trim(),
        }], $"{Bands()} Runs in which one of the two gradients is exactly zero are left out at that point.");
    }

    /// <summary>Each layer over the epochs, a small chart for each arm, all on the same axes.</summary>
    public IEnumerable<Figure> Layers()
    {
        var small = Chosen(report, SmallCharts).Where(arm => curves[arm].Layers.Count > 1).ToList();
        var left = small.Count == report.Arms.Count ? "" : $" {small.Count} of {report.Arms.Count} arms are shown.";
        Figure?[] figures =
        [
            Small("Sparsity of each layer", "share of activations (%)", arm => HasZeros(arm) ? "sparsity" : "offRate", 100,
                "Share of a layer's outputs that are exactly 0. An arm marked “off rate” has no exact zeros: "
                + $"its curves are the share of inputs z ≤ 0. {Bands()}{left}", fromZero: true,
                arm => HasZeros(arm) ? "" : " (off rate)"),
            Small("Dead units of each layer", "share of the layer's units (%)", _ => "deadFraction", 100,
                "Units with z ≤ 0 on every evaluation row, of an activation that then passes no gradient; "
                + $"units of others never count as dead. At epoch 0 they were born dead. {Bands()}{left}", fromZero: true),
            Small("Mean activation of each layer", "mean output", _ => "meanActivation", 1,
                $"Over all units and evaluation rows: 0 is centred. {Bands()}{left}", fromZero: false),
            Small("Size of the activations of each layer", "root mean square of the outputs",
                _ => "rmsActivation", 1, $"{Bands()}{left}", fromZero: true),
            Small("Saturated activations of each layer", "share of activations (%)", _ => "saturation", 100,
                $"Where the slope is below 5 % of the function's steepest; a rectifier's zeros count. {Bands()}{left}", fromZero: true),
        ];
        return [.. figures.OfType<Figure>(), .. Histograms() is { } histograms ? [histograms] : (Figure[])[]];

        Figure? Histograms()
        {
            var charts = small.Where(arm => curves[arm].Ends.Any(row => row.Layer < curves[arm].Layers.Count - 1))
                .Select(arm => JobCharts.Histograms(report.Arms[arm].Name, curves[arm].Layers, curves[arm].Ends) with
                {
                    Width = SmallWidth,
                    Height = SmallHeight,
                    Note = null,
                }).ToList();
            return charts.Count == 0 ? null : new("How the activations are distributed at the end", charts,
                $"Single outputs of one run of each arm on all evaluation rows. Exact zeros are left out: the sparsity counts them.{left}");
        }

        Figure? Small(string title, string label, Func<int, string> name,
            double scale, string text, bool fromZero, Func<int, string>? suffix = null)
        {
            var charts = small.Select(arm => (Arm: arm, Lines: JobCharts.Some([.. curves[arm].Layers.SkipLast(1)], ChartStyle.Count)
                .Where(layer => curves[arm].LayerStats.ContainsKey((name(arm), layer.Index)))
                .Select(layer => Line(layer.Name, curves[arm].LayerStats[(name(arm), layer.Index)], scale, null)).ToList()))
                .Where(chart => chart.Lines.Count > 0).ToList();
            var values = charts.SelectMany(chart => chart.Lines).SelectMany(line => line.Points)
                .SelectMany(p => (double[])[p.Y, p.Low ?? p.Y, p.High ?? p.Y]).Where(double.IsFinite).ToList();
            if (values.Count == 0)
                return null;
            var (min, max) = (Math.Min(fromZero ? 0 : values.Min(), values.Min()), values.Max());
            if (scale == 100)
                (min, max) = (0, Math.Min(100, Math.Max(max, 1)));
            else if (max - min <= 0)
                max = min + 1;
            var epochs =
                Epoch with { Min = 0, Max = charts.SelectMany(chart => chart.Lines).SelectMany(line => line.Points).Max(point => point.X) };
            return new(title, [.. charts.Select(chart =>
                new Chart(report.Arms[chart.Arm].Name + suffix?.Invoke(chart.Arm), epochs, new(label, Min: min, Max: max), chart.Lines)
                { Width = SmallWidth, Height = SmallHeight })], text);
        }
    }

    /// <summary>Nets that were drawn and never trained, against the computed probability.</summary>
    public static Figure? BornDead(IReadOnlyList<BornDeadCell>? cells)
    {
        if (cells is not { Count: > 0 })
            return null;
        var widths = JobCharts.Some([.. cells.Select(cell => cell.Width).Distinct().Order()], ChartStyle.Count);
        return new("Nets born dead", [new Chart("Share of nets that are dead before training",
            new("depth L (layers)"), new("share of nets (%)", Min: 0, Max: 100),
        [
            .. widths.Select((width, i) =>
                new Curve($"width {width}", [.. Of(width).Select(cell => new CurvePoint(cell.Depth, 100 * cell.Expected))], Style: i)),
            .. widths.Select((width, i) => new Curve("", [.. Thinned(Of(width))
                .Select(cell => new CurvePoint(cell.Depth, 100 * cell.Measured, 100 * cell.Ci95[0], 100 * cell.Ci95[1]))], false, i)),
        ])
        {
            Note = "Lines: the computed probability. Markers: the share measured, with Wilson's 95 % interval. "
                + "The bound 1 − (1 − 2^−N)^(L−1), which lies above both, stands in the table.",
        }], Tabled: false);

        IReadOnlyList<BornDeadCell> Of(int width) => [.. cells.Where(cell => cell.Width == width).OrderBy(cell => cell.Depth)];

        static IReadOnlyList<BornDeadCell> Thinned(IReadOnlyList<BornDeadCell> all) => JobCharts.Some(all, 9);
    }

    /// <summary>All arms if they can be told apart; else the baseline, the best and the worst, in their order.</summary>
    private static List<int> Chosen(SweepReport report, int most)
    {
        var all = Enumerable.Range(0, report.Arms.Count).ToList();
        if (all.Count <= most)
            return all;
        var sign = SweepMetrics.Named(report.Metric).Outcome.HigherIsBetter == false ? 1 : -1;
        var ranked = all.Where(arm => report.Arms[arm].Mean is not null).OrderBy(arm => sign * report.Arms[arm].Mean).ToList();
        var chosen = all.Where(arm => report.Arms[arm].Name == report.Baseline).ToHashSet();
        for (var i = 0; chosen.Count < most && i < ranked.Count; i++)
        {
            // Two of the best for one of the worst.
            chosen.Add(ranked[i]);
            if (chosen.Count < most && i % 2 == 1)
                chosen.Add(ranked[ranked.Count - 1 - i / 2]);
        }
        chosen.UnionWith(all.Take(most - chosen.Count));
        return [.. chosen.Order()];
    }

    private List<Chart> OnSplits(string name, double scale, string label, bool mayBeLog)
    {
        var charts = new List<Chart>();
        foreach (var split in (Split[])[Split.Validation, Split.Train])
        {
            var lines = _shown.Where(arm => curves[arm].Metrics.TryGetValue((name, split), out var stats) && stats.Count > 1)
                .Select(arm => Line(report.Arms[arm].Name, curves[arm].Metrics[(name, split)], scale, Place(arm))).ToList();
            if (lines.Count == 0)
                continue;
            var means = lines.SelectMany(line => line.Points).Select(point => point.Y)
                .Where(y => double.IsFinite(y) && y > 0).DefaultIfEmpty(1).ToList();
            charts.Add(new(split == Split.Train ? "On the training rows" : "On the validation rows", Epoch,
                new(label, mayBeLog && means.Max() / means.Min() > 100,
                    Max: scale == 100 && lines.Max(line => line.Points.Max(p => p.High)) > 100 ? 100 : null), lines)
            { Note = Left });
        }
        return charts;
    }

    private string Bands()
    {
        var runs = curves.SelectMany(arm => arm.Metrics.Values).SelectMany(stats => stats).ToList();
        var most = runs.Count == 0 ? 0 : runs.Max(stat => stat.Finite);
        return (most >= CurveStat.LeastForBand ? "Lines are means over seeds, bands their 95 % intervals (Student's t)."
            : "Lines are means over seeds; with fewer than three there is no band.")
            + (runs.Exists(stat => stat.Finite < stat.Runs)
                ? " Runs that diverged are in the means until their first value that isn't finite."
                : "");
    }

    private static Curve Line(string name, IReadOnlyList<CurveStat> stats, double scale, int? style) =>
        new(name, [.. stats.Select(stat => stat.Scaled(scale))], Style: style);

    private bool HasZeros(int arm) =>
        curves[arm].LayerStats.Any(entry => entry.Key.Name == "sparsity" && entry.Key.Layer < curves[arm].Layers.Count - 1
            && entry.Value.Any(stat => stat.Mean > JobCharts.SomeZeros));

    private int Place(int arm) => _shown.Index().First(shown => shown.Item == arm).Index;

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
