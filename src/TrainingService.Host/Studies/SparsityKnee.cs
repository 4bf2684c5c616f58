using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>How sparse before it costs.</summary>
public sealed class SparsityKnee : Study
{
    private static string[] Penalties => ["0", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3"];

    public override string Name => "sparsity-knee";
    public override string Question => "How sparse can layers get before accuracy suffers?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C4, Studies.Claims.C5, Studies.Claims.C12];
    public override string Method => "Sparsity and test accuracy of ReLU nets under a rising l1 penalty on activations, against "
        + "no penalty, tanh and softplus; paired by seed, exact sign-flip test, Holm over all. A loss within one point counts as none.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [128, 128], "activation": "relu", "initializer": "auto"},
            "training": {"epochs": {{(size == StudySize.Quick ? 20 : 6)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}} }
          },
          "arms": [
            {{string.Join(",\n", Penalties.Select(l1 => $$"""
              {"name": "{{Arm(l1)}}", "patch": {"training": {"activityL1": {{l1}} } } }
              """))}},
            {"name": "tanh", "patch": {"model": {"activation": "tanh"} } },
            {"name": "softplus", "patch": {"model": {"activation": "softplus"} } }
          ],
          "baseline": "{{Arm("0")}}", "delta": 0.01
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var arms = Penalties.Skip(1).Select(Arm).ToArray();
        var family = e.Family("testAccuracy", e.Spec.Delta,
            [.. arms.Select(arm => (arm, Arm("0"))), ("tanh", Arm("0")), ("softplus", Arm("0"))]);
        var sparsity = arms.Prepend(Arm("0")).ToDictionary(arm => arm, arm => e.Summary(arm, "sparsity"));
        // Equivalent, or better: the accuracy is kept. Beyond the knee it is lost by more than noise.
        var kept = arms.Where((_, i) => family[i].Equivalence.Equivalent || family[i].Verdict == Verdict.Supported)
            .Select(arm => sparsity[arm].Mean).OfType<double>().DefaultIfEmpty(double.NaN).Max();
        var lost = arms.Where((_, i) => family[i].Verdict == Verdict.Refuted)
            .Select(arm => sparsity[arm].Mean).OfType<double>().DefaultIfEmpty(double.NaN).Min();
        var table = string.Join("; ", arms.Select((arm, i) =>
            $"{StudyEvidence.Percent(sparsity[arm].Mean)} zeros: {Word(family[i].Verdict)}, {Points(family[i].MeanDifference)}"));
        var dense = sparsity[Arm("0")];
        var gap = e.Family("generalizationGap", null, (arms[^1], Arm("0")))[0];
        var beyond = double.IsNaN(lost) ? "was not lost at any sparsity that was reached" : $"lost from {StudyEvidence.Percent(lost)} on";
        return new(
            $"Accuracy is kept (within {Points(e.Spec.Delta)}) up to {StudyEvidence.Percent(double.IsNaN(kept) ? null : kept)} zeros "
            + $"and {beyond}. {table}.",
        [
            Studies.Claims.C4.Report(Claim.Within(dense, 0.5, 0.9),
                $"Without a penalty ReLU's layers are {StudyEvidence.Percent(dense.Mean)} zeros.", e, dense.N, dense.Mean, dense.Ci95),
            Studies.Claims.C5.Report(gap.Verdict,
                $"Generalisation gap under the strongest penalty against none (a smaller gap is better): {gap.Sentence}",
                e, gap.N, gap.MeanDifference, gap.Ci95),
            Studies.Claims.C12.Report(kept >= 0.8 ? Verdict.Supported : lost < 0.8 ? Verdict.Refuted : Verdict.Inconclusive,
                $"{table}. Tanh: {family[^2].Sentence} Softplus: {family[^1].Sentence} The claim counts as supported "
                + "if accuracy is kept at 80 % zeros or more, as refuted if it is lost below 80 %.", e, family[0].N),
        ]);
    }

    private static string Arm(string penalty) => penalty == "0" ? "no penalty" : $"l1 {penalty}";

    private static string Word(Verdict verdict) =>
        verdict switch { Verdict.Supported => "better", Verdict.Refuted => "worse", Verdict.Equivalent or Verdict.Negligible => "the same",
            _ => "undecided" };

    private static string Points(double? difference) => difference is { } d
        ? (100 * d).ToString("+0.0;-0.0;0", System.Globalization.CultureInfo.InvariantCulture) + " points"
        : "not measured";
}
