using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace TrainingService.Host.Reports;

/// <summary>
/// Draws charts as SVG that needs nothing from outside. Letters are text elements, which the reader's own fonts show: a container need not
/// have any, and names in any script remain readable, searchable and selectable.
/// </summary>
public static class ChartSvg
{
    private const double TitleSize = 15, TextSize = 12.5;

    internal static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>One picture of one or more charts below each other.</summary>
    public static string Draw(params IReadOnlyList<Chart> charts) => Draw(Palette.OnPaper, charts);

    /// <summary>For a page of light and dark, whose style has the colors.</summary>
    public static string OnPage(Chart chart) => Draw(Palette.OnPage, [chart]);

    private static string Draw(Palette colors, IReadOnlyList<Chart> charts)
    {
        var width = charts.Max(chart => chart.Width);
        var height = charts.Sum(chart => chart.Height);
        var title = charts[0].Title;
        var svg = Picture(colors, width, height, title, string.Join(' ',
            charts.Select(chart => charts.Count == 1 ? chart.Describe() : $"{chart.Title}: {chart.Describe()}")));
        var top = 0;
        foreach (var chart in charts)
        {
            svg.Add(new XElement(Svg + "g", top == 0 ? null : new XAttribute("transform", $"translate(0 {top})"),
                new Drawing(chart, colors).Elements()));
            top += chart.Height;
        }
        return svg.ToString(SaveOptions.DisableFormatting);
    }

