using TrainingService.Engine.Prediction;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>Nets of one shape, drawn and never trained.</summary>
/// <param name="Width">N, units of each hidden layer.</param>
/// <param name="Depth">L: L - 1 hidden layers and one output, on one input.</param>
/// <param name="Nets">How many were drawn.</param>
/// <param name="Measured">Share that was dead: the output does not depend on the input, so both x = 1 and x = -1 end in zeros.</param>
/// <param name="Expected">The probability of that, computed: how the angle between both signals moves from layer to layer.</param>
/// <param name="Ci95">Wilson's interval of the measured share, [lower, upper].</param>
public sealed record BornDeadCell(int Width, int Depth, int Nets, double Measured, double Expected, double[] Ci95)
{
    /// <summary>1 - (1 - 2^-N)^(L - 1), the upper bound of Lu et al. (2019): the probability that one sign of the input is lost.</summary>
    public double Bound => BornDead.Bound(Width, Depth);
}

/// <summary>Rectifier nets that are dead before they are trained.</summary>
public sealed class BornDeadNets : Study
{
    private const string Relu = "relu 4x20", Leaky = "leaky_relu 4x20", Wide = "relu 32x20";
    private const int Widest = 10, Deepest = 50;

    public override string Name => "born-dead";
    public override string Question => "How many deep, narrow ReLU nets are dead before the first step, and can they be trained?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C1, Studies.Claims.C9];
    public override string Method => "Monte Carlo over nets of width 2–10 and depth 2–50 with one input, drawn by Kaiming's "
        + "initialiser with zero biases. Dead is a net whose output does not depend on the input (x = 1 and x = −1). The share is "
        + "held against the computed probability and the upper bound 1 − (1 − 2^−N)^(L−1) (Lu et al. 2019). Narrow and wide nets "
        + "of 20 layers are trained on the data. Paired by seed, exact sign-flip test.";

    // All of them: the answer is the share of nets that are dead, which is counted over all, and not the one comparison of accuracies.
    public override int Seeds(StudySize size) => size == StudySize.Quick ? 30 : 24;

    public override Func<StudySize, CancellationToken, StudyMeasurement> Measure => Draw;

