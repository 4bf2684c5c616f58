using System.Globalization;

namespace TrainingService.Host.Studies;

/// <summary>Activation by initialiser by depth.</summary>
public sealed class InitPairing : Study
{
    private static readonly string[] Activations = ["relu", "tanh"];
    private static readonly string[] Initializers = ["xavier_normal", "kaiming_normal", "auto"];
    private static readonly int[] Depths = [3, 30];

    public override string Name => "init-pairing";
    public override string Question => "Does it matter which initialisation an activation is paired with, and from which depth on?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C10];
    public override string Method =>
        "Gradient flow before training, share of runs that learn nothing and test accuracy of ReLU and tanh nets of 3 and 30 "
        + "layers of 64 units, drawn by Xavier's, Kaiming's and the variance-preserving initialiser; paired by seed, exact sign-flip test.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 8 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "training": {"epochs": {{(size == StudySize.Quick ? 30 : 8)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.002, "momentum": 0.9} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 1000)}} }
          },
          "arms": [{{string.Join(",\n", from depth in Depths from activation in Activations from initializer in Initializers select $$"""
              {"name": "{{Arm(activation, initializer, depth)}}", "patch": {"model": {
                "hiddenLayers": [{{string.Join(", ", Enumerable.Repeat(64, depth))}}],
                "activation": "{{activation}}", "initializer": "{{initializer}}"} } }
              """)}}],
          "baseline": "{{Arm("relu", "kaiming_normal", 30)}}",
          "contrasts": [{{string.Join(",\n", from depth in Depths from pair in Pairs(depth) select $$"""
              {"arm": "{{pair.Arm}}", "baseline": "{{pair.Baseline}}"}
              """)}}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var deep = e.Family("testAccuracy", e.Spec.Delta, [.. Pairs(30)]);
        var shallow = e.Family("testAccuracy", e.Spec.Delta, [.. Pairs(3)]);
        string Figures(string arm) => $"{arm}: gradient flow {Flow(e.Summary(arm, run => run.GradientFlow(run.First)).Mean)} "
            + $"before training (predicted {Flow(Predicted(arm))}), {StudyEvidence.Percent(e.Stalled(arm))} of the runs learned nothing, "
            + $"test accuracy {StudyEvidence.Percent(e.Summary(arm, "testAccuracy").Mean)}.";
        double? Predicted(string arm) => e.Cells(arm).Select(run => run.Preflight?.GradientFlow).FirstOrDefault(flow => flow is not null);
        var matched = Arm("relu", "kaiming_normal", 30);
        var mismatched = Arm("relu", "xavier_normal", 30);
        return new(
            $"At 30 layers: {Figures(mismatched)} {Figures(matched)} At 3 layers: {shallow[0].Sentence}",
            [
                Studies.Claims.C10.Report(deep[0].Verdict,
                    $"30 layers: {deep[0].Sentence} Tanh: {deep[1].Sentence} "
                    + $"{string.Join(" ", e.Arms.Where(arm => arm.EndsWith("30", StringComparison.Ordinal)).Select(Figures))} "
                    + $"3 layers: {shallow[0].Sentence} {shallow[1].Sentence}", e, deep[0].N, deep[0].MeanDifference, deep[0].Ci95),
            ]);
    }

    private static (string Arm, string Baseline)[] Pairs(int depth) =>
    [
        (Arm("relu", "kaiming_normal", depth), Arm("relu", "xavier_normal", depth)),
        (Arm("tanh", "xavier_normal", depth), Arm("tanh", "kaiming_normal", depth)),
        (Arm("relu", "auto", depth), Arm("relu", "kaiming_normal", depth)),
    ];

    private static string Arm(string activation, string initializer, int depth) => $"{activation} {initializer} x{depth}";

    private static string Flow(double? flow) => flow?.ToString("+0.00;-0.00", CultureInfo.InvariantCulture) ?? "not measured";
}