    /// <summary>An empty picture with its name and its description.</summary>
    internal static XElement Picture(Palette colors, int width, int height, string title, string description) => new(Svg + "svg",
        new XAttribute("width", "100%"), new XAttribute("viewBox", $"0 0 {width} {height}"), new XAttribute("role", "img"),
        new XAttribute("aria-label", Clean(title)),
        new XAttribute("style", $"max-width:{width}px;height:auto{(colors.Alone ? ";background:#fff" : "")}"),
        colors.Alone ? new XAttribute("font-family", "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif") : null,
        new XAttribute("font-size", TextSize), new XAttribute("fill", colors.Ink), new XElement(Svg + "title", Clean(title)),
        new XElement(Svg + "desc", Clean(description)), !colors.Alone ? null
            : new XElement(Svg + "rect", new XAttribute("width", width), new XAttribute("height", height), new XAttribute("fill", "#fff")));

    /// <summary>XML has no place for most control characters, not even escaped.</summary>
    public static string Clean(string text) => text.All(XmlConvert.IsXmlChar) ? text : string.Concat(text.Select((c, i) =>
        XmlConvert.IsXmlChar(c) || (i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1]))
        || (i > 0 && char.IsSurrogatePair(text[i - 1], c)) ? c : '\uFFFD'));

    internal static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>What the wider of the usual fonts need; scripts with square letters need more.</summary>
    internal static double WidthOf(string text) => text.Sum(c => c > '\u2E80' ? 1
        : c is 'i' or 'j' or 'l' or ' ' or '.' or ',' or 't' or 'f' or 'r' ? 0.43 : c is 'm' or 'w' ? 0.95 : 0.66) * TextSize;

    internal static XElement Text(double x, double y, string text, string anchor = "start",
        string? color = null, double? size = null, bool bold = false) =>
        new(Svg + "text", new XAttribute("x", Number(x)), new XAttribute("y", Number(y)),
            anchor == "start" ? null : new XAttribute("text-anchor", anchor), color is null ? null : new XAttribute("fill", color),
            size is null ? null : new XAttribute("font-size", size), bold ? new XAttribute("font-weight", "600") : null, Clean(text));

    internal static XElement Path(string d, string stroke, double width, XAttribute? more = null) =>
        new(Svg + "path", new XAttribute("fill", "none"), new XAttribute("stroke", stroke),
            new XAttribute("stroke-width", width), new XAttribute("d", d), more);

    private readonly record struct Label(string Text, string Whole, ChartStyle Style, CurvePoint End);

    private sealed class Drawing
    {
        private const double LineHeight = 17, LabelWidth = 190;

        /// <summary>What is beyond it is drawn there: the difference of larger numbers may be infinite.</summary>
        private const double Most = 1e300;

        private readonly Chart _chart;
        private readonly Palette _colors;
        private readonly bool _atEnds;
        private readonly List<string> _note;
        private readonly List<Label> _labels;
        private readonly (double Min, double Max) _x, _y;
        private readonly double _left, _right, _top, _bottom;
        private readonly List<Tick> _xTicks, _yTicks;

        public Drawing(Chart chart, Palette colors)
        {
            (_chart, _colors) = (chart, colors);
            _atEnds = chart.Curves.Any(curve => curve.Joined);
            _note = [.. Wrap(string.Join(' ',
                new[] { chart.Note, HasZeroOnLog() ? "Zeros lie on the lower edge." : null }.OfType<string>()), chart.Width - 30)];
            var beside = chart.Curves.Any(curve => curve.Marked || !curve.Joined);
            _x = Range(chart.X,
                chart.Curves.SelectMany(c => c.Points).SelectMany(p => (double?[])[p.X, p.XLow, p.XHigh]), beside ? 0.06 : 0);
            _y = Range(chart.Y, chart.Curves.SelectMany(c => c.Points).SelectMany(p => (double?[])[p.Y, p.Low, p.High]), 0.04);
            _xTicks = TicksOf(chart.X, _x, Math.Max(3, chart.Width / 100));
            _yTicks = TicksOf(chart.Y, _y, Math.Max(3, chart.Height / 52));
            _labels = [.. chart.Curves.Select((curve, i) => (curve, Style: ChartStyle.Of(curve.Style ?? i)))
                .Where(entry => chart.Named && entry.curve.Name != "" && entry.curve.Points.Any(IsSeen))
                .Select(entry => new Label(Shorten(entry.curve.Name), entry.curve.Name, entry.Style,
                    entry.curve.Points.Last(IsSeen)))];
            _left = 18 + _yTicks.Select(tick => WidthOf(tick.Label)).DefaultIfEmpty(20).Max();
            _right = chart.Width - (_atEnds && _labels.Count > 0 ? 18 + _labels.Max(label => WidthOf(label.Text)) : 28);
            _top = 34 + LineHeight * _note.Count + 22;
            _bottom = chart.Height - 46;
        }

        public IEnumerable<XElement> Elements()
        {
            yield return Text(14, 24, _chart.Title, size: TitleSize, bold: true);
            for (var i = 0; i < _note.Count; i++)
                yield return Text(14, 24 + LineHeight * (i + 1), _note[i], color: _colors.Faint);
            if (!_chart.HasData && _chart.NotFiniteFrom is null)
            {
                yield return Text(_chart.Width / 2.0, _chart.Height / 2.0 + 10, _chart.Empty, "middle", _colors.Faint, 14);
                yield break;
            }
            if (_chart.Band is { } band && OnY(band.Low) - OnY(band.High) is > 0 and var tall)
                yield return new(Svg + "rect", new XAttribute("x", Number(_left)), new XAttribute("y", Number(OnY(band.High))),
                    new XAttribute("width", Number(_right - _left)), new XAttribute("height", Number(tall)),
                    new XAttribute("fill", _colors.Axis), new XAttribute("fill-opacity", "0.22"));
            if (_yTicks.Count > 0)
                yield return Path(string.Concat(_yTicks.Select(tick => Number(Down(_y, tick.Position)) is var y
                    ? $"M{Number(_left)} {y}H{Number(_right)}" : "")), _colors.Grid, 1);
            if (_y.Min < 0 && _y.Max > 0 && !_chart.Y.Log)
                yield return Horizontal(OnY(0), _colors.Axis);
            var curves = _chart.Curves.Select((curve, i) => (Curve: curve, Style: ChartStyle.Of(curve.Style ?? i))).ToList();
            foreach (var shape in curves.Where(entry => entry.Curve.Joined).SelectMany(entry => Bands(entry.Curve, entry.Style))
                .Concat(curves.SelectMany((entry, i) => Drawn(entry.Curve, entry.Style, i))))
                yield return shape;
            if (_chart.NotFiniteFrom is { } from)
                yield return Vertical(OnX(from), _top, _bottom, _colors.Ink);
            yield return Path($"M{Number(_left)} {Number(_bottom)}H{Number(_right)}" + string.Concat(_xTicks.Select(tick =>
                $"M{Number(Across(_x, tick.Position))} {Number(_bottom)}v4")), _colors.Faint, 1);
            foreach (var text in Letters())
                yield return text;
        }

        private XElement Horizontal(double y, string color) => Path(Line([(_left, y), (_right, y)]), color, 1);

        private static XElement Vertical(double x, double y1, double y2, string color) => Path(Line([(x, y1), (x, y2)]), color, 1);

        private static string Line(IEnumerable<(double X, double Y)> points) =>
            "M" + string.Join('L', points.Select(point => $"{Number(point.X)} {Number(point.Y)}"));

        /// <summary>To whole pixels: it has no edge.</summary>
        private static string Area(IEnumerable<(double X, double Y)> points) => "M" + string.Join('L', points.Select(point =>
            string.Create(CultureInfo.InvariantCulture, $"{point.X:0} {point.Y:0}")));

        private IEnumerable<XElement> Bands(Curve curve, ChartStyle style)
        {
            bool IsBand(CurvePoint point) =>
                IsDrawn(point) && point is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high)
                && !(OnY(low) == OnY(high) && (OnY(low) == _top || OnY(low) == _bottom));
            return curve.Marked ? [] : Stretches(curve.Points, IsBand)
                .Select(stretch => new XElement(Svg + "path", new XAttribute("fill", _colors.Of(style)), new XAttribute("fill-opacity",
                    "0.16"),
                    new XAttribute("d", Area([.. stretch.Select(p => (OnX(p.X), OnY(p.High ?? p.Y))),
                        .. stretch.AsEnumerable().Reverse().Select(p => (OnX(p.X), OnY(p.Low ?? p.Y)))]) + "Z")));
        }

        private IEnumerable<XElement> Drawn(Curve curve, ChartStyle style, int index)
        {
            var drawn = curve.Points.Where(IsSeen).ToList();
            if (curve.Joined)
                foreach (var stretch in Stretches(curve.Points, IsDrawn).SelectMany(Within))
                    yield return Path(Line(stretch), _colors.Of(style),
                        2, style.Dash is { } dash ? new XAttribute("stroke-dasharray", dash) : null);
            if (!curve.Joined || curve.Marked)
                foreach (var point in drawn)
                    foreach (var bar in ErrorBars(point))
                        yield return Path(bar, _colors.Of(style), 1.5);
            // Where points stand for measurements and lines for theory, a line's markers would pass for measurements.
            if (curve.Joined && !curve.Marked && !(_chart.Marks && _chart.Curves.All(c => c.Joined)))
                yield break;
            // Some markers along the curve, not at the same places as its neighbours', and one at its end.
            var every = curve.Joined && !curve.Marked ? Math.Max(1, drawn.Count / (_chart.Width < Chart.FullWidth ? 3 : 7)) : 1;
            var radius = curve.Joined ? 3.5 : 5;
            yield return new XElement(Svg + "g", new XAttribute("fill", style.Filled ? _colors.Of(style) : "none"),
                style.Filled ? null : new XAttribute[] { new("stroke", _colors.Of(style)), new("stroke-width", Math.Round(1.6 / radius,
                    2)) },
                drawn.Where((_, i) => i == drawn.Count - 1 || (i + index * every / 3) % every == 0)
                    .Select(point => new XElement(Svg + "path",
                        new XAttribute("transform", $"translate({Number(OnX(point.X))} {Number(OnY(point.Y))}) scale({Number(radius)})"),
                        new XAttribute("d", style.Marker))));
        }

        private IEnumerable<string> ErrorBars(CurvePoint point)
        {
            if (point is { Low: { } low, High: { } high } && double.IsFinite(low) && double.IsFinite(high))
                yield return Line([(OnX(point.X), OnY(low)), (OnX(point.X), OnY(high))]);
            if (point is { XLow: { } left, XHigh: { } right } && double.IsFinite(left) && double.IsFinite(right))
                yield return Line([(OnX(left), OnY(point.Y)), (OnX(right), OnY(point.Y))]);
        }

        private IEnumerable<XElement> Letters()
        {
            yield return Text(14, _top - 12, _chart.Y.Label, color: _colors.Faint);
            yield return Faint("end", _yTicks.Select(tick => Text(_left - 8, Down(_y, tick.Position) + 4.5, tick.Label)));
            yield return Faint("middle", _xTicks.Select(tick => Text(Across(_x, tick.Position), _bottom + 18, tick.Label))
                .Append(Text((_left + _right) / 2, _bottom + 37, _chart.X.Label)));

            var places = _labels.Select(label => (Label: label, X: OnX(label.End.X), Y: OnY(label.End.Y)))
                .OrderBy(place => place.Y).ToList();
            foreach (var text in NamesOfPoints().Concat(_atEnds ? NamesAtEnds(places) : NamesAtPoints(places)))
                yield return text;
            if (_chart.NotFiniteFrom is { } from)
            {
                var x = OnX(from);
                var left = x > _chart.Width * 0.5;
                yield return OnWhite(Text(left ? x - 6 : x + 6, _bottom - 8,
                    _chart.NotFiniteMark(from), left ? "end" : "start", bold: true));
            }
        }

        /// <summary>What they have in common is told once: a report has hundreds of them.</summary>
        private XElement Faint(string anchor, IEnumerable<XElement> texts) =>
            new(Svg + "g", new XAttribute("text-anchor", anchor), new XAttribute("fill", _colors.Faint), texts);

        private IEnumerable<XElement> NamesOfPoints() => _chart.Curves.Index().SelectMany(curve => curve.Item.Points
            .Where(point => point.Label is not null && IsSeen(point))
            .Select((point, i) => OnWhite(Text(OnX(point.X) + 2, OnY(point.Y) + (i % 2 == 0 ? -9 : 18), point.Label ?? "",
                color: _colors.Of(ChartStyle.Of(curve.Item.Style ?? curve.Index)), size: 11))));

        private IEnumerable<XElement> NamesAtEnds(List<(Label Label, double X, double Y)> places)
        {
            var ys = Apart([.. places.Select(place => place.Y)], _top, _bottom);
            var edge = _right + 14;
            for (var i = 0; i < places.Count; i++)
            {
                var (label, x, y) = places[i];
                // From the curve's end to its name, where that isn't beside it.
                if (Math.Abs(ys[i] - y) > 3 || x < edge - 24)
                    yield return Path(Line([(x + 5, y), (edge - 3, ys[i])]), _colors.Axis, 0.8);
                yield return Name(label, edge, ys[i] + 4.5, "start");
            }
        }

        private IEnumerable<XElement> NamesAtPoints(List<(Label Label, double X, double Y)> places)
        {
            var taken = new List<(double Left, double Right, double Y)>();
            foreach (var (label, x, end) in places)
            {
                var width = WidthOf(label.Text);
                var before = x + 10 + width > _chart.Width - 8;
                var (left, y) = (before ? x - 10 - width : x + 10, end - 6);
                while (taken.Any(other => left < other.Right && other.Left < left + width && Math.Abs(other.Y - y) < 15))
                    y += 15;
                taken.Add((left, left + width, y));
                yield return OnWhite(Name(label, before ? x - 10 : left, y, before ? "end" : "start"));
            }
        }

        private XElement Name(Label label, double x, double y, string anchor)
        {
            var text = Text(x, y, label.Text, anchor, _colors.Of(label.Style), bold: true);
            if (label.Text != label.Whole)
                text.Add(new XElement(Svg + "title", Clean(label.Whole)));
            return text;
        }

        /// <summary>Readable on top of lines.</summary>
        private XElement OnWhite(XElement text)
        {
            text.Add(new XAttribute("stroke", _colors.Paper), new XAttribute("stroke-width", "3"),
                new XAttribute("stroke-linejoin", "round"), new XAttribute("paint-order", "stroke"));
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

        private bool IsDrawn(CurvePoint point) =>
            double.IsFinite(point.X) && double.IsFinite(point.Y) && (!_chart.X.Log || point.X > 0) && (!_chart.Y.Log || point.Y >= 0);

        /// <summary>Whether it lies within the axes, where these are narrower than the data.</summary>
        private bool IsSeen(CurvePoint point) => IsDrawn(point) && At(_chart.Y, point.Y) is var y
            && (double.IsInfinity(y) || (y >= _y.Min - 1e-9 * (_y.Max - _y.Min) && y <= _y.Max + 1e-9 * (_y.Max - _y.Min)));

        /// <summary>The parts of a line between the axis' ends; where it leaves them it ends at the edge.</summary>
        private IEnumerable<List<(double X, double Y)>> Within(List<CurvePoint> line)
        {
            var part = new List<(double, double)>();
            for (var i = 0; i < line.Count; i++)
            {
                var (x, y, inside) = Place(line[i]);
                if (i > 0 && Place(line[i - 1]) is var (before, from, was) && (inside != was || (!inside && (from < 0) != (y < 0))))
                    foreach (var edge in new[] { 0.0, 1 }.Where(edge => (edge - from) * (edge - y) < 0).OrderBy(edge =>
                        Math.Abs(edge - from)))
                        part.Add((before + (edge - from) / (y - from) * (x - before), _bottom - edge * (_bottom - _top)));
                if (inside)
                    part.Add((x, _bottom - y * (_bottom - _top)));
                else if (part.Count > 0)
                {
                    if (part.Count > 1)
                        yield return part;
                    part = [];
                }
            }
            if (part.Count > 1)
                yield return part;

            // with zeros of a logarithmic axis at its lower edge
            (double X, double Y, bool Inside) Place(CurvePoint point) => (At(_chart.Y, point.Y) - _y.Min) / (_y.Max - _y.Min) is var y
                && double.IsNegativeInfinity(y) ? (OnX(point.X), 0, true) : (OnX(point.X), y, y is >= -1e-9 and <= 1 + 1e-9);
        }

        private bool HasZeroOnLog() => _chart.Y.Log && _chart.Curves.Any(curve => curve.Points.Any(point => point.Y == 0));

        private double OnX(double value) => Across(_x, At(_chart.X, value));

        private double OnY(double value) => Down(_y, At(_chart.Y, value));

        private double Across((double Min, double Max) range, double at) => _left + In(range, at) * (_right - _left);

        private double Down((double Min, double Max) range, double at) => _bottom - In(range, at) * (_bottom - _top);

        /// <summary>0 at the axis' lower end, 1 at its upper one.</summary>
        private static double In((double Min, double Max) range, double at) => Math.Clamp((at - range.Min) / (range.Max - range.Min), 0, 1);

        private static double At(ChartAxis axis, double value) => axis.Log ? value <= 0 ? double.NegativeInfinity : Math.Log10(value)
            : double.IsFinite(value) ? Math.Clamp(value, -Most, Most)
            : value;

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
