using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Means of activations.</summary>
public sealed class ZeroCentring : Study
{
    private const string Relu = "relu", Leaky = "leaky_relu 0.01", Steep = "leaky_relu 0.2";
    private const double Delta = 0.05;
    private static readonly string[] Others = [Leaky, Steep, "elu", "selu", "tanh"];

    public override string Name => "zero-centring";
    public override string Question => "Which activations are zero-centred in a trained net, and does it help?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C11];
    public override string Method => "|mean| / rms of the hidden activations after training, against ReLU's, and test accuracy. "
        + "Paired by seed, exact sign-flip test, Holm over all.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 30 : 16;

    public override int? SeedsAtLeast(StudySize size) => size == StudySize.Quick ? 16 : 10;

    public override IReadOnlyList<Comparisons> Comparisons => [Shifts([.. Others.Select(name => (name, Relu))])];

    /// <summary>Shifts of the mean, for a study that judges <see cref="Judge"/>.</summary>
    public static Comparisons Shifts(params IReadOnlyList<(string Arm, string Baseline)> pairs) => new("biasShift", Delta, pairs);

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
            {"name": "{{Relu}}", "patch": {"model": {"activation": "relu"} } },
            {"name": "{{Leaky}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.01} } } },
            {"name": "{{Steep}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.2} } } },
            {{string.Join(", ", Others.Skip(2).Select(name => $$"""
              {"name": "{{name}}", "patch": {"model": {"activation": "{{name}}"} } }
              """))}}
          ],
          "baseline": "{{Relu}}", "delta": {{AccuracyDelta(size)}}
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var figures = string.Join(", ", Others.Prepend(Relu)
            .Select(name => $"{name}: {StudyEvidence.Number(e.Mean("biasShift", name).Summary.Mean)}"));
        (string Name, Comparison By)[] all = [.. Others.Select(name => (name, e.Compare("testAccuracy", name, Relu)))];
        var better = all.Where(one => one.By.Sign > 0 && one.By.LeftOut.Count == 0).Select(one => one.Name).ToList();
        var least = Others.Prepend(Relu).Where(name => e.Mean("biasShift", name).Summary.Mean is not null)
            .MinBy(name => e.Mean("biasShift", name).Summary.Mean);
        return new(new(Headline.Of(all.Select(one => one.By.Differs(1))), (least is null ? "No net has been measured; "
                : $"Closest to zero is {least} (mean {StudyEvidence.Number(e.Mean("biasShift", least).Summary.Mean)} of the rms, ReLU "
                    + $"{StudyEvidence.Number(e.Mean("biasShift", Relu).Summary.Mean)}); ")
                + (better.Count == 0 ? "no activation is shown to be more accurate than ReLU."
                    : $"shown to be more accurate than ReLU: {string.Join(", ", better)}.")),
            $"Mean over rms of the hidden activations at the end: {figures}. Does it help? "
            + $"Test accuracy against ReLU. {InShort.Of(all)}",
            [Judge(e, Relu, Leaky, Steep)]);
    }

    /// <summary>C11: ReLU's mean is away from zero, and leaky ReLU brings it nearer by an amount that is worth the name.</summary>
    public static ClaimReport Judge(StudyEvidence e, string relu, string leaky, string steep)
    {
        var claim = Studies.Claims.C11;
        const string Measure =
            "Measured is |mean| / rms of each hidden layer's activations at the end of training, as a mean over the layers.";
        return claim.Report(
            claim['a'].Within(e.Mean("biasShift", relu), 0.3, double.PositiveInfinity, open: true, before: Measure),
            claim['b'].LowerBy(Delta, e.Compare("biasShift", leaky, relu), Measure),
            claim['c'].LowerBy(Delta, e.Compare("biasShift", steep, relu), Measure));
    }
}
