using System.Xml.Linq;
using TrainingService.Engine.Training;
using TrainingService.Host.Reports;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Reports;

/// <summary>Which arms charts show, and that none of them spoils the view of the others.</summary>
public sealed class ChosenArmsTests
{
    /// <summary>Twenty arms in pairs; the one with the most dead units has an accuracy like all others.</summary>
    [Fact]
    public void Each_chart_chooses_by_what_it_shows_and_parts_no_pair()
    {
        var report = Paired(10);
        report = report with
        {
            Arms = [.. report.Arms.Select((arm, i) => arm with
            {
                Mean = 0.9 + 0.001 * i,
                Layers = [new(0, "hidden1", new Dictionary<string, double> { ["deadFraction"] = i == 9 ? 0.8 : 0.01, ["sparsity"] = 0.5 }),
                    new(1, "output", new Dictionary<string, double>())],
            })],
        };
        double? Dead(ArmReport arm) => arm.Layers[0].Values["deadFraction"];
        var (byDead, byResult) = (SweepCharts.Chosen(report, 6, Dead), SweepCharts.Chosen(report, 6, arm => arm.Mean));
        Assert.Contains(9, byDead);
        Assert.DoesNotContain(9, byResult);
        Assert.All(new[] { byDead, byResult }, chosen =>
        {
            Assert.InRange(chosen.Count, 2, 6);
            Assert.All(report.Contrasts, contrast => Assert.Equal(chosen.Contains(Index(report, contrast.Arm)),
                chosen.Contains(Index(report, contrast.Baseline))));
        });
        Assert.Subset(SweepCharts.Shown(report).ToHashSet(), byDead.Concat(byResult).ToHashSet());
    }

    /// <summary>One arm's loss explodes, and one's accuracy stays at chance: the axes are those of the others.</summary>
    [Fact]
    public void An_arm_that_diverges_stretches_no_axis()
    {
        Curve Of(string name, Func<int, double> y) => new(name, [.. Enumerable.Range(0, 21).Select(x => new CurvePoint(x, y(x)))]);
        var accuracy = Axes.Zoomed("accuracy (%)", [.. Enumerable.Range(0, 5).Select(i => Of($"{i}", x => 97
            + 0.1 * i - 87 * Math.Exp(-x))),
            Of("chance", _ => 10)], 100);
        Assert.InRange(accuracy.Min ?? 0, 94, 97);
        Assert.InRange(accuracy.Max ?? 0, 97.4, 100);
        var loss = Axes.OfLoss("loss", [Of("a", x => 2.3 / (1 + x)), Of("b", x => 2.2 / (1 + x)), Of("explodes", x => Math.Exp(3 * x))]);
        Assert.InRange(loss.Max ?? double.PositiveInfinity, 2.3, 12);
        // and so they are on the page: the curve leaves at the upper edge, and is not drawn along it
        var svg = XElement.Parse(ChartSvg.Draw(new Chart("t", new("x"), new("y", Min: 0, Max: 10.5), [Of("a", x => x <= 10 ? x : 1e9)])));
        var line = svg.Descendants().Single(path => path.Attribute("stroke-width")?.Value == "2").Attribute("d")!.Value;
        Assert.Equal(12, line.Split('L').Length);
        Assert.DoesNotContain("✕", svg.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forest_is_as_wide_as_its_sound_comparisons()
    {
        ForestRow Row(double mean, double half, bool diverged = false) =>
            new("a against b", Verdict.Inconclusive, mean, mean - half, mean + half, "", diverged);
        var (min, max) = new Forest("points", 1, ("worse", "better"), [Row(0.1, 0.4), Row(-0.2, 0.5), Row(45, 60, diverged: true)]).Range();
        Assert.InRange(min, -3, -1);
        Assert.InRange(max, 1, 3);
        // without any other it is what there is
        Assert.InRange(new Forest("points", 1, ("worse", "better"), [Row(45, 60, diverged: true)]).Range().Max, 45, 120);
        var (wide, narrow) = new Forest("points", 1, ("worse", "better"), [Row(0, double.NaN), Row(double.NaN, 1)]).Draw();
        Assert.All(new[] { wide, narrow }, svg => Assert.DoesNotMatch("NaN|∞", string.Join(' ', XElement.Parse(svg).Descendants()
            .Attributes().Where(a => a.Name.LocalName is not "aria-label").Select(a => a.Value))));
    }

    /// <summary>Layers that were measured at the start and at the end only have no curve.</summary>
    [Fact]
    public void Two_points_are_no_curve()
    {
        var report = SampleReport.Of(2);
        IReadOnlyList<CurveStat> two = [new(0, 8, 8, 0.5, 0.1), new(10, 8, 8, 0.6, 0.1)];
        IReadOnlyList<ArmCurves> curves = [.. SampleReport.Curves(2).Select(arm => arm with
        {
            Metrics = new Dictionary<(string, Split), IReadOnlyList<CurveStat>> { [("loss", Split.Train)] = two },
            LayerStats = new Dictionary<(string, int), IReadOnlyList<CurveStat>> { [("sparsity", 0)] = two },
            GradientFlow = two,
        })];
        var charts = new SweepCharts(report, curves);
        Assert.Null(charts.GradientFlow());
        Assert.DoesNotContain(charts.Learning()!.Charts, chart => chart.Curves.Any(curve => curve.Joined));
        Assert.Equal(["How the activations are distributed at the end"], charts.Layers().Select(figure => figure.Title));
    }

    [Theory]
    [InlineData("leaky_relu(negativeSlope=0.1), learningRate=0.03", "leaky_relu slope 0.1, lr 0.03")]
    [InlineData("activityL1=0.001", "l1 0.001")]
    [InlineData("relu at 0.5", "relu at 0.5")]
    public void Arms_are_named_by_what_differs(string arm, string shown) => Assert.Equal(shown, ArmNames.Shown(arm));

    [Theory]
    [InlineData("leaky_relu at 0.5", "relu at 0.5", "at 0.5: leaky_relu against relu")]
    [InlineData("leaky_relu lr 0.5", "relu lr 0.5", "lr 0.5: leaky_relu against relu")]
    [InlineData("relu kaiming_normal x3", "relu xavier_normal x3", "relu x3: kaiming_normal against xavier_normal")]
    [InlineData("l1 0.1, dropout 0.2", "l1 0.1", "l1 0.1, dropout 0.2 against l1 0.1")]
    [InlineData("gelu", "relu", "gelu against relu")]
    public void What_a_pair_shares_is_told_once(string arm, string baseline, string told) =>
        Assert.Equal(told, ArmNames.Pair(arm, baseline));

    private static int Index(SweepReport report, string arm) => report.Arms.Index().Single(one => one.Item.Name == arm).Index;

    private static SweepReport Paired(int pairs)
    {
        var report = SampleReport.Of(2 * pairs);
        var arms = report.Arms.Select((arm, i) => arm with { Name = $"arm {i}" }).ToList();
        return report with
        {
            Arms = arms,
            Baseline = "arm 0",
            Contrasts = [.. Enumerable.Range(0, pairs).Select(i =>
                report.Contrasts[0] with { Arm = $"arm {2 * i + 1}", Baseline = $"arm {2 * i}" })],
        };
    }
}
