using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using ScottPlot;
using SkiaSharp;

namespace TrainingService.Host.Reports;

/// <summary>
/// Draws charts as SVG that needs nothing from outside. ScottPlot draws the lines; letters are SVG text elements, which the reader's own fonts show: a container
/// need not have any, and names in any script remain readable, searchable and selectable.
/// </summary>
public static partial class ChartSvg
{
    private const double TitleSize = 15, TextSize = 12.5;
    private const string Ink = "#1A1A1A", Faint = "#595959";

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>One picture of one or more charts below each other.</summary>
    public static string Draw(params IReadOnlyList<Chart> charts)
    {
        var width = charts.Max(chart => chart.Width);
        var height = charts.Sum(chart => chart.Height);
        var title = charts[0].Title;
        var svg = new XElement(Svg + "svg", new XAttribute("width", "100%"), new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("role", "img"),
            new XAttribute("aria-label", Clean(title)), new XAttribute("style", $"max-width:{width}px;height:auto;background:#fff"),
            new XAttribute("font-family", "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"), new XAttribute("font-size", TextSize), new XAttribute("fill", Ink),
            new XElement(Svg + "title", Clean(title)),
            new XElement(Svg + "desc", Clean(string.Join(' ', charts.Select(chart => charts.Count == 1 ? chart.Describe() : $"{chart.Title}: {chart.Describe()}")))),
            new XElement(Svg + "rect", new XAttribute("width", width), new XAttribute("height", height), new XAttribute("fill", "#fff")));
        var top = 0;
        foreach (var chart in charts)
        {
            svg.Add(new XElement(Svg + "g", top == 0 ? null : new XAttribute("transform", $"translate(0 {top})"), new Drawing(chart).Elements()));
            top += chart.Height;
        }
        return svg.ToString(SaveOptions.DisableFormatting);
    }

