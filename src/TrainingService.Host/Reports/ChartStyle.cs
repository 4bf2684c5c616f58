namespace TrainingService.Host.Reports;

/// <summary>
/// How a curve is told from the others: by dash and marker where there is no color, by colors that the usual kinds of color blindness keep
/// apart and that have at least 4.5 : 1 of contrast on white, so that text may have them too.
/// </summary>
/// <param name="Color">As #RRGGBB.</param>
/// <param name="Dash">SVG's stroke-dasharray; null is solid.</param>
/// <param name="Marker">At the curve's end and on some of its points: an SVG path of radius 1 around the origin.</param>
/// <param name="Filled">Else its outline is drawn.</param>
public sealed record ChartStyle(string Color, string? Dash, string Marker, bool Filled = false)
{
    private const string Circle = "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0Z",
        Square = "M-1 -1H1V1H-1Z", Diamond = "M0 -1L1 0L0 1L-1 0Z", Cross = "M-1 -1L1 1M-1 1L1 -1",
        Up = "M0 -1.155L1 .577H-1Z", Down = "M0 1.155L1 -.577H-1Z";

    private static readonly ChartStyle[] All =
    [
        new("#0063A6", null, Circle, true),
        new("#B84A00", "8 4", Square, true),
        new("#00745A", "2 3", Up, true),
        new("#93397A", "10 4 2 4", Diamond),
        new("#3A3A3A", "14 4", Circle),
        new("#7A5C00", "5 2", Square),
        new("#5548B0", "12 3 2 3 2 3", Cross),
        new("#A3202C", "1 4", Down),
    ];

    public static int Count => All.Length;

    public static ChartStyle Of(int index) => All[index % All.Length];
}
