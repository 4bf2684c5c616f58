using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Narrow and wide nets.</summary>
public sealed class Capacity : Study
{
    private static readonly int[] Widths = [4, 8, 32, 128];
    private static readonly string[] Activations = ["relu", "leaky_relu", "tanh"];

    public override string Name => "capacity";
    public override string Question => "Does ReLU's sparsity waste units, so that narrow nets suffer?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C5];
    public override string Method => "Training loss and generalisation gap of ReLU, leaky ReLU (0.1) and tanh "
        + "nets from 4 to 128 units wide; paired by seed, exact sign-flip test, Holm over the widths.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

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
          "baseline": "{{Arm("relu", 4)}}",
          "contrasts": [{{string.Join(",\n", Widths.Select(width => $$"""
              {"arm": "{{Arm("leaky_relu", width)}}", "baseline": "{{Arm("relu", width)}}"}
              """))}}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        (string, string)[] pairs = [.. Widths.Select(width => (Arm("leaky_relu", width), Arm("relu", width)))];
        var fit = e.Family("trainLoss", null, pairs);
        var gap = e.Family("generalizationGap", null, [.. pairs.Select(pair => (pair.Item2, pair.Item1))]);
        var narrow = fit[0];
        var verdict = Claim.All([narrow.Verdict == Verdict.Supported ? Verdict.Supported
            : narrow.Verdict is Verdict.Refuted or Verdict.Equivalent or Verdict.Negligible ? Verdict.Refuted : Verdict.Inconclusive]);
        string Rank(string arm) => StudyEvidence.Number(e.Hidden(arm, row => row.EffectiveRank));
        string Ranks(int width) =>
            $"{width} wide: ReLU {Rank(Arm("relu", width))}, leaky ReLU {Rank(Arm("leaky_relu", width))}, tanh {Rank(Arm("tanh", width))}";
        return new(string.Join(" ", fit.Select((contrast, i) => $"{Widths[i]} wide: {contrast.Sentence}")),
        [
            Studies.Claims.C5.Report(verdict, $"Under-uses capacity, {Widths[0]} units wide (training loss, so lower is better): "
                + $"{narrow.Sentence} Effective rank of the hidden layers, {string.Join("; ", Widths.Select(Ranks))}. "
                + $"Generalises: {gap[^1].Sentence}",
                e, narrow.N, narrow.MeanDifference, narrow.Ci95),
        ]);
    }

    private static string Arm(string activation, int width) => $"{activation} {width}";

    private static string Json(string activation) =>
        activation == "leaky_relu" ? """{"name": "leaky_relu", "negativeSlope": 0.1}""" : $"\"{activation}\"";
}
