using System.Globalization;
using System.Xml.Linq;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>A comparison as a line of a forest plot, in the axis' unit.</summary>
/// <param name="Label">Who with whom.</param>
/// <param name="Verdict">Its sign stands beside the figures.</param>
/// <param name="Mean">Null where no seed's runs both finished.</param>
/// <param name="Low">Lower end of the 95 % interval; null without one.</param>
/// <param name="High">Its upper end.</param>
/// <param name="Figures">Both as they are told.</param>
/// <param name="Diverged">Whether runs diverged, so that it is the mean of those that are left.</param>
public sealed record ForestRow(string Label, Verdict Verdict, double? Mean, double? Low, double? High, string Figures,
    bool Diverged = false);

/// <summary>Differences with their intervals below each other, and the band within which they don't matter.</summary>
/// <param name="Axis">What differs, in which unit.</param>
/// <param name="Delta">Half the band's width; null without one.</param>
/// <param name="Sides">What lies left and right of zero.</param>
/// <param name="Rows">In the order of the request.</param>
/// <param name="Note">What is not shown.</param>
public sealed record Forest(string Axis, double? Delta, (string Left, string Right) Sides, IReadOnlyList<ForestRow> Rows,
    string? Note = null) : Block
{
    /// <summary>More of them are no glance any more.</summary>
    public const int MostRows = 16;

    private const int Narrow = 356, Wide = 1056;

    public static Forest Of(SweepReport report, Outcome outcome)
    {
        var scale = outcome.IsFraction || outcome.IsRelative ? 100 : 1;
        var all = report.Contrasts;
        // of many those that are decided, and of these the largest, since what is open is in the table, too
        var shown = all.Count <= MostRows ? all : [.. all.Index().OrderBy(one => one.Item.Verdict is Verdict.Inconclusive)
            .ThenByDescending(one => Math.Abs(one.Item.MeanDifference ?? 0)).Take(MostRows).OrderBy(one => one.Index).Select(one =>
                one.Item)];
        var oneBaseline = shown.DistinctBy(contrast => contrast.Baseline).Count() == 1 && shown.Count > 0 ? shown[0].Baseline : null;
        return new($"{outcome.Words}, arm minus {(oneBaseline is null ? "the other one" : ArmNames.Shown(oneBaseline))}"
                + (outcome.IsFraction ? " (points)" : outcome.IsRelative ? " (%)" : outcome.Unit == "decades" ? " (decades)" : ""),
            report.Delta is > 0 and var delta ? scale * delta : null,
            outcome.HigherIsBetter is null ? ("lower", "higher") : outcome.IsRelative ? ("faster", "slower")
                : outcome.HigherIsBetter == true ? ("worse", "better") : ("better", "worse"),
            [.. shown.Select(contrast => new ForestRow(
                oneBaseline is null ? ArmNames.Pair(contrast.Arm, contrast.Baseline) : ArmNames.Shown(contrast.Arm), contrast.Verdict,
                scale * contrast.MeanDifference, scale * contrast.Ci95?[0], scale * contrast.Ci95?[1],
                contrast.MeanDifference is null ? Diverged(contrast)
                    : Numbers.Difference(outcome, contrast.MeanDifference)
                        + (contrast.Ci95 is [var low, var high]
                            ? $" ({Numbers.Short(scale * low)} to {Numbers.Short(scale * high)})" : "")
                        + (contrast.Divergence is { Arm: 0, Baseline: 0 } ? "" : $", {Diverged(contrast)}"),
                contrast.Divergence is not { Arm: 0, Baseline: 0 }))],
            shown.Count == all.Count ? null
                : $"{shown.Count} of {all.Count} comparisons are drawn, the decided ones first; the table of comparisons has all.");
    }

    private static string Diverged(ContrastResult contrast) => contrast.Divergence is { Arm: 0, Baseline: 0 } ? "not measured"
        : $"✕ {contrast.Divergence.Arm} and {contrast.Divergence.Baseline} of {contrast.Divergence.Pairs} diverged";

    /// <summary>For a wide page and for a phone: only one of them is shown.</summary>
    public (string Wide, string Narrow) Draw() => (Draw(Wide), Draw(Narrow));

    /// <summary>
    /// The axis: means, the band and zero; an interval that is much wider than these ends in an arrow. Means of what diverged runs have
    /// left set no axis, nor do those that lie so far out that nothing could be told of the others.
    /// </summary>
    public (double Min, double Max) Range()
    {
        var usable = Rows.Any(row => row is { Diverged: false, Mean: not null }) ? [.. Rows.Where(row => !row.Diverged)] : Rows;
        var isNear = Axes.Near([.. usable.Select(row => row.Mean).OfType<double>()], 4 * (Delta ?? 0));
        var near = usable.Where(row => row.Mean is { } mean && isNear(mean)).ToList();
        double[] ends = [.. near.SelectMany(row => (double?[])[row.Mean, row.Low, row.High]).OfType<double>().Where(double.IsFinite)];
        double[] means = [.. near.Select(row => row.Mean).OfType<double>().Where(double.IsFinite)];
        double[] halves = [.. near.Select(row => (row.High - row.Low) / 2).OfType<double>().Where(double.IsFinite).Order()];
        var usual = halves.Length == 0 ? 0 : halves[halves.Length / 2];
        var (least, most) = (means.Append(0).Min(), means.Append(0).Max());
        var room = Math.Max(Math.Max(3 * usual, 1.5 * (Delta ?? 0)), 0.6 * (most - least));
        room = room > 0 ? room : 1;
        var (min, max) = (Math.Max(ends.Append(-(Delta ?? 0) * 1.3).Append(0).Min(), least - room),
            Math.Min(ends.Append((Delta ?? 0) * 1.3).Append(0).Max(), most + room));
        if (max - min <= 1e-12 * Math.Max(Math.Abs(min), Math.Abs(max)))
            (min, max) = (min - room, max + room);
        return (min - 0.04 * (max - min), max + 0.04 * (max - min));
    }

    private string Draw(int width)
    {
        var narrow = width == Narrow;
        var (row, top) = (narrow ? 58.0 : 27.0, 22.0);
        var labels = narrow ? 0 : Math.Min(380, 12 + Rows.Select(one => ChartSvg.WidthOf(one.Label)).DefaultIfEmpty().Max());
        var told = narrow ? 0 : 34 + Rows.Select(one => ChartSvg.WidthOf(one.Figures)).DefaultIfEmpty().Max();
        var (left, right) = (labels + 6, width - Math.Min(420, told) - 6.0);
        var (bottom, (min, max)) = (top + row * Rows.Count, Range());
        var colors = Palette.OnPage;
        double X(double value) => left + Math.Clamp((value - min) / (max - min), 0, 1) * (right - left);
        var svg = ChartSvg.Picture(colors, width, (int)bottom + 44, Axis, Describe());
        if (Delta is { } delta)
            svg.Add(new XElement(ChartSvg.Svg + "rect", At("x", X(-delta)), At("y", top - 2), At("width", X(delta) - X(-delta)),
                    At("height", bottom - top + 2), new XAttribute("fill", colors.Axis), new XAttribute("fill-opacity", "0.25")),
                ChartSvg.Text(Math.Clamp((X(-delta) + X(delta)) / 2, left + 70, right - 70), top - 8,
                    $"±{Numbers.Short(delta)}: no difference that matters", "middle", colors.Faint, 11));
        foreach (var tick in Ticks.Linear(min, max, narrow ? 5 : 8))
            svg.Add(Line(X(tick.Position), bottom, X(tick.Position), bottom + 4, colors.Faint, 1),
                ChartSvg.Text(X(tick.Position), bottom + 17, tick.Label, "middle", colors.Faint));
        svg.Add(Line(left, bottom, right, bottom, colors.Faint, 1), Line(X(0), top - 2, X(0), bottom, colors.Ink, 1));
        svg.Add(ChartSvg.Text((left + right) / 2, bottom + 37, $"← {Sides.Left} · {Axis} · {Sides.Right} →", "middle", colors.Faint,
            narrow ? 11 : null));
        foreach (var (index, one) in Rows.Index())
        {
            var y = top + row * index + (narrow ? 44 : row / 2);
            // on a phone who, how much and the bar stand below each other
            var (label, figures) = narrow ? (y - 30, y - 14) : (y + 4.5, y + 4.5);
            var color = $"var(--{one.Verdict.ToString().ToLowerInvariant()})";
            svg.Add(ChartSvg.Text(0, label, Cut(one.Label, narrow ? width - 8 : 370), bold: true),
                ChartSvg.Text(narrow ? 0 : width, figures, narrow ? $"{Cell.Sign(one.Verdict)} {Cut(one.Figures, width - 24)}"
                    : $"{Cut(one.Figures, 390)} {Cell.Sign(one.Verdict)}", narrow ? "start" : "end", color));
            if (one is { Low: { } low, High: { } high } && low <= max && high >= min)
            {
                svg.Add(Line(X(low), y, X(high), y, color, 2));
                foreach (var (end, cut) in new[] { (low, low < min), (high, high > max) })
                    svg.Add(cut ? Arrow(X(end), y, end == low ? -1 : 1, color) : Line(X(end), y - 4, X(end), y + 4, color, 2));
            }
            if (one.Mean is { } mean && (mean < min || mean > max))
                svg.Add(Arrow(mean < min ? left : right, y, mean < min ? -1 : 1, color),
                    Arrow(mean < min ? left + 6 : right - 6, y, mean < min ? -1 : 1, color));
            else if (one.Mean is { } place && double.IsFinite(place))
                svg.Add(new XElement(ChartSvg.Svg + "circle", At("cx", X(place)), At("cy", y), At("r", 4.5), new XAttribute("stroke",
                    color),
                    new XAttribute("stroke-width", 2),
                    // hollow: open
                    new XAttribute("fill", one.Verdict == Verdict.Inconclusive ? colors.Paper : color)));
        }
        return svg.ToString(SaveOptions.DisableFormatting);
    }

    private string Describe() => $"{Axis}. " + string.Join(" ",
        Rows.Select(row => $"{row.Label}: {row.Figures}, {row.Verdict.ToString().ToLowerInvariant()}."));

    private static XAttribute At(string name, double value) => new(name, value.ToString("0.#", CultureInfo.InvariantCulture));

    private static XElement Line(double x1, double y1, double x2, double y2, string color, double width) => ChartSvg.Path(
        $"M{ChartSvg.Number(x1)} {ChartSvg.Number(y1)}L{ChartSvg.Number(x2)} {ChartSvg.Number(y2)}", color, width);

    private static XElement Arrow(double x, double y, int way, string color) => ChartSvg.Path(
        $"M{ChartSvg.Number(x - 6 * way)} {ChartSvg.Number(y - 5)}L{ChartSvg.Number(x)} {ChartSvg.Number(y)}"
        + $"L{ChartSvg.Number(x - 6 * way)} {ChartSvg.Number(y + 5)}", color, 2);

    private static string Cut(string text, double width)
    {
        var kept = text.Length;
        while (kept > 1 && ChartSvg.WidthOf(text[..kept]) > width)
            kept--;
        return kept == text.Length ? text : text[..(char.IsHighSurrogate(text[kept - 1]) ? kept - 1 : kept)].TrimEnd() + "…";
    }
}
