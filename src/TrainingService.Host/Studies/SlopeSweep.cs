namespace TrainingService.Host.Studies;

/// <summary>The slope of leaky ReLU, tuned by hand and learned.</summary>
public sealed class SlopeSweep : Study
{
    private static string[] Slopes => ["0", "0.01", "0.1", "0.3", "0.6", "1"];

    public override string Name => "slope-sweep";
    public override string Question => "Does the slope of leaky ReLU matter, and does PReLU learn a good one?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C3];
    public override string Method => "Test accuracy of fixed slopes from 0 (ReLU) to 1 (no activation at all) against slope 0.01, "
        + "and of PReLU; paired by seed, exact sign-flip test, Holm over all.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 40 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [64, 64], "initializer": "auto"},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 5)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}} }
          },
          "arms": [
            {{string.Join(",\n", Slopes.Select(slope => $$"""
              {"name": "{{Arm(slope)}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": {{slope}} } } } }
              """))}},
            {"name": "prelu", "patch": {"model": {"activation": {"name": "prelu", "init": 0.25} } } }
          ],
          "baseline": "{{Arm("0.01")}}"
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var arms = Slopes.Where(slope => slope != "0.01").Select(Arm).Append("prelu").ToArray();
        var family = e.Family("testAccuracy", e.Spec.Delta, [.. arms.Select(arm => (arm, Arm("0.01")))]);
        var worst = family.SkipLast(1).OrderBy(contrast => contrast.MeanDifference ?? 0).First();
        var learned = family[^1];
        var hurts = worst.Verdict switch
        {
            Statistics.Verdict.Refuted => Statistics.Verdict.Supported,
            Statistics.Verdict.Equivalent or Statistics.Verdict.Negligible => Statistics.Verdict.Equivalent,
            _ => Statistics.Verdict.Inconclusive,
        };
        var learns = Studies.Claims.C3.NotWorse(learned, e).Statements[0].Verdict;
        var slopes = string.Join(", ", e.Cells("prelu").Where(run => !run.Diverged)
            .SelectMany(run => run.Last.Where(row => row.Slope is not null).Select(row => (run.Layers[row.Layer].Name, row.Slope)))
            .GroupBy(layer => layer.Name).Select(layer => $"{layer.Key} {StudyEvidence.Number(layer.Average(l => l.Slope))}"));
        return new($"The worst of the fixed slopes: {worst.Sentence} Learned: {learned.Sentence}",
        [
            Studies.Claims.C3.Report(Claim.All([hurts, learns]), $"{string.Join(" ", family.Select(contrast => contrast.Sentence))} "
                + $"PReLU's slopes at the end, from 0.25: {(slopes.Length == 0 ? "not measured" : slopes)}. Slope 1 leaves a linear model, "
                + "so it shows what the activation is worth at all.",
                e, worst.N, worst.MeanDifference, worst.Ci95),
        ]);
    }

    private static string Arm(string slope) => $"slope {slope}";
}
