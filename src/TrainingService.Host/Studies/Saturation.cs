using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>Squashing activations by depth and by the scale of their weights.</summary>
public sealed class Saturation : Study
{
    /// <summary>The depth at which the links are tested.</summary>
    private const int Linked = 5;

    /// <summary>Decades of gradient flow: below the first the gradient has vanished, within the second it is kept.</summary>
    private const double Vanished = -1, Kept = 1;

    private static readonly int[] Depths = [2, 5, 10];

    /// <summary>Gains of Xavier's initialiser, the usual 1 among them.</summary>
    private static readonly (string Activation, string[] Gains)[] Squashing = [("sigmoid", ["1", "4", "8"]), ("tanh", ["0.3", "1", "4"])];

    private static readonly SweepMetric InitialSaturation = SweepMetrics.Named("saturation") is var atEnd
        ? atEnd with
        {
            Outcome = atEnd.Outcome with { Name = "initialSaturation" },
            Value = run => run.OverHidden(run.First, row => row.Saturation),
        } : atEnd;

    public override string Name => "saturation";
    public override string Question => "Do tanh and sigmoid saturate and stop training, and from which depth on?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C7];
    public override string Method => "The links of the mechanism, each for sigmoid and tanh by itself, in nets of 5 layers whose initial "
        + "weights are drawn at three scales (gain of Xavier's initialiser). Measured before the first step are the share of saturated "
        + "entries (derivative below 5 % of its largest) and gradient flow (log10 from the last to the first hidden layer). Counted are "
        + "the runs that learn nothing. "
        + "Test accuracy against ReLU at 2, 5 and 10 layers at the usual scale. Paired by seed, exact sign-flip test, Holm over all.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    public override int? SeedsAtLeast(StudySize size) => size == StudySize.Quick ? 12 : 10;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 4)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 1000)}} }
          },
          "arms": [{{string.Join(",\n", Depths.Select(depth => Patch("relu", depth, "1", "kaiming_normal"))
              .Concat(from net in Squashing from depth in Depths select Patch(net.Activation, depth, "1", "xavier_normal"))
              .Concat(from net in Squashing
                      from gain in net.Gains
                      where gain != "1"
                      select Patch(net.Activation, Linked, gain, "xavier_normal")))}}],
          "baseline": "{{Arm("relu", 2)}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{{string.Join(",\n", Usual().Select(pair => $$"""{"arm": "{{pair.Arm}}", "baseline": "{{pair.Baseline}}"}"""))}}]
        }
        """;

    private static string Patch(string activation, int depth, string gain, string initializer) => $$"""
        {"name": "{{Arm(activation, depth, gain)}}",
         "patch": {"model": {"hiddenLayers": [{{string.Join(", ", Enumerable.Repeat(64, depth))}}], "activation": "{{activation}}",
          "initializer": {"name": "{{initializer}}"{{(gain == "1" ? "" : $", \"gain\": {gain}")}} } } } }
        """;

    public override IReadOnlyList<Picture> Pictures =>
    [
        new("depth", "testAccuracy", "Accuracy, by depth"),
        new("depth", "initialGradientFlow", "Gradient flow before training, by depth"),
    ];

    public override IReadOnlyList<Comparisons> Comparisons { get; } =
    [
        new(InitialSaturation, InitialSaturation.Delta ?? 0, [.. Squashing.SelectMany(net => Scales(net.Activation))]),
        new("initialGradientFlow", 0.05, [.. Squashing.SelectMany(net => Scales(net.Activation))]),
    ];

    public override StudyReading Read(StudyEvidence e)
    {
        string Figures(string arm) => $"{arm} {StudyEvidence.Percent(e.Summary(arm, InitialSaturation.Of).Mean)}, "
            + $"{StudyEvidence.Number(e.Summary(arm, "initialGradientFlow").Mean)}, {StudyEvidence.Percent(e.Stalled(arm))}";
        string[] usual = [.. Squashing.SelectMany(net => Depths.Select(depth => Arm(net.Activation, depth)))];
        string[] stalled = [.. usual.Where(arm => e.LearnedNothing(arm))];
        var most = StudyEvidence.Percent(usual.Max(arm => e.Summary(arm, InitialSaturation.Of).Mean));
        return new(new(stalled.Length == 0 ? Verdict.Refuted : Verdict.Supported,
                $"At the usual scale at most {most} of the entries are saturated before training, and "
                + (stalled.Length == 0 ? $"nets of up to {Depths[^1]} layers learn." : $"training stops in {string.Join(", ", stalled)}.")),
            (stalled.Length == 0 ? "" : $"Half of the runs or more learn nothing in {string.Join(", ", stalled)}. ")
                + Prose.List("Saturated entries and gradient flow (decades) before training, and runs that learned nothing",
                    [.. usual.Select(Figures)], "; ") + " Test accuracy against ReLU at the same depth? "
                + InShort.Of([.. Usual().Select(pair => (pair.Arm, e.Compare("testAccuracy", pair.Arm, pair.Baseline, anyway: true)))]),
            [Studies.Claims.C7.Report([.. Squashing.SelectMany(net => Links(e, net.Activation, net.Gains))])]);
    }

    /// <summary>The three links for one function. What its nets learned is the question, so that none is left out.</summary>
    private static IEnumerable<StatementReport> Links(StudyEvidence e, string activation, string[] gains)
    {
        var claim = Studies.Claims.C7;
        Statement Of(char letter) => new($"{claim[letter].Id}-{activation}", $"{activation}: {claim[letter].Text}");
        const string Both = "A larger scale does two things: more entries saturate, and the weights pass on more of the gradient.";
        Comparison Saturation((string Arm, string Baseline) pair) =>
            e.Compare(InitialSaturation.Name, pair.Arm, pair.Baseline, anyway: true);
        Comparison Flow((string Arm, string Baseline) pair) => e.Compare("initialGradientFlow", pair.Arm, pair.Baseline, anyway: true);

        var (least, most) = (Arm(activation, Linked, gains[0]), Arm(activation, Linked, gains[^1]));
        yield return Of('a').Higher(Saturation((most, least)),
            after: $"At the end {StudyEvidence.Percent(e.Hidden(most, row => row.Saturation))} of the entries of {most} and "
                + $"{StudyEvidence.Percent(e.Hidden(least, row => row.Saturation))} of {least} are saturated.");

        // Only where more entries saturate can it be asked what that does.
        (string, string)[] saturated = [.. Scales(activation).Where(pair => Saturation(pair).Sign > 0)];
        yield return saturated.Length == 0
            ? Of('b').Open("initialGradientFlow", "decades", [most], "At no scale is it shown that more entries saturate.")
            : Of('b').Every([.. saturated.Select(pair => Of('b').Lower(Flow(pair), Saturation(pair).Result.Sentence))]) is var falls
                ? falls with { Evidence = $"{falls.Evidence} {Both}" } : null;

        var flow = gains.Select(gain => Arm(activation, Linked, gain))
            .ToDictionary(arm => arm, arm => e.Mean("initialGradientFlow", arm, anyway: true).Summary);
        string Flows(IEnumerable<string> arms) =>
            string.Join(", ", arms.Select(arm => $"{arm} ({StudyEvidence.Number(flow[arm].Mean)} decades)"));
        string[] vanished = [.. flow.Keys.Where(arm => flow[arm].Ci95?[1] < Vanished)];
        string[] kept =
            [.. flow.Keys.Where(arm => flow[arm].Ci95 is [> -Kept, < Kept] && e.Cells(arm).Count > 0 && !e.LearnedNothing(arm))];
        yield return vanished.Length == 0 || kept.Length == 0
            ? Of('c').Open("learnedNothing", "fraction", flow.Keys, "It takes a scale at which the gradient falls by more than a decade, "
                + $"and one at which it doesn't and the nets learn. The gradient flow is {Flows(flow.Keys)}.")
            : Of('c').Every([.. vanished.Select(Stalls)]);

        StatementReport Stalls(string arm)
        {
            var share = Of('c').Share("learnedNothing", arm, e.Cells(arm).Count(e.LearnedNothing), e.Cells(arm).Count, 0.5, 1,
                "learned nothing",
                $"The gradient vanishes, by more than a decade, in {Flows([arm])}. It is kept within one in {Flows(kept)}, where at least "
                    + "half of the runs learn.");
            double? Right(string net) => e.Summary(net, "trainAccuracy").Mean;
            // What learned something, and far less than the others, has neither stalled nor not.
            return share.Verdict == Verdict.Refuted && Right(arm) < kept.Max(Right) - LearningArms.Margin
                ? share with
                {
                    Verdict = Verdict.Inconclusive,
                    Evidence = $"{share.Evidence} But it learned less: {StudyEvidence.Percent(Right(arm))} of the training rows are right, "
                        + $"and up to {StudyEvidence.Percent(kept.Max(Right))} where the gradient is kept.",
                } : share;
        }
    }

    /// <summary>Each squashing function against ReLU at the same depth, at its usual scale.</summary>
    private static IEnumerable<(string Arm, string Baseline)> Usual() =>
        from depth in Depths from net in Squashing select (Arm(net.Activation, depth), Arm("relu", depth));

    /// <summary>Every larger scale against every smaller one.</summary>
    private static IEnumerable<(string Arm, string Baseline)> Scales(string activation) =>
        Squashing.First(net => net.Activation == activation).Gains is var gains
            ? from larger in Enumerable.Range(0, gains.Length)
              from smaller in Enumerable.Range(0, larger)
              select (Arm(activation, Linked, gains[larger]), Arm(activation, Linked, gains[smaller])) : [];

    private static string Arm(string activation, int depth, string gain = "1") =>
        $"{activation} x{depth}" + (gain == "1" ? "" : $", gain {gain}");
}
