using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Diagnostics;

/// <summary>When and on how many rows the layers are measured.</summary>
public sealed record DiagnosticsSpec
{
    /// <summary>
    /// Training steps between evaluations, at least 1; there is always one before the first step and one after the last. Default:
    /// the least multiple of 50 from 100 on with which all of them together take at most about 4 % of the training's time; in a run so
    /// short that this gives less than 10 points, as many steps as give 10, on fewer rows (rowsBetween). Cells of a sweep of more than
    /// 200 cells are measured that often on all rows or not in between.
    /// </summary>
    [AtLeast(1, All = true)]
    public int? EverySteps { get; init; }

    /// <summary>
    /// Training rows that the layers are measured on, the same at every evaluation; all where there are fewer. 1 to 100,000; default 2048.
    /// </summary>
    [Within(1, 100_000, Default = 2048)]
    public int? EvaluationRows { get; init; }

    /// <summary>
    /// Of these rows, how many the evaluations between the first and the last one measure. A unit that is off on all of them then counts
    /// as dead if it was before, or if no step of the last epoch has brought it a gradient; all else is estimated from these rows.
    /// 1 to 100,000. Default: all of them where everySteps is given or where all of them suffice for 10 points, else as many as the
    /// share of time leaves to each, and at least 64.
    /// </summary>
    [Within(1, 100_000)]
    public int? RowsBetween { get; init; }

    /// <summary>
    /// Whether the first and the last evaluation measure each layer's effective rank, which takes operations in the order of rows
    /// units^2 + units^3; refused where that would be long. Default false.
    /// </summary>
    [Any(Default = false)]
    public bool? EffectiveRank { get; init; }

    /// <summary>
    /// Whether the changes that findings would recommend are tried once the training has ended, on the same seed and rows, for at most a
    /// quarter of its time or 10 seconds. Jobs of sweeps never are. Default true.
    /// </summary>
    [Any(Default = true)]
    public bool? TryPatches { get; init; }

    /// <summary>Thresholds of the findings.</summary>
    public RulesSpec? Rules { get; init; }
}
