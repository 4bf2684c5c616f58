namespace TrainingService.Host.Studies;

/// <summary>Layers that are killed on purpose.</summary>
public sealed class DeadLayers : Study
{
    private const string Healthy = "healthy", Half = "half of one layer dead", One = "one layer dead", All = "all layers dead";

    public override string Name => "dead-layers";
    public override string Question => "How much of a network must die before it stops learning?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C9];
    public override string Method => "Test accuracy of nets of three ReLU layers in which nothing, half of the middle layer, all of the "
        + "middle layer or all layers are dead from the start (bias -1000); paired by seed, exact sign-flip test and test of equivalence.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"activation": "relu", "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 10 : 4)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 1000)}} }
          },
          "arms": [
            {"name": "{{Healthy}}",
             "patch": {"model": {"layers": [{"type": "dense", "units": 64}, {"type": "dense", "units": 64},
                                            {"type": "dense", "units": 64}]} } },
            {"name": "{{Half}}",
             "patch": {"model": {"layers": [{"type": "dense", "units": 64}, {"type": "dense", "units": 32},
                                            {"type": "dense", "units": 64}]} } },
            {"name": "{{One}}",
             "patch": {"model": {"layers": [{"type": "dense", "units": 64}, {{Dead}}, {"type": "dense", "units": 64}]} } },
            {"name": "{{All}}", "patch": {"model": {"layers": [{{Dead}}, {{Dead}}, {{Dead}}]} } }
          ],
          "baseline": "{{Healthy}}",
          "contrasts": [{"arm": "{{Half}}", "baseline": "{{Healthy}}"},
                        {"arm": "{{One}}", "baseline": "{{Healthy}}"}, {"arm": "{{One}}", "baseline": "{{All}}"}]
        }
        """;

    private const string Dead = """{"type": "dense", "units": 64, "biasInitializer": {"name": "constant", "value": -1000}}""";

    public override StudyReading Read(StudyEvidence e)
    {
        var family = e.Family("testAccuracy", e.Spec.Delta, (Half, Healthy), (One, Healthy), (One, All));
        string Accuracy(string arm) => StudyEvidence.Percent(e.Summary(arm, "testAccuracy").Mean);
        var upstream = e.Cells(One).Where(run => run.Last.Count > 0)
            .Select(run => (double)run.Last[0].GradientRms).DefaultIfEmpty(double.NaN).Max();
        // The claim says that with one dead layer of three a net still learns: it is false if that net is as bad as one in which all
        // is dead, and worse than a healthy one.
        var verdict = (family[1].Verdict, family[2].Verdict) switch
        {
            (Statistics.Verdict.Refuted, Statistics.Verdict.Equivalent or Statistics.Verdict.Negligible) => Statistics.Verdict.Refuted,
            (_, Statistics.Verdict.Supported) => Statistics.Verdict.Supported,
            _ => Statistics.Verdict.Inconclusive,
        };
        return new($"{(verdict == Statistics.Verdict.Refuted ? "One dead layer is enough: test" : "Test")} accuracy is {Accuracy(Healthy)} "
            + $"in healthy nets, {Accuracy(Half)} with half of the middle layer gone, {Accuracy(One)} with all of it dead, "
            + $"{Accuracy(All)} with all layers dead.",
        [
            Studies.Claims.C9.Report(verdict, $"{family[1].Sentence} {family[2].Sentence} {family[0].Sentence} "
                + $"The largest gradient (rms) in the layer before the dead one was {StudyEvidence.Number(upstream)}; only biases behind "
                + "the dead layer can still move. The half-dead layer is trained as a layer of half the width, which is the same function.",
                e, family[1].N, family[1].MeanDifference, family[1].Ci95),
        ]);
    }
}