    /// <summary>XML has no place for most control characters, not even escaped.</summary>
    public static string Clean(string text) => text.All(XmlConvert.IsXmlChar) ? text : string.Concat(text.Select((c, i) =>
        XmlConvert.IsXmlChar(c) || (i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1])) || (i > 0 && char.IsSurrogatePair(text[i - 1], c)) ? c : '\uFFFD'));

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>What the wider of the usual fonts need; scripts with square letters need more.</summary>
    private static double WidthOf(string text) => text.Sum(c => c > '\u2E80' ? 1 : c is 'i' or 'j' or 'l' or ' ' or '.' or ',' or 't' or 'f' or 'r' ? 0.43 : c is 'm' or 'w' ? 0.95 : 0.66) * TextSize;

    private static XElement Text(double x, double y, string text, string anchor = "start", string? color = null, double? size = null, bool bold = false) =>
        new(Svg + "text", new XAttribute("x", Number(x)), new XAttribute("y", Number(y)), anchor == "start" ? null : new XAttribute("text-anchor", anchor),
            color is null ? null : new XAttribute("fill", color), size is null ? null : new XAttribute("font-size", size), bold ? new XAttribute("font-weight", "600") : null, Clean(text));

    [GeneratedRegex(@"-?\d+\.\d+")]
    private static partial Regex Decimal();

    private readonly record struct Label(string Text, string Whole, ChartStyle Style, CurvePoint End);

    private sealed class Drawing
    {
        private const double LineHeight = 17, LabelWidth = 190;

        /// <summary>What is beyond it is drawn there: the difference of larger numbers may be infinite.</summary>
        private const double Most = 1e300;

        private readonly Chart _chart;
        private readonly bool _atEnds;
        private readonly List<string> _note;
        private readonly List<Label> _labels;
        private readonly (double Min, double Max) _x, _y;
        private readonly PixelPadding _padding;
        private readonly List<Tick> _xTicks, _yTicks;

        public Drawing(Chart chart)
        {
            _chart = chart;
            _atEnds = chart.Curves.Any(curve => curve.Joined);
            _note = [.. Wrap(string.Join(' ', new[] { chart.Note, HasZeroOnLog() ? "Zeros lie on the lower edge." : null }.OfType<string>()), chart.Width - 30)];
            _x = Range(chart.X, chart.Curves.SelectMany(c => c.Points).SelectMany(p => (double?[])[p.X, p.XLow, p.XHigh]), _atEnds ? 0 : 0.08);
            _y = Range(chart.Y, chart.Curves.SelectMany(c => c.Points).SelectMany(p => (double?[])[p.Y, p.Low, p.High]), 0.04);
            _xTicks = TicksOf(chart.X, _x, Math.Max(3, chart.Width / 110));
            _yTicks = TicksOf(chart.Y, _y, Math.Max(3, chart.Height / 52));
            _labels = [.. chart.Curves.Select((curve, i) => (curve, Style: ChartStyle.Of(curve.Style ?? i)))
                .Where(entry => entry.curve.Name != "" && entry.curve.Points.Any(IsDrawn))
                .Select(entry => new Label(Shorten(entry.curve.Name), entry.curve.Name, entry.Style, entry.curve.Points.Last(IsDrawn)))];
            _padding = new(
                left: (float)(18 + _yTicks.Select(tick => WidthOf(tick.Label)).DefaultIfEmpty(20).Max()),
                right: (float)(_atEnds && _labels.Count > 0 ? 18 + _labels.Max(label => WidthOf(label.Text)) : 28),
                bottom: 46,
                top: (float)(34 + LineHeight * _note.Count + 22));
        }

        public IEnumerable<XElement> Elements()
        {
            yield return Text(14, 24, _chart.Title, size: TitleSize, bold: true);
            for (var i = 0; i < _note.Count; i++)
                yield return Text(14, 24 + LineHeight * (i + 1), _note[i], color: Faint);
            if (!_chart.HasData && _chart.NotFiniteFrom is null)
            {
                yield return Text(_chart.Width / 2.0, _chart.Height / 2.0 + 10, _chart.Empty, "middle", Faint, 14);
                yield break;
            }
            var plot = Lines();
            // The first time, ScottPlot draws twice; its own GetSvgXml draws a bitmap first, which takes most of the time.
            using (var nowhere = new SKNoDrawCanvas(_chart.Width, _chart.Height))
                plot.Render(nowhere, _chart.Width, _chart.Height);
            using var stream = new MemoryStream();
            using (var canvas = SKSvgCanvas.Create(SKRect.Create(_chart.Width, _chart.Height), stream))
                plot.Render(canvas, _chart.Width, _chart.Height);
            stream.Position = 0;
            var drawn = XElement.Load(stream);
            // Clip paths would need ids that are unique on a page; all that is drawn lies within the axes.
            foreach (var shape in drawn.Descendants().Where(e => e.Name.LocalName is "path" or "ellipse" or "rect" && e.Parent!.Name.LocalName != "clipPath"))
                if (Tidy(shape) is { } tidy)
                    yield return tidy;
            foreach (var text in Letters(plot))
                yield return text;
        }

        private Plot Lines()
        {
            var plot = new Plot();
            plot.Layout.Fixed(_padding);
            plot.FigureBackground.Color = Colors.Transparent;
            plot.DataBackground.Color = Colors.Transparent;
            // ScottPlot sees the unit square, so that no range of values is beyond it.
            plot.Axes.SetLimits(0, 1, 0, 1);
            plot.Axes.Bottom.SetTicks([.. _xTicks.Select(tick => In(_x, tick.Position))], [.. _xTicks.Select(_ => "")]);
            plot.Axes.Left.SetTicks([.. _yTicks.Select(tick => In(_y, tick.Position))], [.. _yTicks.Select(_ => "")]);
            plot.Axes.Top.FrameLineStyle.Width = plot.Axes.Right.FrameLineStyle.Width = plot.Axes.Left.FrameLineStyle.Width = 0;
            plot.Axes.Left.MajorTickStyle.Length = 0;
            plot.Axes.Bottom.FrameLineStyle.Color = plot.Axes.Bottom.MajorTickStyle.Color = Color.FromHex(Faint);
            plot.Grid.XAxisStyle.IsVisible = false;
            plot.Grid.YAxisStyle.MajorLineStyle.Color = Color.FromHex("#DDDDDD");
            plot.Grid.YAxisStyle.MajorLineStyle.Width = 1;
            if (_y.Min < 0 && _y.Max > 0 && !_chart.Y.Log)
                plot.Add.HorizontalLine(OnY(0), 1, Color.FromHex("#999999"));

            for (var i = 0; i < _chart.Curves.Count; i++)
                if (_chart.Curves[i].Joined)
                    AddBand(plot, _chart.Curves[i], ChartStyle.Of(_chart.Curves[i].Style ?? i));
            for (var i = 0; i < _chart.Curves.Count; i++)
                Add(plot, _chart.Curves[i], ChartStyle.Of(_chart.Curves[i].Style ?? i), i);
            if (_chart.NotFiniteFrom is { } from)
                plot.Add.VerticalLine(OnX(from), 1, Color.FromHex(Ink));
            return plot;
        }

        private void AddBand(Plot plot, Curve curve, ChartStyle style)
        {
            foreach (var stretch in Stretches(curve.Points, point => IsDrawn(point) && point is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high)))
            {
                var band = plot.Add.FillY([.. stretch.Select(p => OnX(p.X))], [.. stretch.Select(p => OnY(p.Low!.Value))], [.. stretch.Select(p => OnY(p.High!.Value))]);
                band.FillColor = Color.FromHex(style.Color).WithAlpha(0.16);
                band.LineWidth = 0;
                band.MarkerSize = 0;
            }
        }

        private void Add(Plot plot, Curve curve, ChartStyle style, int index)
        {
            var color = Color.FromHex(style.Color);
            var drawn = curve.Points.Where(IsDrawn).ToList();
            if (drawn.Count == 0)
                return;
            if (curve.Joined)
                foreach (var stretch in Stretches(curve.Points, IsDrawn))
                {
                    var line = plot.Add.ScatterLine(stretch.Select(p => OnX(p.X)).ToArray(), stretch.Select(p => OnY(p.Y)).ToArray(), color);
                    line.LineWidth = 2;
                }
            else
                foreach (var point in drawn)
                    AddErrorBars(plot, point, color);
            // Where points stand for measurements and lines for theory, a line's markers would pass for measurements.
            if (curve.Joined && !_chart.Curves.All(c => c.Joined))
                return;
            // Some markers along the curve, not at the same places as its neighbours', and one at its end.
            var every = curve.Joined ? Math.Max(1, drawn.Count / 7) : 1;
            var marked = drawn.Where((_, i) => i == drawn.Count - 1 || (i + index * every / 3) % every == 0).ToList();
            var markers = plot.Add.Markers(marked.Select(p => OnX(p.X)).ToArray(), marked.Select(p => OnY(p.Y)).ToArray(), style.Marker, curve.Joined ? 7 : 10, color);
            markers.MarkerStyle.LineWidth = 1.6f;
            markers.MarkerStyle.LineColor = color;
        }

        private void AddErrorBars(Plot plot, CurvePoint point, Color color)
        {
            Bar(point.X, point.Low, point.X, point.High);
            Bar(point.XLow, point.Y, point.XHigh, point.Y);

            void Bar(double? x1, double? y1, double? x2, double? y2)
            {
                if (x1 is not { } left || x2 is not { } right || y1 is not { } low || y2 is not { } high || !double.IsFinite(left + right + low + high))
                    return;
                plot.Add.ScatterLine((double[])[OnX(left), OnX(right)], (double[])[OnY(low), OnY(high)], color).LineWidth = 1.5f;
            }
        }

        private IEnumerable<XElement> Letters(Plot plot)
        {
            var bottom = _chart.Height - _padding.Bottom;
            yield return Text(14, _padding.Top - 12, _chart.Y.Label, color: Faint);
            foreach (var tick in _yTicks)
                yield return Text(_padding.Left - 8, plot.GetPixel(new(0, In(_y, tick.Position))).Y + 4.5, tick.Label, "end", Faint);
            foreach (var tick in _xTicks)
                yield return Text(plot.GetPixel(new(In(_x, tick.Position), 0)).X, bottom + 18, tick.Label, "middle", Faint);
            yield return Text((_padding.Left + _chart.Width - _padding.Right) / 2, bottom + 37, _chart.X.Label, "middle", Faint);

            var places = _labels.Select(label => (Label: label, Point: plot.GetPixel(new(OnX(label.End.X), OnY(label.End.Y))))).OrderBy(place => place.Point.Y).ToList();
            foreach (var text in _atEnds ? NamesAtEnds(places, bottom) : NamesAtPoints(places))
                yield return text;
            if (_chart.NotFiniteFrom is { } from)
            {
                var x = plot.GetPixel(new(OnX(from), 1)).X;
                var left = x > _chart.Width * 0.5;
                yield return OnWhite(Text(left ? x - 6 : x + 6, bottom - 8, _chart.NotFiniteMark(from), left ? "end" : "start", bold: true));
            }
        }

        private IEnumerable<XElement> NamesAtEnds(List<(Label Label, Pixel Point)> places, double bottom)
        {
            var ys = Apart([.. places.Select(place => (double)place.Point.Y)], _padding.Top, bottom);
            var edge = _chart.Width - _padding.Right + 14;
            for (var i = 0; i < places.Count; i++)
            {
                var (label, point) = places[i];
                // From the curve's end to its name, where that isn't beside it.
                if (Math.Abs(ys[i] - point.Y) > 3 || point.X < edge - 24)
                    yield return new XElement(Svg + "path", new XAttribute("d", $"M{Number(point.X + 5)} {Number(point.Y)}L{Number(edge - 3)} {Number(ys[i])}"),
                        new XAttribute("stroke", "#999"), new XAttribute("stroke-width", "0.8"), new XAttribute("fill", "none"));
                yield return Name(label, edge, ys[i] + 4.5, "start");
            }
        }

        private IEnumerable<XElement> NamesAtPoints(List<(Label Label, Pixel Point)> places)
        {
            var taken = new List<(double Left, double Right, double Y)>();
            foreach (var (label, point) in places)
            {
                var width = WidthOf(label.Text);
                var before = point.X + 10 + width > _chart.Width - 8;
                var (left, y) = (before ? point.X - 10 - width : point.X + 10, point.Y - 6.0);
                while (taken.Any(other => left < other.Right && other.Left < left + width && Math.Abs(other.Y - y) < 15))
                    y += 15;
                taken.Add((left, left + width, y));
                yield return OnWhite(Name(label, before ? point.X - 10 : left, y, before ? "end" : "start"));
            }
        }

        private static XElement Name(Label label, double x, double y, string anchor)
        {
            var text = Text(x, y, label.Text, anchor, label.Style.Color, bold: true);
            if (label.Text != label.Whole)
                text.Add(new XElement(Svg + "title", Clean(label.Whole)));
            return text;
        }

        /// <summary>Readable on top of lines.</summary>
        private static XElement OnWhite(XElement text)
        {
            text.Add(new XAttribute("stroke", "#fff"), new XAttribute("stroke-width", "3"), new XAttribute("stroke-linejoin", "round"), new XAttribute("paint-order", "stroke"));
            return text;
        }

        /// <summary>A line's height between each and the next, moving none further than it must.</summary>
        private static double[] Apart(double[] sorted, double top, double bottom)
        {
            var gap = Math.Min(15.5, (bottom - top + 15) / Math.Max(1, sorted.Length));
            for (var i = 1; i < sorted.Length; i++)
                sorted[i] = Math.Max(sorted[i], sorted[i - 1] + gap);
            if (sorted.Length > 0)
                sorted[^1] = Math.Min(sorted[^1], bottom);
            for (var i = sorted.Length - 2; i >= 0; i--)
                sorted[i] = Math.Min(sorted[i], sorted[i + 1] - gap);
            return sorted;
        }

        /// <summary>ScottPlot's shape with one decimal, without what is SVG's default, and with the dash that Skia would have cut into a hundred pieces.</summary>
        private static XElement? Tidy(XElement shape)
        {
            var tidy = new XElement(Svg + shape.Name.LocalName);
            foreach (var attribute in shape.Attributes())
                if (attribute.Name.LocalName is not ("stroke-miterlimit" or "clip-path"))
                    tidy.Add(new XAttribute(attribute.Name, Decimal().Replace(attribute.Value, number => double.Parse(number.Value, CultureInfo.InvariantCulture).ToString(
                        attribute.Name.LocalName.EndsWith("opacity", StringComparison.Ordinal) ? "0.##" : "0.#", CultureInfo.InvariantCulture))));
            // The left axis' ticks have no length. Backgrounds are transparent, which Skia writes as a rectangle without a fill: black.
            if (shape.Attribute("stroke")?.Value == "black" || shape.Attribute("fill-opacity")?.Value == "0" || (shape.Attribute("fill")?.Value is null or "none" && shape.Attribute("stroke") is null))
                return null;
            if (shape.Attribute("stroke-width")?.Value == "2" && ChartStyle.DashOf(shape.Attribute("stroke")?.Value) is { } dash)
                tidy.Add(new XAttribute("stroke-dasharray", dash));
            return tidy;
        }

        private bool IsDrawn(CurvePoint point) => double.IsFinite(point.X) && double.IsFinite(point.Y) && (!_chart.X.Log || point.X > 0) && (!_chart.Y.Log || point.Y >= 0);

        private bool HasZeroOnLog() => _chart.Y.Log && _chart.Curves.Any(curve => curve.Points.Any(point => point.Y == 0));

        private double OnX(double value) => In(_x, At(_chart.X, value));

        private double OnY(double value) => In(_y, At(_chart.Y, value));

        /// <summary>0 at the axis' lower end, 1 at its upper one.</summary>
        private static double In((double Min, double Max) range, double at) => Math.Clamp((at - range.Min) / (range.Max - range.Min), 0, 1);

        private static double At(ChartAxis axis, double value) => axis.Log ? value <= 0 ? double.NegativeInfinity : Math.Log10(value) : double.IsFinite(value) ? Math.Clamp(value, -Most, Most) : value;

        private static (double Min, double Max) Range(ChartAxis axis, IEnumerable<double?> values, double margin)
        {
            var placed = values.OfType<double>().Select(value => At(axis, value)).Where(double.IsFinite).ToList();
            var (min, max) = placed.Count == 0 ? (0, 1) : (placed.Min(), placed.Max());
            if (axis.Min is { } least)
                min = At(axis, least);
            if (axis.Max is { } most)
                max = At(axis, most);
            if (max - min <= Math.Abs(max) * 1e-9)
                (min, max) = axis.Log ? (min - 0.5, max + 0.5) : max == 0 ? (0, 1) : (min - Math.Abs(min) * 0.1, max + Math.Abs(max) * 0.1);
            return (axis.Min is null ? min - (max - min) * margin : min, axis.Max is null ? max + (max - min) * margin : max);
        }

        private static List<Tick> TicksOf(ChartAxis axis, (double Min, double Max) range, int wanted) =>
            axis.Log ? Ticks.Log(range.Min, range.Max, wanted) : Ticks.Linear(range.Min, range.Max, wanted);

        private static IEnumerable<List<CurvePoint>> Stretches(IReadOnlyList<CurvePoint> points, Func<CurvePoint, bool> belongs)
        {
            var stretch = new List<CurvePoint>();
            foreach (var point in points)
            {
                if (belongs(point))
                {
                    stretch.Add(point);
                    continue;
                }
                if (stretch.Count > 1)
                    yield return stretch;
                stretch = [];
            }
            if (stretch.Count > 1)
                yield return stretch;
        }

        private static string Shorten(string name)
        {
            if (WidthOf(name) <= LabelWidth)
                return name;
            var kept = 1;
            while (WidthOf(name[..(kept + 1)]) < LabelWidth - 14)
                kept++;
            return (char.IsHighSurrogate(name[kept - 1]) ? name[..(kept - 1)] : name[..kept]).TrimEnd() + "…";
        }

        private static IEnumerable<string> Wrap(string text, double width)
        {
            var line = new StringBuilder();
            foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (line.Length > 0 && WidthOf($"{line} {word}") > width)
                {
                    yield return line.ToString();
                    line.Clear();
                }
                line.Append(line.Length == 0 ? "" : " ").Append(word);
            }
            if (line.Length > 0)
                yield return line.ToString();
        }
    }
}
