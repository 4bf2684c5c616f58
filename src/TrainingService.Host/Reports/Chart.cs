using System.Text;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>A point of a curve with its error bars, or the edges of the band there. A value that is not finite is a gap.</summary>
public readonly record struct CurvePoint(double X, double Y, double? Low = null,
    double? High = null, double? XLow = null, double? XHigh = null)
{
    /// <summary>Written beside it.</summary>
    public string? Label { get; init; }
}

/// <summary>One line of a chart, or a cloud of points if they aren't joined.</summary>
/// <param name="Name">Written at its end; empty where another curve of the same style says it.</param>
/// <param name="Points">In the order of x where they are joined.</param>
/// <param name="Joined">By a line, with low and high as a band; else each point stands alone with error bars.</param>
/// <param name="Style">Which dash, marker and color: the same number looks the same in every chart. Null takes the
/// curve's place in the chart.</param>
public sealed record Curve(string Name, IReadOnlyList<CurvePoint> Points, bool Joined = true, int? Style = null)
{
    /// <summary>Joined by a line, and each point marked with error bars: settings that were tried, and nothing between them.</summary>
    public bool Marked { get; init; }
}

/// <summary>
/// An axis: what it shows with its unit, and its ends where the data shall not set them. A curve that leaves it ends at its edge.
/// </summary>
public sealed record ChartAxis(string Label, bool Log = false, double? Min = null, double? Max = null);

/// <summary>What is to be drawn.</summary>
/// <param name="Title">What one sees, in a few words.</param>
/// <param name="X">Horizontal axis.</param>
/// <param name="Y">Vertical axis.</param>
/// <param name="Curves">At most <see cref="ChartStyle.Count"/> can be told apart.</param>
public sealed record Chart(string Title, ChartAxis X, ChartAxis Y, IReadOnlyList<Curve> Curves)
{
    /// <summary>How to read it: what a band is, what was left out.</summary>
    public string? Note { get; init; }

    /// <summary>Shown in place of curves where there are none.</summary>
    public string Empty { get; init; } = "Nothing has been measured yet.";

    /// <summary>Values that make no difference, shaded.</summary>
    public (double Low, double High)? Band { get; init; }

    /// <summary>Whether curves bear their names; not where a legend beside the chart does it.</summary>
    public bool Named { get; init; } = true;

    /// <summary>Whether curves have markers; not where their names stand at their ends anyway.</summary>
    public bool Marks { get; init; } = true;

    public const int FullWidth = 720;

    public int Width { get; init; } = FullWidth;
    public int Height { get; init; } = 380;

    /// <summary>Whether any curve has a finite point.</summary>
    public bool HasData => Curves.Any(curve => curve.Points.Any(point => double.IsFinite(point.Y)));

    /// <summary>The smallest x at which a value is not finite; null if all are.</summary>
    public double? NotFiniteFrom =>
        Curves.SelectMany(curve => curve.Points).Where(point => !double.IsFinite(point.Y)).Select(point => (double?)point.X).Min();

    /// <summary>What is written at that place; the name too, where there are other curves that stay finite.</summary>
    public string NotFiniteMark(double from)
    {
        var broken = Curves.Where(curve => curve.Points.Any(point => !double.IsFinite(point.Y))).ToList();
        return broken.Count == 1 && Curves.Count > 1
            ? $"✕ {broken[0].Name}: not finite from {X.Label} {Numbers.Short(from)}"
            : $"✕ not finite from {X.Label} {Numbers.Short(from)}";
    }

    /// <summary>The picture in words, for those who don't see it.</summary>
    public string Describe()
    {
        if (Curves.Sum(curve => curve.Points.Count) == 0)
            return Empty;
        var text = new StringBuilder($"{Y.Label} against {X.Label}. ");
        foreach (var curve in Curves.Where(curve => curve.Points.Count > 0 && curve.Name != ""))
        {
            var finite = curve.Points.Where(point => double.IsFinite(point.Y)).ToList();
            if (finite.Count == 0)
                text.Append($"{curve.Name}: no finite value. ");
            else if (finite.Count == 1 || !curve.Joined || curve.Marked)
                text.Append($"{curve.Name}: "
                    + $"{string.Join("; ", finite.Take(10).Select(point => $"{Numbers.Short(point.Y)} at {Numbers.Short(point.X)}"))}. ");
            else if (!Marks)
                text.Append($"{curve.Name}: {Numbers.Short(finite[0].Y)} to {Numbers.Short(finite[^1].Y)}. ");
            else
                text.Append($"{curve.Name}: from {Numbers.Short(finite[0].Y)} at {Numbers.Short(finite[0].X)} "
                    + $"to {Numbers.Short(finite[^1].Y)} at {Numbers.Short(finite[^1].X)}, "
                    + $"lowest {Numbers.Short(finite.Min(point => point.Y))}, highest {Numbers.Short(finite.Max(point => point.Y))}. ");
        }
        if (NotFiniteFrom is { } from)
            text.Append($"Not finite from {Numbers.Short(from)} on. ");
        return text.Append(Note).ToString().Trim();
    }
}
