using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>Statements about nets with a layer that is dead throughout.</summary>
public static class DeadLayer
{
    /// <summary>The first hidden layer all of whose units are dead before the first step; null if there is none.</summary>
    public static int? Of(CellResult run) =>
        run.First.Where(row => row.Layer < run.Layers.Count - 1 && row.DeadFraction >= 1).Select(row => (int?)row.Layer).Min();

    /// <summary>
    /// The gradient is exactly 0 in every layer before the dead one: refuted by one net in which it isn't, at the first or the last
    /// evaluation.
    /// </summary>
    /// <param name="runs">Nets with a dead layer that is not the first one.</param>
    public static StatementReport NoGradient(Statement statement, string arm, IReadOnlyList<CellResult> runs)
    {
        double[] largest =
        [
            .. runs.Select(run => run.First.Concat(run.Last).Where(row => row.Layer < Of(run)).Select(row => (double)row.GradientRms)
                .DefaultIfEmpty(double.NaN).Max()).Where(double.IsFinite),
        ];
        var some = largest.Count(rms => rms > 0);
        var verdict = some > 0 ? Verdict.Refuted
            : largest.Length >= SeedCount.LeastForEquivalence ? Verdict.Supported : Verdict.Inconclusive;
        return new(statement.Id, statement.Text, verdict, "upstreamGradientRms", "number", arm, null,
            largest.Length == 0 ? null : largest.Max(), null, largest.Length, largest.Length == 0 ? $"No run of {arm} says anything of it."
                : $"At the first and the last evaluation the gradient before the dead layer is exactly 0 in {largest.Length - some} of "
                    + $"{largest.Length} nets; its largest rms is {StudyEvidence.Number(largest.Max())}.", []);
    }

    /// <summary>An arm's nets learn: supported if most do for sure, refuted if most don't.</summary>
    public static StatementReport Learns(Statement statement, StudyEvidence e, string arm, string? before = null, string? after = null)
    {
        var runs = e.Cells(arm);
        return statement.Share("learned", arm, runs.Count(run => !e.LearnedNothing(run)), runs.Count, 0.5, 1, "learned", before, after);
    }
}
