namespace TrainingService.Host.Studies;

/// <summary>What a rising learning rate does to rectifiers.</summary>
public sealed class DyingUnits : Study
{
    private static readonly string[] Activations = ["relu", "leaky_relu", "elu"];

    public override string Name => "dying-units";
    public override string Question => "How many units die, from which learning rate on, and does it cost accuracy?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C1, Studies.Claims.C4];
    public override string Method => "Units that died and test accuracy of ReLU, leaky ReLU and ELU at four learning rates; "
        + "paired by seed, exact sign-flip test, Holm over the rates.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

    private static string[] Rates => ["0.1", "0.5", "1", "1.5"];

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [64, 64], "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 4)}}, "batchSize": 64, "optimizer": {"name": "sgd", "momentum": 0} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 500)}} }
          },
          "arms": [{{string.Join(",\n", from rate in Rates from activation in Activations select $$"""
              {"name": "{{Arm(activation, rate)}}",
               "patch": {"model": {"activation": "{{activation}}"}, "training": {"optimizer": {"learningRate": {{rate}} } } } }
              """)}}],
          "baseline": "{{Arm("relu", "0.1")}}",
          "contrasts": [{{string.Join(",\n", Rates.Select(rate => $$"""
              {"arm": "{{Arm("leaky_relu", rate)}}", "baseline": "{{Arm("relu", rate)}}"}
              """))}}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var pairs = Rates.Select(rate => (Arm("leaky_relu", rate), Arm("relu", rate))).ToArray();
        var dead = e.Family("deadFraction", null, pairs);
        var accuracy = e.Family("testAccuracy", e.Spec.Delta, pairs);
        var shares = string.Join(", ",
            Rates.Select(rate => $"{StudyEvidence.Percent(e.Hidden(Arm("relu", rate), row => row.DeadFraction))} at rate {rate}"));
        var worst = dead[^1];
        // Of the rates, the one that one would choose: a net that is hardly trained, or broken, says nothing of trained ones.
        var usual = Rates.OrderByDescending(rate => e.Summary(Arm("relu", rate), "validationAccuracy").Mean ?? 0).First();
        var sparsity = e.Summary(Arm("relu", usual), "sparsity");
        var interval = sparsity.Ci95 is { } ci
            ? $" (95 % interval {StudyEvidence.Percent(ci[0])} to {StudyEvidence.Percent(ci[1])})"
            : "";
        var zeros = Rates.Select(rate => $"{StudyEvidence.Percent(e.Summary(Arm("relu", rate), "sparsity").Mean)} zeros at {rate}");
        return new(
            $"Of ReLU's units these are dead after training: {shares}. "
            + $"Does it cost accuracy? {string.Join(" ", accuracy.Select((contrast, i) => $"Rate {Rates[i]}: {contrast.Sentence}"))}",
            [
                Studies.Claims.C1.Lower(worst, e, $"Dead units of ReLU: {shares}. At the highest rate:"),
                Studies.Claims.C4.Report(Claim.Within(sparsity, 0.5, 0.9),
                    $"At rate {usual}, the best by validation accuracy, ReLU's hidden layers are {StudyEvidence.Percent(sparsity.Mean)} "
                    + $"zeros{interval}, with {StudyEvidence.Percent(e.Hidden(Arm("relu", usual), row => row.DeadFraction))} of the units "
                    + $"dead: sparsity is not death. All rates: {string.Join(", ", zeros)}.",
                    e, sparsity.N, sparsity.Mean, sparsity.Ci95),
            ]);
    }

    private static string Arm(string activation, string rate) => $"{activation} at {rate}";
}
