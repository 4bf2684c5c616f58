namespace TrainingService.Host.Reports;

/// <summary>
/// How a curve is told from the others: by dash and marker where there is no color, by colors that the usual kinds of color blindness keep
/// apart and that have at least 4.5 : 1 of contrast on white, so that text may have them too.
/// </summary>
/// <param name="Color">As #RRGGBB.</param>
/// <param name="Dark">The same on a dark page.</param>
/// <param name="Dash">SVG's stroke-dasharray; null is solid.</param>
/// <param name="Marker">At the curve's end and on some of its points: an SVG path of radius 1 around the origin.</param>
/// <param name="Filled">Else its outline is drawn.</param>
public sealed record ChartStyle(string Color, string Dark, string? Dash, string Marker, bool Filled = false)
{
    private const string Circle = "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0Z",
        Square = "M-1 -1H1V1H-1Z", Diamond = "M0 -1L1 0L0 1L-1 0Z", Cross = "M-1 -1L1 1M-1 1L1 -1",
        Up = "M0 -1.155L1 .577H-1Z", Down = "M0 1.155L1 -.577H-1Z";

    private static readonly ChartStyle[] All =
    [
        new("#0063A6", "#7CC0FF", null, Circle, true),
        new("#B84A00", "#FFA366", "8 4", Square, true),
        new("#00745A", "#5FD6B4", "2 3", Up, true),
        new("#93397A", "#F0A3DB", "10 4 2 4", Diamond),
        new("#3A3A3A", "#D8D8D8", "14 4", Circle),
        new("#7A5C00", "#E3C45C", "5 2", Square),
        new("#5548B0", "#BDB4FF", "12 3 2 3 2 3", Cross),
        new("#A3202C", "#FF9C9C", "1 4", Down),
    ];

    public static int Count => All.Length;

    public static ChartStyle Of(int index) => All[index % All.Length];

    /// <summary>Its place, for the page's variables.</summary>
    public int Index => Array.IndexOf(All, this);
}

/// <summary>Colors of a picture: of one that stands alone, or of one on a page that may be dark.</summary>
/// <param name="Ink">Of text.</param>
/// <param name="Faint">Of what matters less.</param>
/// <param name="Paper">Behind it.</param>
/// <param name="Grid">Lines to read values by.</param>
/// <param name="Axis">The line at zero, and leaders.</param>
/// <param name="Alone">Whether it brings its paper along.</param>
public sealed record Palette(string Ink, string Faint, string Paper, string Grid, string Axis, bool Alone)
{
    public static readonly Palette OnPaper = new("#1A1A1A", "#595959", "#fff", "#DDD", "#999", true);

    /// <summary>Variables of the page's style; see <see cref="Variables"/>.</summary>
    public static readonly Palette OnPage = new("var(--ink)", "var(--faint)", "var(--paper)", "var(--grid)", "var(--axis)", false);

    public string Of(ChartStyle style) => Alone ? style.Color : $"var(--c{style.Index})";

    /// <summary>The page's variables for curves.</summary>
    public static string Variables(bool dark) => string.Concat(Enumerable.Range(0, ChartStyle.Count)
        .Select(i => $"--c{i}:{(dark ? ChartStyle.Of(i).Dark : ChartStyle.Of(i).Color)};"));
}
