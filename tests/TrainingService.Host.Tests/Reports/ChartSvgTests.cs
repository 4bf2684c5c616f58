using System.Globalization;
using System.Xml.Linq;
using TrainingService.Host.Reports;

namespace TrainingService.Host.Tests.Reports;

public sealed class ChartSvgTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void A_picture_names_its_axes_and_every_curve_in_words_too()
    {
        var svg = Draw(new Chart("Loss", new("epoch"), new("cross entropy (nats)"), [Line("train", 3, 2, 1), Line("validation", 3, 2.5, 2)])
        {
            Note = "Mean over 12 seeds.",
        });
        Assert.Equal(["Loss", "Mean over 12 seeds.", "cross entropy (nats)", "epoch", "validation", "train"],
            Texts(svg).Where(text => !double.TryParse(text, CultureInfo.InvariantCulture, out _)));
        Assert.Equal("Loss", svg.Element(Svg + "title")!.Value);
        Assert.Equal("cross entropy (nats) against epoch. train: from 3 at 0 to 1 at 2, lowest 1, highest 3. validation: "
            + "from 3 at 0 to 2 at 2, lowest 2, highest 3. Mean over 12 seeds.", svg.Element(Svg + "desc")!.Value);
        Assert.Equal(("100%", "0 0 720 380"), (svg.Attribute("width")!.Value, svg.Attribute("viewBox")!.Value));
    }

    [Fact]
    public void Each_of_eight_curves_has_a_color_and_a_dash_of_its_own()
    {
        var svg = Draw(new Chart("x", new("x"), new("y"),
            [.. Enumerable.Range(0, ChartStyle.Count).Select(i => Line($"curve {i}", i, i + 1))]));
        var lines = Lines(svg);
        Assert.Equal(ChartStyle.Count, lines.Select(line => line.Attribute("stroke")!.Value).Distinct().Count());
        Assert.Equal(ChartStyle.Count, lines.Select(line => line.Attribute("stroke-dasharray")?.Value).Distinct().Count());
    }

    [Fact]
    public void Text_and_color_have_contrast()
    {
        foreach (var style in Enumerable.Range(0, ChartStyle.Count).Select(ChartStyle.Of))
            Assert.True(1.05 / (Luminance(style.Color) + 0.05) >= 4.5, style.Color);

        static double Luminance(string color) => 0.2126 * Channel(color, 1) + 0.7152 * Channel(color, 3) + 0.0722 * Channel(color, 5);

        // sRGB, as WCAG has it
        static double Channel(string color, int at)
        {
            var c = int.Parse(color.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
        }
    }

    [Fact]
    public void Names_are_escaped_and_what_xml_has_no_place_for_is_replaced()
    {
        var svg = Draw(new Chart("<script>alert(1)</script> & \u0001 \uD800 \U0001F600", new("<x>"), new("y\"'"), [Line("</svg>", 1, 2)]));
        Assert.Equal("<script>alert(1)</script> & \uFFFD \uFFFD \U0001F600", svg.Element(Svg + "title")!.Value);
        Assert.Contains("</svg>", Texts(svg));
        Assert.Empty(svg.Descendants(Svg + "script"));
    }

    [Fact]
    public void A_long_name_is_cut_and_whole_in_its_tooltip()
    {
        var name = "an arm whose name somebody typed in full length " + new string('x', 200);
        var text = Draw(new Chart("t", new("x"), new("y"), [Line(name, 1, 2)])).Descendants(Svg + "text")
            .Single(t => t.Value.StartsWith("an arm", StringComparison.Ordinal));
        Assert.Equal(name, text.Element(Svg + "title")!.Value);
        Assert.EndsWith("…", text.FirstNode!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_not_finite_are_gaps_and_the_first_is_marked()
    {
        var svg = Draw(new Chart("Loss", new("epoch"), new("loss"), [Line("train", 1, 2, double.NaN, 3, 4, double.PositiveInfinity)]));
        Assert.Equal(2, Lines(svg).Count);
        Assert.Contains("✕ not finite from epoch 2", Texts(svg));
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
        Assert.Contains("Not finite from 2 on.", svg.Element(Svg + "desc")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_without_any_finite_value_is_drawn_as_its_mark()
    {
        var svg = Draw(new Chart("Loss", new("epoch"), new("loss"), [Line("train", double.NaN, double.NegativeInfinity)]));
        Assert.Contains("✕ not finite from epoch 0", Texts(svg));
    }

    [Fact]
    public void Without_points_it_says_so()
    {
        Assert.Contains("Nothing has been measured yet.", Texts(Draw(new Chart("Loss", new("epoch"), new("loss"), []))));
        Assert.Contains("Nothing has been measured yet.", Texts(Draw(new Chart("Loss", new("epoch"), new("loss"), [new("train", [])]))));
    }

    [Fact]
    public void A_logarithmic_axis_has_powers_of_ten_and_zeros_lie_on_its_lower_edge()
    {
        var svg = Draw(new Chart("Gradient", new("epoch"), new("rms", Log: true), [Line("hidden1", 1e-6, 1e-3, 0, 1, 1e6)]));
        Assert.Equal(["10⁻⁶", "10⁻⁴", "0.01", "1", "100", "10⁴", "10⁶"],
            svg.Descendants(Svg + "text").Where(text => text.Parent?.Attribute("text-anchor")?.Value == "end")
                .Select(text => text.Value));
        Assert.Contains("Zeros lie on the lower edge.", Texts(svg));
        Assert.Single(Lines(svg));
    }

    [Fact]
    public void A_band_ends_where_the_curve_does()
    {
        var svg = Draw(new Chart("t", new("x"), new("y"), [new("a", [new(0, 1, 0, 2), new(1, 1, 0.5, 1.5), new(2, 1)])]));
        Assert.Single(svg.Descendants(Svg + "path"), path => path.Attribute("fill-opacity") is not null);
    }

    [Fact]
    public void Points_that_stand_alone_have_error_bars_and_no_line()
    {
        var svg = Draw(new Chart("t", new("cost"), new("y"),
            [new("a", [new(1, 1, 0, 2, 0.5, 1.5)], Joined: false), new("b", [new(2, 2)], Joined: false)]));
        Assert.Equal(2, svg.Descendants(Svg + "path")
            .Count(path => path.Attribute("stroke")?.Value == ChartStyle.Of(0).Color && path.Attribute("stroke-width")?.Value == "1.5"));
        Assert.Empty(Lines(svg));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    [InlineData(-3e-300, 3e-300)]
    [InlineData(-1e308, 1e308)]
    [InlineData(1e-40, 1e-39)]
    [InlineData(double.MaxValue, double.MaxValue)]
    [InlineData(1000000.25, 1000000.5)]
    public void Any_range_can_be_drawn(double from, double to)
    {
        foreach (var log in (bool[])[false, true])
        {
            var svg = Draw(new Chart("t", new("x"), new("y", log), [Line("a", from, to), new("b", [new(from, 1, from, to, from, to)])]));
            Assert.DoesNotMatch("NaN|Infinity|∞", svg.ToString());
            Assert.InRange(Texts(svg).Count(), 4, 40);
        }
    }

    [Fact]
    public async Task Many_can_be_drawn_at_once_and_come_out_equal()
    {
        var chart = new Chart("Loss", new("epoch"), new("loss"), [Line("train", 3, 2, 1), Line("validation", 3, 2.5, 2)]);
        var once = ChartSvg.Draw(chart);
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => ChartSvg.Draw(chart)))),
            svg => Assert.Equal(once, svg));
    }

    private static Curve Line(string name, params double[] ys) => new(name, [.. ys.Select((y, x) => new CurvePoint(x, y))]);

    /// <summary>Parsed, so it is well-formed; nothing in it may come from elsewhere or run.</summary>
    private static XElement Draw(Chart chart)
    {
        var text = ChartSvg.Draw(chart);
        Assert.Equal(1, text.Split("http").Length - 1);
        Assert.DoesNotContain("href", text, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
        var svg = XElement.Parse(text);
        Assert.All(svg.DescendantsAndSelf(), element => Assert.Equal(Svg, element.Name.Namespace));
        Assert.Empty(svg.Descendants().Attributes("id"));
        return svg;
    }

    private static IEnumerable<string> Texts(XElement svg) => svg.Descendants(Svg + "text").Select(text => text.Value);

    private static List<XElement> Lines(XElement svg) =>
        [.. svg.Descendants(Svg + "path").Where(path => path.Attribute("stroke-width")?.Value == "2")];
}
