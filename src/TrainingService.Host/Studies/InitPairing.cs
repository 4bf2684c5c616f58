using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Activation by initialiser by depth.</summary>
public sealed class InitPairing : Study
{
    private const string Xavier = "xavier_normal", Kaiming = "kaiming_normal";
    private static readonly int[] Depths = [3, 10, 30];

    /// <summary>Each activation with the initialiser that it is said to want, and with the other's.</summary>
    private static readonly (string Activation, string Matched, string Mismatched, string Words)[] Pairings =
        [("relu", Kaiming, Xavier, "ReLU with Kaiming's initialisation beats ReLU with Xavier's"),
            ("tanh", Xavier, Kaiming, "tanh with Xavier's initialisation beats tanh with Kaiming's")];

    public override string Name => "init-pairing";
    public override string Question => "Does it matter which initialisation an activation is paired with, and from which depth on?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C10];
    public override string Method => "Test accuracy of ReLU and tanh nets of 3, 10 and 30 layers of 64 units, drawn by Xavier's and by "
        + "Kaiming's initialiser (at the gain of the activation: √2 for ReLU, 5/3 for tanh). All are trained at one learning rate, "
        + "0.002, which is not tuned: nets with small gradients may learn later or at a larger one. Gradient flow before training and the "
        + "share of runs that learn nothing stand beside it. Paired by seed, exact sign-flip test, Holm over all.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 14 : 16;

    public override int? SeedsAtLeast(StudySize size) => 10;

    public override bool ReadsPreflight => true;

    public override IReadOnlyList<Picture> Pictures =>
    [
        new("depth", "testAccuracy", "Accuracy, by depth"),
        new("depth", "initialGradientFlow", "Gradient flow before training, by depth"),
    ];

    private static IEnumerable<(string Arm, string Baseline)> Pairs() =>
        Pairings.SelectMany(pairing => Depths.Select(depth =>
            (Arm(pairing.Activation, pairing.Matched, depth), Arm(pairing.Activation, pairing.Mismatched, depth))));

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "training": {"epochs": {{(size == StudySize.Quick ? 30 : 8)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.002, "momentum": 0.9} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 200 : 1000)}} }
          },
          "arms": [{{string.Join(",\n", from depth in Depths
                                        from pairing in Pairings
                                        from initializer in (string[])[pairing.Matched, pairing.Mismatched]
                                        select $$"""
              {"name": "{{Arm(pairing.Activation, initializer, depth)}}", "patch": {"model": {
                "hiddenLayers": [{{string.Join(", ", Enumerable.Repeat(64, depth))}}],
                "activation": "{{pairing.Activation}}", "initializer": "{{initializer}}"} } }
              """)}}],
          "baseline": "{{Arm("relu", Xavier, 3)}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{{string.Join(",\n", Pairs().Select(pair => $$"""{"arm": "{{pair.Arm}}", "baseline": "{{pair.Baseline}}"}"""))}}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var claim = Studies.Claims.C10;
        // Nets that learn nothing are what the claim is about: none is left out.
        var comparisons = Pairs().Select(pair => e.Compare(e.Spec.Metric, pair.Arm, pair.Baseline, anyway: true)).ToList();
        var answers = Pairings.Select((pairing, i) => Answer(pairing.Words,
            [.. Depths.Zip(comparisons.Skip(i * Depths.Length), (depth, by) => (depth, by))]));
        return new(Short(comparisons), InShort.Unrepeated($"All at learning rate 0.002. {string.Join(" ", answers)}"),
            [claim.Report([.. Pairs().Zip(comparisons).Select((pair, i) => claim[(char)('a' + i)].Better(pair.Second,
                after: $"{Figures(e, pair.First.Arm)} {Figures(e, pair.First.Baseline)}"))])]);
    }

    private static Headline Short(List<Comparison> comparisons)
    {
        string At(int pairing) => Depths.Where((_, i) => comparisons[pairing * Depths.Length + i].Sign > 0).ToList() is { Count: > 0 } at
            ? $"at {string.Join(" and ", at)} layers" : "at no depth";
        return new(Headline.Of(comparisons.Select(by => by.Differs(1))),
            $"The matching initialisation is better for ReLU {At(0)} and for tanh {At(1)}, of {string.Join(", ", Depths)} layers.");
    }

    /// <summary>At which of the depths that were tried it holds.</summary>
    private static string Answer(string pairing, List<(int Depth, Comparison By)> tried)
    {
        string[] at = [.. tried.Where(one => one.By.Sign > 0).Select(one => $"{one.Depth}")];
        return (at.Length == 0 ? $"That {pairing} is shown at no depth. " : $"At "
            + $"{(at.Length < 3 ? string.Join(" and ", at) : $"all of {string.Join(", ", at)}")} layers {pairing}. ")
            + InShort.Of([.. tried.Select(one => ($"{one.Depth} layers", one.By))]);
    }

    private static string Figures(StudyEvidence e, string arm) =>
        $"{arm}: gradient flow {Flow(e.Summary(arm, run => run.GradientFlow(run.First)).Mean)} decades before training "
        + $"(predicted {Flow(e.Cells(arm).Select(run => (double?)run.Preflight?.GradientFlow).FirstOrDefault(flow => flow is not null))}), "
        + $"{StudyEvidence.Percent(e.Stalled(arm))} of the runs learned nothing, test accuracy "
        + $"{StudyEvidence.Percent(e.Mean("testAccuracy", arm).Summary.Mean)}.";

    private static string Arm(string activation, string initializer, int depth) => $"{activation} {initializer} x{depth}";

    private static string Flow(double? flow) => flow is { } decades ? Numbers.Signed(decades) : "not measured";
}
