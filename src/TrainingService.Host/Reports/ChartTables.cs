using System.Globalization;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>A figure's numbers as tables, for those who want to read them or can't see the picture.</summary>
public static class ChartTables
{
    private const int Places = 4;

    /// <summary>One for each chart; one in all for small charts, which share their axes.</summary>
    public static IEnumerable<Table> Of(Figure figure)
    {
        if (!figure.Tabled)
            return [];
        if (figure.Charts.Count > 1 && figure.Charts[0].Width < Chart.FullWidth)
            return figure.Charts.GroupBy(chart => (X: chart.X.Label, Y: chart.Y.Label, Joined: chart.Curves.Any(curve => curve.Joined)))
                .Select(alike => alike.Key.Joined ? Along(figure.Title, alike.First(), [.. alike.SelectMany(chart => chart.Curves
                    .Select(curve => curve with { Name = curve.Name == "" ? chart.Title : $"{chart.Title}, {curve.Name}" }))])
                    : Points(alike.First()));
        return figure.Charts.Select(chart => chart.Curves.Any(curve => curve.Joined)
            ? Along(figure.Charts.Count == 1 ? chart.Title : $"{figure.Title}, {char.ToLowerInvariant(chart.Title[0])}{chart.Title[1..]}",
                chart, [.. chart.Curves.Where(curve => curve.Joined && curve.Name != "")]) : Points(chart));
    }

    /// <summary>Each curve at a few places.</summary>
    private static Table Along(string title, Chart chart, List<Curve> curves)
    {
        var longest = curves.MaxBy(curve => curve.Points.Count)?.Points ?? [];
        var places = JobCharts.Some(longest, Places).Select(point => point.X).Distinct().ToList();
        var banded = curves.Exists(curve => curve.Points.Any(point => point.Low is not null));
        return new($"{title}: {chart.Y.Label}{(banded ? ", mean [95 % interval]" : "")}",
            ["", .. places.Select(place => $"{chart.X.Label} {Place(chart.X, place)}")],
            [.. curves.Select(curve => new Row([curve.Name, .. places.Select(place => (Cell)At(curve, place))]))], Folded: true);
    }

    /// <summary>Evaluations come every so many steps: where in an epoch is told to a tenth.</summary>
    private static string Place(ChartAxis axis, double place) => axis.Label == "epoch" && place >= 1
        ? place.ToString("0.#", CultureInfo.InvariantCulture) : Numbers.Short(place);

    private static Table Points(Chart chart) => new(chart.Title, ["", chart.X.Label, chart.Y.Label, "95 % interval"],
        [.. chart.Curves.Where(curve => curve.Name != "").SelectMany(
            curve => curve.Points.Select(point => new Row([curve.Name, Numbers.Short(point.X), Numbers.Short(point.Y), Interval(point)])))],
        Folded: true);

    /// <summary>The value there, or the last one before; nothing where the curve has ended before.</summary>
    private static string At(Curve curve, double place)
    {
        var before = curve.Points.Where(point => point.X <= place).ToList();
        return before.Count == 0 || curve.Points[^1].X < place ? "–"
            : $"{Numbers.Short(before[^1].Y)}{(before[^1].Low is null ? "" : $" {Interval(before[^1])}")}";
    }

    private static string Interval(CurvePoint point) =>
        point is { Low: { } low, High: { } high } ? $"[{Numbers.Short(low)}, {Numbers.Short(high)}]" : "–";
}
