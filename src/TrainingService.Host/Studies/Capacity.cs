using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>Narrow and wide nets.</summary>
public sealed class Capacity : Study
{
    private static readonly int[] Widths = [4, 8, 32, 128];
    private static readonly string[] Activations = ["relu", "leaky_relu", "tanh"];

    public override string Name => "capacity";
    public override string Question => "Does ReLU's sparsity waste units, so that narrow nets suffer?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C5];
    public override string Method => "Effective rank for each live unit, training loss and generalisation gap of ReLU nets against leaky "
        + "ReLU (0.1), whose layers have no zeros, at 4, 8, 32 and 128 units. Each width is judged by itself, where both learn alike "
        + "(training accuracies within 2 points); training loss without the nets of which more than 10 % of the units are dead. Tanh is "
        + "shown beside "
        + "them. Paired by seed, exact sign-flip test, Holm over the widths.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

    public override int? SeedsAtLeast(StudySize size) => size == StudySize.Quick ? 12 : 10;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"initializer": "auto"},
            "training": {"epochs": {{(size == StudySize.Quick ? 20 : 5)}}, "batchSize": 64,
                         "optimizer": {"name": "adam", "learningRate": 0.003} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}}, "effectiveRank": true}
          },
          "arms": [{{string.Join(",\n", from width in Widths from activation in Activations select $$"""
              {"name": "{{Arm(activation, width)}}", "patch": {"model": {"hiddenLayers": [{{width}}, {{width}}],
                "activation": {{Json(activation)}} } } }
              """)}}],
          "baseline": "{{Arm("relu", 4)}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{{string.Join(",\n", Widths.Select(width => $$"""
              {"arm": "{{Arm("relu", width)}}", "baseline": "{{Arm("leaky_relu", width)}}"}
              """))}}]
        }
        """;

    public override IReadOnlyList<Picture> Pictures =>
    [
        new("width", "testAccuracy", "Accuracy, by width"),
        new("width", "sparsity", "Share of zeros, by width"),
    ];

    public override IReadOnlyList<Comparisons> Comparisons { get; } =
    [
        .. new[] { LiveUnits.Rank, LiveUnits.TrainLoss, SweepMetrics.Named("sparsity"), SweepMetrics.Named("generalizationGap") }
            .Select(metric => new Comparisons(metric, LiveUnits.DeltaOf(metric),
                [.. Widths.Select(width => (Arm("relu", width), Arm("leaky_relu", width)))])),
    ];

    public override StudyReading Read(StudyEvidence e)
    {
        string Rank(string arm) => StudyEvidence.Percent(e.Summary(arm, LiveUnits.Rank.Of).Mean);
        string Width(int width) => $"{Rank(Arm("relu", width))}, {Rank(Arm("leaky_relu", width))} and {Rank(Arm("tanh", width))} at "
            + $"{width} units";
        var accuracy = InShort.Of([.. Widths.Select(width => ($"{width} units",
            e.Compare("testAccuracy", Arm("relu", width), Arm("leaky_relu", width), anyway: true)))]);
        var all = Widths.Select(width => (Width: width, By: e.Compare("testAccuracy", Arm("relu", width), Arm("leaky_relu", width),
            anyway: true))).ToList();
        string[] suffers = [.. all.Where(one => one.By.Sign < 0).Select(one => $"{one.Width}")];
        string[] gains = [.. all.Where(one => one.By.Sign > 0).Select(one => $"{one.Width}")];
        return new(new(suffers.Length > 0 ? Verdict.Supported : Headline.Of(all.Select(one => one.By.Differs(-1))),
                $"ReLU's accuracy is {(suffers.Length == 0 ? "at no width shown to be lower than leaky ReLU's"
                    : $"lower than leaky ReLU's at {string.Join(", ", suffers)} units")}"
                + (gains.Length == 0 ? "" : $" and higher at {string.Join(", ", gains)} units") + ", of nets "
                + $"{string.Join(", ", Widths)} units wide."),
            Prose.List("Effective rank as a share of the live units of ReLU, leaky ReLU (0.1) and tanh", [.. Widths.Select(Width)], "; ")
            + $" ReLU's test accuracy against leaky ReLU's? {accuracy}",
            [Studies.Claims.C5.Report([.. Widths.SelectMany(width => At(e, width))])]);
    }

    /// <summary>Both statements at one width; the other widths may say the opposite.</summary>
    private static IEnumerable<StatementReport> At(StudyEvidence e, int width)
    {
        var claim = Studies.Claims.C5;
        string relu = Arm("relu", width), leaky = Arm("leaky_relu", width);
        Statement Of(char letter) => new($"{claim[letter].Id}-{width}", $"{width} units wide: {claim[letter].Text}");
        var learning = e.Learning([relu, leaky]);
        var leftOut = learning.LeftOut;
        var sparsity = e.Compare("sparsity", relu, leaky, anyway: true);
        var loss = e.Compare(LiveUnits.TrainLoss.Name, relu, leaky);
        var before = $"{learning.Sentence}{StudyEvidence.Percent(e.Hidden(relu, row => row.Sparsity))} of ReLU's activations are "
            + $"zeros and {StudyEvidence.Percent(e.Hidden(relu, row => row.DeadFraction))} of its units dead.";
        if (sparsity.Sign <= 0 || leftOut.Count > 0)
        {
            var reason = leftOut.Count > 0 ? $"{before} Nets that fit the training rows so differently are not compared."
                : $"{before} {relu} is not shown to be sparser than {leaky}.";
            yield return Of('a').Open(LiveUnits.Rank.Name, "fraction", [relu], reason, leftOut);
            yield return Of('b').Open("generalizationGap", "fraction", [relu], reason, leftOut);
            yield break;
        }
        var without = $"Training losses are those of the {loss.Result.N} seeds with at most 10 % of the units dead.";
        var (byLayer, disagree) = LiveUnits.RankByLayer(e, relu, leaky);
        var waste = Of('a').Either(e.Compare(LiveUnits.Rank.Name, relu, leaky), -1, loss, 1, before,
            $"{without} The rank is the mean over the hidden layers. {byLayer}");
        yield return disagree ? waste with { Verdict = Verdict.Inconclusive } : waste;
        yield return !LiveUnits.SameLoss(loss)
            ? Of('b').Open("generalizationGap", "fraction", [relu], $"{before} That the training losses are the same is not shown; a "
                + "delta beyond the whole loss does not show it. "
                + $"{loss.Result.Sentence} {without}")
            : Of('b').Lower(e.Compare("generalizationGap", relu, leaky),
                $"{before} {loss.Result.Sentence} {without}");
    }

    private static string Arm(string activation, int width) => $"{activation} {width}";

    private static string Json(string activation) =>
        activation == "leaky_relu" ? """{"name": "leaky_relu", "negativeSlope": 0.1}""" : $"\"{activation}\"";
}
