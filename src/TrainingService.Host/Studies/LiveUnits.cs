using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>Measures of the hidden layers in which dead units, which are 0 on every row, are counted apart.</summary>
public static class LiveUnits
{
    /// <summary>A net with a larger share of dead units than this is no longer one of its width.</summary>
    public const double MostDead = 0.1;

    /// <summary>Share of zeros among the activations of live units.</summary>
    public static SweepMetric Sparsity { get; } = Fraction("liveSparsity", run =>
        run.OverHidden(run.Last, row => row.Sparsity) is { } zeros && Dead(run) is { } dead and < 1 ? (zeros - dead) / (1 - dead) : null);

    /// <summary>Effective rank of a layer's activations over its live units, mean over the hidden layers.</summary>
    public static SweepMetric Rank { get; } = Fraction("rankPerLiveUnit", run => run.OverHidden(run.Last, row => row.DeadFraction < 1
        ? row.EffectiveRank / (run.Layers[row.Layer].Units * (1 - row.DeadFraction)) : null));

    /// <summary>Training loss of the nets with few dead units; the others have no value.</summary>
    public static SweepMetric TrainLoss { get; } =
        Of("trainLossOfLiveNets", SweepMetrics.Named("trainLoss"), run => Dead(run) <= MostDead ? run.Result?.TrainLoss : null);

    /// <summary>
    /// The least difference that matters by a metric: for a gap of accuracies a point, since half a point is less than two of some
    /// hundred test rows.
    /// </summary>
    public static double DeltaOf(SweepMetric metric) => metric.Name == SweepMetrics.GeneralizationGap ? 0.01 : metric.Delta ?? 0;

    /// <summary>
    /// Share of zeros in each hidden layer at the end. A mean over layers of which one is nearly dense and the next nearly silent is the
    /// sparsity of neither.
    /// </summary>
    public static IReadOnlyList<ArmSummary> Zeros(StudyEvidence e, string arm) =>
        [.. Enumerable.Range(0, e.Cells(arm).Select(run => run.Layers.Count - 1).Append(0).Max())
            .Select(layer => e.Summary(arm, run => run.Last.FirstOrDefault(row => row.Layer == layer)?.Sparsity))];

    /// <summary>In words, from the first hidden layer to the last: "51.6/65.5 % zeros".</summary>
    public static string Told(IReadOnlyList<ArmSummary> zeros) => zeros.Count == 0 ? "zeros not measured"
        : string.Join("/", zeros.Select(layer => layer.Mean is null ? "–" : StudyEvidence.Percent(layer.Mean)[..^2])) + " % zeros";

    /// <summary>
    /// Whether two arms have the same training loss: within delta, and not so low that a delta beyond the whole loss says nothing while a
    /// difference is plain.
    /// </summary>
    public static bool SameLoss(Comparison by) => by.IsEquivalent() == Verdict.Supported
        && (by.Result.Verdict == Verdict.Equivalent || by.Result.Equivalence.Delta < by.Baseline?.Mean);

    /// <summary>
    /// By how much the effective rank for each live unit is higher than the baseline's, layer by layer; where one is higher and another one
    /// lower by more than matters their mean says nothing.
    /// </summary>
    public static (string Told, bool Disagree) RankByLayer(StudyEvidence e, string arm, string baseline)
    {
        double? Of(string name, int layer) => e.Summary(name, run =>
            run.Last.FirstOrDefault(row => row.Layer == layer) is { DeadFraction: < 1 } row
                ? row.EffectiveRank / (run.Layers[layer].Units * (1 - row.DeadFraction)) : null).Mean;
        double[] higher = [.. Enumerable.Range(0, Zeros(e, arm).Count).Select(layer => Of(arm, layer) - Of(baseline, layer))
            .OfType<double>()];
        var delta = DeltaOf(Rank);
        return ($"Layer by layer the rank of {arm} differs by "
            + $"{string.Join(", ", higher.Select(one => Numbers.Signed(100 * one)))} points.",
            higher.Length > 0 && higher.Max() > delta && higher.Min() < -delta);
    }

    /// <summary>Share of the hidden units that are dead at the end.</summary>
    public static double? Dead(CellResult run) => run.OverHidden(run.Last, row => row.DeadFraction);

    /// <summary>
    /// C4 for one arm of ReLU nets: does dying hit some units of each layer but not all, and how sparse are the live ones?
    /// </summary>
    /// <param name="where">Which setting it is, in a sentence.</param>
    public static ClaimReport Read(StudyEvidence e, string arm, string? where = null)
    {
        var claim = Claims.C4;
        var layers = e.Cells(arm).Where(run => !run.Diverged).Select(run => run.Layers.Count - 1).DefaultIfEmpty(0).Max();
        var dying = layers < 1 ? claim['a'].Open("offEveryRowFraction", "fraction", [arm], "No layer has been measured.")
            : claim['a'].Every([.. Enumerable.Range(0, layers).Select(layer => claim['a'].SomeButNotAll(e.Mean("offEveryRowFraction",
                "fraction", "share of units off on every row", arm,
                run => run.Last.FirstOrDefault(row => row.Layer == layer)?.OffEveryRowFraction) with { Arm = $"{arm}, hidden{layer + 1}" },
                0.01))]);
        return claim.Report(where is null ? dying : dying with { Evidence = $"{where} {dying.Evidence}" },
            claim['b'].Within(e.Mean(Sparsity.Name, "fraction", "share of zeros among the entries of live units", arm, Sparsity.Of),
                0.5, 0.9, before: where, after: $"{e.Mean("sparsity", arm).Sentence} Units that are off on every row are left out: "
                    + "they are dead, not sparse."));
    }

    private static SweepMetric Fraction(string name, Func<CellResult, double?> value) =>
        Of(name, SweepMetrics.Named("sparsity"), value);

    private static SweepMetric Of(string name, SweepMetric like, Func<CellResult, double?> value) =>
        like with { Outcome = like.Outcome with { Name = name, Resolution = 0 }, Value = value };
}
