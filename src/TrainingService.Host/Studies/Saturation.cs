namespace TrainingService.Host.Studies;

/// <summary>Squashing activations by depth.</summary>
public sealed class Saturation : Study
{
    private static readonly string[] Activations = ["sigmoid", "tanh", "relu"];
    private static readonly int[] Depths = [2, 5, 10];

    public override string Name => "saturation";
    public override string Question => "Do tanh and sigmoid saturate and stop training, and from which depth on?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C7];
    public override string Method => "Saturation, gradient flow, share of runs that learn nothing and test accuracy of sigmoid, "
        + "tanh and ReLU nets of 2, 5 and 10 layers, each with its usual initialiser; paired by seed, exact sign-flip test, Holm over all.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 4)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 1000)}} }
          },
          "arms": [{{string.Join(",\n", from depth in Depths from activation in Activations select $$"""
              {"name": "{{Arm(activation, depth)}}",
               "patch": {"model": {"hiddenLayers": [{{string.Join(", ", Enumerable.Repeat(64, depth))}}], "activation": "{{activation}}",
                "initializer": "{{(activation == "relu" ? "kaiming_normal" : "xavier_normal")}}"} } }
              """)}}],
          "baseline": "{{Arm("relu", 2)}}",
          "contrasts": [{{string.Join(",\n", Pairs().Select(pair => $$"""{"arm": "{{pair.Arm}}", "baseline": "{{pair.Baseline}}"}"""))}}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var family = e.Family("testAccuracy", e.Spec.Delta, [.. Pairs()]);
        string Figures(string arm) =>
            $"{arm}: {StudyEvidence.Percent(e.Hidden(arm, row => row.Saturation))} saturated at the end, gradient flow "
            + $"{StudyEvidence.Number(e.Summary(arm, run => run.GradientFlow(run.First)).Mean)} "
            + $"before and {StudyEvidence.Number(e.Summary(arm, "gradientFlow").Mean)} after training, "
            + $"{StudyEvidence.Percent(e.Stalled(arm))} of the runs learned nothing.";
        // The claim names both functions: a deep net of each must do worse than ReLU's for it to hold.
        Statistics.Verdict Worse(int i) => family[i].Verdict switch
        {
            Statistics.Verdict.Refuted => Statistics.Verdict.Supported,
            Statistics.Verdict.Supported or Statistics.Verdict.Equivalent or Statistics.Verdict.Negligible => Statistics.Verdict.Refuted,
            _ => Statistics.Verdict.Inconclusive,
        };
        var (sigmoid, tanh) = (Worse(4), Worse(5));
        return new(
            string.Join(" ", Depths.Select((depth, i) => $"{depth} layers: {family[2 * i].Sentence} {family[2 * i + 1].Sentence}")),
            [
                Studies.Claims.C7.Report(Claim.All([sigmoid, tanh]), "Training suffers at 10 layers: "
                    + $"sigmoid {sigmoid.ToString().ToLowerInvariant()}, tanh {tanh.ToString().ToLowerInvariant()}. "
                    + string.Join(" ", e.Arms.Select(Figures)), e, family[4].N, family[4].MeanDifference, family[4].Ci95),
            ]);
    }

    private static IEnumerable<(string Arm, string Baseline)> Pairs() =>
        from depth in Depths from activation in Activations.Take(2) select (Arm(activation, depth), Arm("relu", depth));

    private static string Arm(string activation, int depth) => $"{activation} x{depth}";
}
