using ScottPlot;

namespace TrainingService.Host.Reports;

/// <summary>
/// How a curve is told from the others: by dash and marker where there is no color, by colors that the usual kinds of color blindness keep apart and that have
/// at least 4.5 : 1 of contrast on white, so that text may have them too.
/// </summary>
/// <param name="Color">As #RRGGBB; each of its own, for it also names the curve in the drawing.</param>
/// <param name="Dash">SVG's stroke-dasharray; null is solid.</param>
/// <param name="Marker">At the curve's end and on some of its points.</param>
public sealed record ChartStyle(string Color, string? Dash, MarkerShape Marker)
{
    private static readonly ChartStyle[] All =
    [
        new("#0063A6", null, MarkerShape.FilledCircle),
        new("#B84A00", "8 4", MarkerShape.FilledSquare),
        new("#00745A", "2 3", MarkerShape.FilledTriangleUp),
        new("#93397A", "10 4 2 4", MarkerShape.OpenDiamond),
        new("#3A3A3A", "14 4", MarkerShape.OpenCircle),
        new("#7A5C00", "5 2", MarkerShape.OpenSquare),
        new("#5548B0", "12 3 2 3 2 3", MarkerShape.Eks),
        new("#A3202C", "1 4", MarkerShape.OpenTriangleDown),
    ];

    public static int Count => All.Length;

    public static ChartStyle Of(int index) => All[index % All.Length];

    public static string? DashOf(string? color) => All.FirstOrDefault(style => style.Color.Equals(color, StringComparison.OrdinalIgnoreCase))?.Dash;
}
