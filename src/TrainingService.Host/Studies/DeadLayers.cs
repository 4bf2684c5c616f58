using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Layers that are killed on purpose.</summary>
public sealed class DeadLayers : Study
{
    private const string Healthy = "healthy", Half = "half of one layer dead", One = "one layer dead", All = "all layers dead";

    /// <summary>The layer that dies, from 0.</summary>
    private const int Middle = 1;

    public override string Name => "dead-layers";
    public override string Question => "How much of a network must die before it stops learning?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C9];
    public override string Method => "Nets of three ReLU layers of 64 units, equal draws of all weights, in which nothing, half of the "
        + "middle layer's units, all of them or all layers are dead from the start (bias −1000). Measured are gradients before the dead "
        + "layer at the first and the last evaluation, and test accuracy against a net in which only the output's bias can learn. Paired "
        + "by seed, exact sign-flip test and test of equivalence.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    public override int? SeedsAtLeast(StudySize size) => 10;

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
            {"name": "{{Healthy}}", "patch": {"model": {"layers": [{{Dense("0")}}, {{Dense("0")}}, {{Dense("0")}}]} } },
            {"name": "{{Half}}", "patch": {"model": {"layers": [{{Dense("0")}}, {{Dense("0.5")}}, {{Dense("0")}}]} } },
            {"name": "{{One}}", "patch": {"model": {"layers": [{{Dense("0")}}, {{Dense("1")}}, {{Dense("0")}}]} } },
            {"name": "{{All}}", "patch": {"model": {"layers": [{{Dense("1")}}, {{Dense("1")}}, {{Dense("1")}}]} } }
          ],
          "baseline": "{{Healthy}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{"arm": "{{Half}}", "baseline": "{{Healthy}}"},
                        {"arm": "{{One}}", "baseline": "{{Healthy}}"}, {"arm": "{{One}}", "baseline": "{{All}}"}]
        }
        """;

    private static string Dense(string dead) => $$"""
        {"type": "dense", "units": 64, "biasInitializer": {"name": "constant", "value": -1000, "share": {{dead}} } }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var claim = Studies.Claims.C9;
        string Accuracy(string arm) => StudyEvidence.Percent(e.Mean("testAccuracy", arm, anyway: true).Summary.Mean);
        string Dead(string arm) => StudyEvidence.Percent(e.Summary(arm, run => run.Last.Count > Middle
            ? run.Last[Middle].DeadFraction : null).Mean);
        var noBetter = NoBetter(claim['b'], e, $"In {All} nothing but the output's bias can learn: it reaches {Accuracy(All)}, what is "
            + "known of the classes without looking at an input.", e.Compare("testAccuracy", One, Healthy, anyway: true).Result.Sentence);
        var half = DeadLayer.Learns(claim['c'], e, Half, $"{Dead(Half)} of the middle layer's units are dead at the end.",
            e.Compare("testAccuracy", Half, Healthy, anyway: true).Result.Sentence);
        var enough = (noBetter.Verdict, half.Verdict) switch
        {
            (Verdict.Supported, Verdict.Supported) => "One dead layer is enough, half of one is not",
            (Verdict.Supported, _) => "One dead layer is enough",
            (Verdict.Refuted, _) => "One dead layer is not enough",
            _ => "Whether one dead layer is enough is open",
        };
        return new(new(noBetter.Verdict, $"{enough}: test accuracy is {Accuracy(One)} with it, {Accuracy(Half)} with half of it and "
                + $"{Accuracy(Healthy)} in healthy nets."),
            $"{enough}. Test accuracy is {Accuracy(Healthy)} in healthy nets, {Accuracy(Half)} with half of the middle layer's units dead, "
            + $"{Accuracy(One)} with all of them dead, {Accuracy(All)} with all layers dead, where only the output's bias can learn.",
        [
            claim.Report(
                DeadLayer.NoGradient(claim['a'], One, [.. e.Cells(One).Where(run => DeadLayer.Of(run) == Middle)]),
                noBetter, half),
        ]);
    }

    /// <summary>
    /// The net with one dead layer reaches what the output's bias reaches by itself. Where both give one and the same accuracy with every
    /// seed, the spread of the differences is not known, and it is the share of such seeds that has an interval.
    /// </summary>
    private static StatementReport NoBetter(Statement statement, StudyEvidence e, string before, string after)
    {
        var both = e.Compare("testAccuracy", One, All, anyway: true);
        return both.Result is { Ci95: null, MeanDifference: 0, N: > 1 and var n, Divergence.Pairs: var pairs } && n == pairs
            ? statement.Share("sameTestAccuracy", One, n, n, 0.5, 1, $"reach exactly the test accuracy of {All}", before, after)
            : statement.Equivalent(both, before, after);
    }
}
