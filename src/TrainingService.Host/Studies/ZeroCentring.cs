namespace TrainingService.Host.Studies;

/// <summary>Means of activations.</summary>
public sealed class ZeroCentring : Study
{
    private static readonly string[] Others = ["leaky_relu 0.01", "leaky_relu 0.2", "elu", "selu", "tanh"];

    public override string Name => "zero-centring";
    public override string Question => "Which activations are zero-centred in a trained net, and does it help?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C11];
    public override string Method => "|mean| / rms of the hidden activations after training, against ReLU's, and test accuracy; "
        + "paired by seed, exact sign-flip test, Holm over all.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 30 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [64, 64, 64], "initializer": "auto"},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 5)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}} }
          },
          "arms": [
            {"name": "relu", "patch": {"model": {"activation": "relu"} } },
            {"name": "{{Others[0]}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.01} } } },
            {"name": "{{Others[1]}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.2} } } },
            {{string.Join(", ", Others.Skip(2).Select(name => $$"""
              {"name": "{{name}}", "patch": {"model": {"activation": "{{name}}"} } }
              """))}}
          ],
          "baseline": "relu"
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        (string, string)[] pairs = [.. Others.Select(name => (name, "relu"))];
        var shift = e.Family("biasShift", 0.05, pairs);
        var accuracy = e.Family("testAccuracy", e.Spec.Delta, pairs);
        var figures =
            string.Join(", ", Others.Prepend("relu").Select(name => $"{name} {StudyEvidence.Number(e.Summary(name, "biasShift").Mean)}"));
        return new($"Mean over rms of the hidden activations: {figures}. "
            + $"Does it help? {string.Join(" ", accuracy.Select(contrast => contrast.Sentence))}",
        [
            Studies.Claims.C11.Report(Claim.OfLower(shift[0].Verdict),
                $"At slope 0.01: {shift[0].Sentence} At slope 0.2: {shift[1].Sentence} A change below 0.05 of mean / rms counts as none.",
                e, shift[0].N, shift[0].MeanDifference, shift[0].Ci95),
        ]);
    }
}
