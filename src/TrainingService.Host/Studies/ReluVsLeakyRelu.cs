using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>The question itself.</summary>
public sealed class ReluVsLeakyRelu : Study
{
    public override string Name => "relu-vs-leaky-relu";
    public override string Question => "If leaky ReLU keeps units alive, why is ReLU still the default: does leaky ReLU beat ReLU here?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C1, Studies.Claims.C2, Studies.Claims.C8, Studies.Claims.C11];
    public override string Method => "Test accuracy, dead units, time per epoch, gradient flow and mean shift of leaky ReLU (0.01, "
        + "0.2) and ELU against ReLU, learning rate tuned for each on validation rows; paired by seed, exact sign-flip test.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 30 : 16;

    public override int? SeedsAtLeast(StudySize size) => 8;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": "", "validationFraction": 0.15},
            "model": {"hiddenLayers": {{(size == StudySize.Quick ? "[128, 64]" : "[256, 128]")}}, "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 20 : 8)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}} }
          },
          "arms": [
            {"name": "relu", "patch": {"model": {"activation": "relu"} } },
            {"name": "leaky_relu 0.01", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.01} } } },
            {"name": "leaky_relu 0.2", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.2} } } },
            {"name": "elu", "patch": {"model": {"activation": "elu", "initializer": "auto"} } }
          ],
          "tune": {"/training/optimizer/learningRate": [0.003, 0.01, 0.03, 0.1, 0.3]},
          "baseline": "relu"
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        const string Relu = "relu", Leaky = "leaky_relu 0.01", Steep = "leaky_relu 0.2", Elu = "elu";
        var accuracy = e.Family("testAccuracy", e.Spec.Delta, (Leaky, Relu), (Steep, Relu), (Elu, Relu));
        var dead = e.Family("deadFraction", null, (Leaky, Relu))[0];
        var seconds = e.Family("fastestEpochSeconds", null, (Leaky, Relu), (Elu, Relu));
        // Before training, where nothing but the activation differs: afterwards the tuned rates would speak, too.
        var flow = e.Family("initialGradientFlow", 0.1, (Relu, Leaky))[0];
        var shift = e.Family("initialBiasShift", 0.05, (Leaky, Relu))[0];

        var deadShare = StudyEvidence.Percent(e.Hidden(Relu, row => row.DeadFraction));
        var answer = accuracy[0].Verdict switch
        {
            Verdict.Supported => "Yes, here leaky ReLU (0.01) is the better choice.",
            Verdict.Refuted => "No, here leaky ReLU (0.01) is worse.",
            Verdict.Equivalent or Verdict.Negligible => "No: here it makes no difference that matters.",
            _ => "It can't be said with this evidence.",
        } + $" {accuracy[0].Sentence} Of ReLU's units {deadShare} are dead at the end, so that is what leaky ReLU could mend. "
            + $"A steeper leak: {accuracy[1].Sentence} ELU: {accuracy[2].Sentence}";
        return new(answer,
        [
            Studies.Claims.C1.Lower(dead, e, "Dead units at the end, each at its tuned learning rate: "
                + $"ReLU {deadShare}, leaky ReLU {StudyEvidence.Percent(e.Hidden(Leaky, row => row.DeadFraction))} "
                + "(a leaky unit can't be gradient-dead by construction, so the question is whether there is anything to mitigate)."),
            ActivationCost.Judge(e, seconds[0], seconds[1]),
            Studies.Claims.C8.NotWorse(flow, e,
                $"ReLU's activations are {StudyEvidence.Percent(e.Hidden(Relu, row => row.Sparsity))} zeros and leaky ReLU's "
                + $"{StudyEvidence.Percent(e.Hidden(Leaky, row => row.Sparsity))}; "
                + "gradient flow is log10 of the first hidden layer's gradient over the last one's, before training, on the same draws."),
            Studies.Claims.C11.Report(Claim.OfLower(shift.Verdict), "Bias shift is |mean| / rms "
                + "of a hidden layer's activations, before training, on the same draws; a change below 0.05 would not be worth the name. "
                + $"At the end of training it is {StudyEvidence.Number(e.Summary(Relu, "biasShift").Mean)} for "
                + $"ReLU and {StudyEvidence.Number(e.Summary(Leaky, "biasShift").Mean)} for leaky ReLU. {shift.Sentence}",
                e, shift.N, shift.MeanDifference, shift.Ci95),
        ]);
    }
}
