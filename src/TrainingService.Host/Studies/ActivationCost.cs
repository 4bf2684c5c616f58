using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>What activations cost in a training step.</summary>
public sealed class ActivationCost : Study
{
    private static readonly string[] Others = ["leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid", "softplus"];

    public override string Name => "activation-cost";
    public override string Question => "Which activations slow training down, and by how much?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C2];
    public override string Method => "Wall time of a run's fastest epoch against ReLU's in nets of two layers of 256, runs of a seed one after another so that all see the same machine; paired by seed, "
        + "exact sign-flip test, Holm over all. Differences within 10 % of ReLU's time count as none.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [256, 256]},
            "training": {"epochs": {{(size == StudySize.Quick ? 30 : 3)}}, "batchSize": 64, "optimizer": {"name": "sgd", "learningRate": 0.01} },
            "diagnostics": {"everySteps": 100000}
          },
          "grid": {"/model/activation": ["relu", {{string.Join(", ", Others.Select(name => $"\"{name}\""))}}]},
          "metric": "fastestEpochSeconds", "delta": 1,
          "baseline": "relu"
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var relu = e.Summary("relu", "fastestEpochSeconds").Median ?? 0;
        var family = e.Family("fastestEpochSeconds", 0.1 * relu, [.. Others.Select(name => (name, "relu"))]);
        var ratios = string.Join(", ", Others.Select(name => $"{name} {StudyEvidence.Number(e.Summary(name, "fastestEpochSeconds").Median / relu)}"));
        var leaky = Studies.Claims.C2.NotWorse(family[0], e).Verdict;
        var elu = family[2].Verdict switch
        {
            Verdict.Refuted when !family[2].Equivalence.Equivalent => Verdict.Supported,
            _ when family[2].Equivalence.Equivalent => Verdict.Refuted,
            _ => Verdict.Inconclusive,
        };
        return new($"Time of an epoch (median over seeds of the fastest one) as a multiple of ReLU's: {ratios}.",
        [
            Studies.Claims.C2.Report(Claim.All([leaky, elu]), $"Leaky ReLU doesn't slow training: {Word(leaky)}. {family[0].Sentence} ELU is expensive: {Word(elu)}. {family[2].Sentence} "
                + "The costs are those of this engine's vector code; where exponentials are computed one by one, ELU costs more.", e, family[0].N, family[0].MeanDifference, family[0].Ci95),
        ]);
    }

    private static string Word(Verdict verdict) => verdict.ToString().ToLowerInvariant();
}