    private static StudyMeasurement Draw(StudySize size, CancellationToken cancellation)
    {
        var nets = size == StudySize.Quick ? 2_000 : 20_000;
        return new([.. from width in Enumerable.Range(2, Widest - 1)
                       let dead = BornDead.Count(width, Deepest, nets, seed: 1_000_000L * width, cancellation)
                       let expected = BornDead.Probabilities(width, Deepest, cancellation)
                       from depth in Enumerable.Range(2, Deepest - 1)
                       select new BornDeadCell(width, depth, nets, (double)dead[depth] / nets, expected[depth],
                           Proportion.Wilson(dead[depth], nets)?.ToArray() ?? [])]);
    }

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"initializer": "kaiming_normal", "activation": "relu", "hiddenLayers": [{{Layers(4)}}]},
            "training": {"epochs": {{(size == StudySize.Quick ? 20 : 5)}}, "batchSize": 64,
                         "optimizer": {"name": "adam", "learningRate": 0.003} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}} }
          },
          "arms": [
            {"name": "{{Relu}}"},
            {"name": "{{Leaky}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.01} } } },
            {"name": "{{Wide}}", "patch": {"model": {"hiddenLayers": [{{Layers(32)}}] } } }
          ],
          "baseline": "{{Relu}}", "delta": {{AccuracyDelta(size)}}
        }
        """;

    public override IReadOnlyList<Comparisons> Comparisons { get; } = Mitigation.Comparisons((Leaky, Relu));

    public override StudyReading Read(StudyEvidence e)
    {
        var cells = e.Measured?.BornDead ?? [];
        var narrow = string.Join(" ", new[] { (Width: 4, Depth: 5), (Width: 4, Depth: 20) }.SelectMany(shape => cells
            .Where(cell => cell.Width == shape.Width && cell.Depth == shape.Depth)
            .Select(cell => $"Of {cell.Nets:N0} nets of width {cell.Width} and depth {cell.Depth} with one input "
                + $"{StudyEvidence.Percent(cell.Measured)} are born dead; computed {StudyEvidence.Percent(cell.Expected)}, "
                + $"at most (bound) {StudyEvidence.Percent(cell.Bound)}.")));
        var outside = cells.Count(cell => cell.Expected < cell.Ci95[0] || cell.Expected > cell.Ci95[1]);
        var overall = cells.Count == 0 ? "The Monte Carlo has not been run yet."
            : $"Over all {cells.Count} shapes the computed probability lies outside the 95 % interval {outside} times. About "
                + $"{Math.Round(0.05 * cells.Count)} are expected by chance, in clusters, since the depths of a width share their draws.";
        var trained = e.Cells(Relu).Concat(e.Cells(Wide)).Where(run => run.First.Count > 0).ToList();
        var dead = trained.Where(run => DeadLayer.Of(run) is not null).ToList();
        var stalled = $"{StudyEvidence.Percent(e.Stalled(Relu))} of the ReLU runs and {StudyEvidence.Percent(e.Stalled(Leaky))} of the "
            + "leaky ReLU runs learned nothing.";
        var claim = Mitigation.Judge(e, Leaky, Relu, stalled);
        double? Off(string arm) => e.Mean("offEveryRowFraction", arm, anyway: true).Summary.Mean;
        var (dying, shape) = (e.Cells(Relu).Count(run => dead.Contains(run)), cells.FirstOrDefault(cell => cell is
        {
            Width: 4,
            Depth: 20
        }));
        var never = e.Cells(Relu).Count(run => dead.Contains(run) && e.LearnedNothing(run));
        return new(new(dying == 0 ? Verdict.Inconclusive : never == dying ? Verdict.Refuted : Verdict.Supported,
                (shape is null ? "" : $"Of ReLU nets 4 wide and 20 deep {StudyEvidence.Percent(shape.Measured)} are born dead; ")
                + $"{dying} of {Numbers.Count(e.Cells(Relu).Count, "trained one")} had a dead layer at the start, and "
                + $"{(never == dying && dying > 0 ? "none of these" : $"{dying - never} of these")} learned."),
            $"{(narrow.Length == 0 ? "" : narrow + " ")}{overall} On this data, of nets of 20 layers: {Learned(Relu)}. Of the wide ones "
            + $"{Learned(Wide)}. Does leaky ReLU help? "
            + $"{InShort.Of(("test accuracy", e.Compare("testAccuracy", Leaky, Relu, anyway: true)))} "
            + $"Off on every row at the end: {StudyEvidence.Percent(Off(Relu))} of ReLU's units, {StudyEvidence.Percent(Off(Leaky))} of "
            + "leaky ReLU's.",
            [claim with
            {
                // That a net learns nothing is an accuracy like any other, and no reason to leave it out of a comparison of accuracies.
                Statements = [.. claim.Statements.SkipLast(1), Studies.Claims.C1['d'].NotWorse(
                    e.Compare("testAccuracy", Leaky, Relu, anyway: true), stalled)],
            }, OneLayer(e, dead)]);

        string Learned(string arm)
        {
            var born = e.Cells(arm).Where(dead.Contains).ToList();
            var others = e.Cells(arm).Where(run => run.First.Count > 0 && !dead.Contains(run)).ToList();
            return $"{born.Count} of {born.Count + others.Count} {arm} had a dead layer before the first step"
                + (born.Count == 0 ? "" : $" and {born.Count(run => !e.LearnedNothing(run))} of these learned")
                + $"; of {(born.Count == 0 ? "all" : "the other")} {others.Count}, {others.Count(run => !e.LearnedNothing(run))} learned";
        }
    }

    /// <summary>"Only if all units of all layers die": each of these nets has a dead layer and living ones.</summary>
    private static ClaimReport OneLayer(StudyEvidence e, List<CellResult> dead)
    {
        var claim = Studies.Claims.C9;
        var partly = dead.Where(run => run.First.Any(row => row.Layer < run.Layers.Count - 1 && row.DeadFraction < 1)).ToList();
        var stalled = partly.Count(e.LearnedNothing);
        // only those that have such nets
        var arms = new[] { Relu, Wide }.Where(arm => e.Cells(arm).Any(partly.Contains)).DefaultIfEmpty(Relu).ToList();
        var names = string.Join(", ", arms);
        var share = claim['b'].Share("learnedNothing", names, stalled, partly.Count, 0.5, 1,
            "with a dead layer and living ones learned nothing",
            after: partly.Count == 0 ? null : "The most training rows that one of them got right are "
                + $"{StudyEvidence.Percent(partly.Max(run => run.Result?.TrainAccuracy))}.");
        return claim.Report(DeadLayer.NoGradient(claim['a'], names, [.. partly.Where(run => DeadLayer.Of(run) > 0)]),
            // one net that learns in spite of its dead layer refutes it
            stalled < partly.Count ? share with { Verdict = Verdict.Refuted } : share);
    }

    private static string Layers(int width) => string.Join(", ", Enumerable.Repeat(width, 19));
}
