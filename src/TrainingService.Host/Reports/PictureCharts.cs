using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Host.Http;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>What the question is about, drawn: a result of each arm against what sets the arms apart.</summary>
public static class PictureCharts
{
    private const string Layers = "/model/hiddenLayers";

    /// <summary>Fewer values of a field are no curve.</summary>
    private const int LeastValues = 3;

    /// <summary>Null where arms differ in nothing that could be an axis.</summary>
    public static Figure? Of(SweepPlan plan, string? study, IReadOnlyList<CellResult> cells)
    {
        var fields = plan.Arms.Select(arm => Fields(plan, arm)).ToList();
        var pictures = study is null || StudyCatalog.Find(study) is not { } known ? Own(plan, fields) : known.Pictures;
        var runs = cells.Where(cell => cell.Candidate < 0).ToLookup(cell => cell.Arm);
        var charts = pictures.Select(picture => Draw(plan, picture, fields, runs)).OfType<Chart>().ToList();
        if (charts.Count == 0)
            return null;
        var names = charts[0].Curves.Select(curve => curve.Name).ToList();
        var alike = names.Count > 1 && charts.TrueForAll(chart => chart.Curves.Select(curve => curve.Name).SequenceEqual(names));
        string[] lost = [.. plan.Arms.Index().Where(arm => runs[arm.Index].Any(run => run.Diverged)).Select(arm =>
            $"{ArmNames.Shown(arm.Item.Name)} ({runs[arm.Index].Count(run => run.Diverged)} of {runs[arm.Index].Count()})")];
        return new("What was asked, arm by arm", [.. charts.Select(chart => chart with { Named = names.Count > 1 && !alike })],
            "Points are means over the seeds of an arm, bars their 95 % intervals."
                + string.Concat(pictures.Select(picture => picture.Along).OfType<string>().Distinct()
                    .Select(along => $" Numbers beside the points: {Words(along)}."))
                + (charts.Exists(chart => chart.Band is not null) && plan.Delta is { } delta
                    ? $" Shaded is what differs from {ArmNames.Shown(plan.Baseline)} by less than {plan.By.Outcome.Amount(delta)}." : "")
                + (lost.Length == 0 ? "" : " " + Prose.List("✕ Runs diverged, which are in no mean, of", lost)),
            Legend: alike ? [.. names.Select((name, i) => (name, i))] : null);
    }

    /// <summary>Of a sweep of one's own: its metric against the first number that arms differ in.</summary>
    private static IReadOnlyList<Picture> Own(SweepPlan plan, List<Dictionary<string, JsonNode>> fields)
    {
        var varied = fields.SelectMany(arm => arm.Keys).Distinct().Where(key => key != Layers && fields
            .Select(arm => Number(arm.GetValueOrDefault(key))).OfType<double>().Distinct().Count() >= LeastValues).ToList();
        var name = varied.Count > 0 ? varied[0].Split('/')[^1]
            : ((string[])["depth", "width"]).FirstOrDefault(shape => fields.Select(arm => Value(arm, shape)).OfType<double>().Distinct()
                .Count() >= LeastValues);
        return name is null ? [] : [new(name, plan.Metric, $"{Prose.Capital(plan.By.Outcome.Words)}, by {Words(name)}")];
    }

