using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>What activations cost: the fastest epoch of a run, as a ratio to ReLU's.</summary>
public sealed class ActivationCost : Study
{
    private static readonly string[] Others = ["leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid", "softplus"];

    public override string Name => "activation-cost";
    public override string Question => "Which activations slow training down, and by how much?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C2];
    public override string Method =>
        "Wall time of a run's fastest epoch against ReLU's in nets of two layers of 256, runs of a seed one after another so that all see "
        + "the same machine; paired by seed, exact sign-flip test, Holm over all. Differences within 5 % of ReLU's time count as none.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [256, 256]},
            "training": {"epochs": {{(size == StudySize.Quick ? 30 : 3)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.01} },
            "diagnostics": {"everySteps": 100000}
          },
          "grid": {"/model/activation": ["relu", {{string.Join(", ", Others.Select(name => $"\"{name}\""))}}]},
          "metric": "fastestEpochSeconds",
          "baseline": "relu"
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var relu = e.Summary("relu", "fastestEpochSeconds").Median ?? 0;
        var family = e.Family("fastestEpochSeconds", null, [.. Others.Select(name => (name, "relu"))]);
        var ratios = string.Join(", ",
            Others.Select(name => $"{name} {StudyEvidence.Number(e.Summary(name, "fastestEpochSeconds").Median / relu)}"));
        return new($"Time of an epoch (median over seeds of the fastest one) as a multiple of ReLU's: {ratios}.",
        [
            Judge(e, family[0], family[2]),
        ]);
    }

    /// <summary>Both parts of the claim: leaky ReLU costs nothing, and ELU does.</summary>
    public static ClaimReport Judge(StudyEvidence e, ContrastResult leaky, ContrastResult elu)
    {
        var free = Studies.Claims.C2.NotWorse(leaky, e).Statements[0].Verdict;
        var expensive = elu.Equivalence.Equivalent || elu.Verdict == Verdict.Supported ? Verdict.Refuted
            : elu.Verdict == Verdict.Refuted ? Verdict.Supported
            : Verdict.Inconclusive;
        return Studies.Claims.C2.Report(Claim.All([free, expensive]),
            $"Leaky ReLU doesn't slow training: {Word(free)}. {leaky.Sentence} ELU is expensive: {Word(expensive)}. {elu.Sentence} "
            + "Compared is each run's fastest epoch, and 5 % of ReLU's counts as no difference. The costs are those of this engine's "
            + "vector code; where exponentials are computed one by one, ELU costs more.",
            e, leaky.N, leaky.MeanDifference, leaky.Ci95);
    }

    private static string Word(Verdict verdict) => verdict.ToString().ToLowerInvariant();
}