    private static Chart? Draw(SweepPlan plan, Picture picture, List<Dictionary<string, JsonNode>> fields,
        ILookup<int, CellResult> runs)
    {
        var (measure, y) = (SweepMetrics.Find(picture.X), SweepMetrics.Named(picture.Y));
        var along = picture.Along ?? picture.X;
        var points = new List<(string Series, double At, CurvePoint Point)>();
        foreach (var arm in Enumerable.Range(0, plan.Arms.Count))
        {
            var at = Value(fields[arm], along) ?? (measure is null ? null : 0);
            var x = measure is null ? at : Finite(runs[arm].Select(measure.Of)) is { Length: > 0 } own
                ? (measure.Outcome.IsFraction ? 100 : 1) * own.Average() : null;
            if (at is not { } place || x is not { } across || Finite(runs[arm].Select(y.Of)) is not { Length: > 0 } values)
                continue;
            var scale = y.Outcome.IsFraction ? 100 : 1;
            var summary = y.Outcome.IsShare ? ArmSummary.Of(values).OfShares() : ArmSummary.Of(values);
            points.Add((Series(fields, arm, along), place, new(across, scale * summary.Mean ?? double.NaN, scale * summary.Ci95?[0],
                scale * summary.Ci95?[1])
            { Label = measure is null ? null : ArmNames.Plain(place) }));
        }
        if (points.Select(point => point.At).Distinct().Count() < LeastValues)
            return null;
        double[] xs = [.. points.Select(point => point.Point.X)];
        var near = Axes.Near([.. points.Select(point => point.Point.Y)], y.Name == plan.Metric && plan.Delta is { } least
            ? 4 * least * (y.Outcome.IsFraction ? 100 : 1) : double.PositiveInfinity);
        var ends = Axes.Around([.. points.Select(point => point.Point.Y).Where(near)],
            points.Where(point => near(point.Point.Y)).SelectMany(point => (double?[])[point.Point.Low, point.Point.High]),
                y.Outcome.IsShare);
        var baseline = plan.Arms.Index().Where(arm => arm.Item.Name == plan.Baseline).SelectMany(arm => runs[arm.Index]).Select(y.Of);
        return new(picture.Title, new(Words(picture.X) + (measure?.Outcome.IsFraction == true ? " (%)" : ""), Log: xs.Min() > 0
            && xs.Max() / xs.Min() >= 12),
            new(y.Outcome.Words + (y.Outcome.IsFraction ? " (%)" : y.Outcome.Unit == "decades" ? " (decades)" : ""), Min: ends.Min,
                Max: ends.Max),
            [.. points.GroupBy(point => point.Series).Take(ChartStyle.Count).Select((series, i) =>
                new Curve(series.Key, [.. series.OrderBy(point => point.At).Select(point => point.Point)], Style: i) { Marked = true })])
        {
            Width = SweepCharts.Width,
            Height = 300,
            Band = y.Name == plan.Metric && y.Outcome.IsFraction && plan.Delta is { } delta && Finite(baseline) is { Length: > 0 } usual
                ? (100 * (usual.Average() - delta), 100 * (usual.Average() + delta)) : null,
        };
    }

    private static double[] Finite(IEnumerable<double?> values) => [.. values.OfType<double>().Where(double.IsFinite)];

    /// <summary>What an arm has that others don't, but for what the axis shows.</summary>
    private static string Series(List<Dictionary<string, JsonNode>> fields, int arm, string along) => string.Join(" ",
        fields.SelectMany(one => one.Keys).Distinct()
            .Where(key => key.Split('/')[^1] != along && !(along is "depth" or "width" && key == Layers)
                && fields.Select(one => one.GetValueOrDefault(key)?.ToJsonString()).Distinct().Count() > 1)
            .Select(key => fields[arm].GetValueOrDefault(key) is not { } value ? ""
                : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>()
                : $"{ArmNames.Field(key)} {(Number(value) is { } number ? ArmNames.Plain(number) : value.ToJsonString())}")
            .Where(text => text.Length > 0));

    private static double? Value(Dictionary<string, JsonNode> arm, string name) => name switch
    {
        "depth" => (arm.GetValueOrDefault(Layers) as JsonArray)?.Count,
        "width" => arm.GetValueOrDefault(Layers) is JsonArray { Count: > 0 } layers ? Number(layers[0]) : null,
        _ => Number(arm.FirstOrDefault(field => field.Key.Split('/')[^1] == name).Value),
    };

    private static double? Number(JsonNode? node) => node?.GetValueKind() == JsonValueKind.Number ? node.GetValue<double>() : null;

    private static string Words(string name) => name switch
    {
        "learningRate" => "learning rate",
        "depth" => "hidden layers",
        "width" => "units of a hidden layer",
        "negativeSlope" => "slope",
        "activityL1" => "l1 penalty",
        "sparsity" => "zeros among the hidden activations",
        _ => SweepMetrics.Find(name)?.Outcome.Words ?? ArmNames.Field(name),
    };

    /// <summary>The fields of an arm's job by JSON pointer; what has a name goes by it.</summary>
    private static Dictionary<string, JsonNode> Fields(SweepPlan plan, ArmSpec arm)
    {
        var fields = new Dictionary<string, JsonNode>();
        Flatten(Json.ObjectOf(new { plan.Base.Model, plan.Base.Training }), "");
        if (JsonSerializer.SerializeToNode(arm.Patch, Json.Options) is { } patch)
            Flatten(patch, "");
        return fields;

        void Flatten(JsonNode? node, string place)
        {
            if (node is JsonObject some)
                foreach (var (name, value) in some)
                    Flatten(value, name == "name" ? place : $"{place}/{name}");
            else if (node is not null)
                fields[place] = node is JsonValue value && value.GetValueKind() == JsonValueKind.Number
                    ? JsonValue.Create(value.Deserialize<double>()) : node;
        }
    }
}
