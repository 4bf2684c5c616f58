using System.Globalization;
using TrainingService.Host.Datasets;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>The rows of a run, and what a result on them tells.</summary>
/// <param name="TestSplit">Whether all seeds were tested on the same rows.</param>
/// <param name="TrainRows">Rows that a run trained on; of the arm with the fewest.</param>
/// <param name="ValidationRows">Rows held out to watch it and to tune.</param>
/// <param name="TestRows">Rows that it was tested on.</param>
/// <param name="RowWorth">What one row is worth in the metric (1/360 = 0.0028); null of a metric that isn't a share of rows.</param>
/// <param name="GeneralizesTo">What the comparisons hold for, in words.</param>
public sealed record SplitReport(TestSplit TestSplit, int TrainRows, int ValidationRows, int TestRows, double? RowWorth,
    string GeneralizesTo)
{
    public static SplitReport Of(SweepPlan spec, RowCounts rows) =>
        new(spec.TestSplit, rows.Train, rows.Validation, rows.Test, spec.RowWorth, $"Each run trained on {rows.Train:N0} rows. "
            + (!spec.By.IsOnTestRows
                ? $"What is compared, {spec.By.Outcome.Words}, is not measured on the {rows.Test:N0} test rows: the comparisons hold for "
                    + $"further seeds on this data{(spec.By.Outcome.IsRelative ? " and this machine" : "")}."
            : (spec.TestSplit is TestSplit.PerSeed
                ? $"Each seed drew its own {rows.Test:N0} test rows, the same for all arms: the comparisons by {spec.By.Outcome.Words} "
                    + "hold for new rows from the same source. The training rows of the seeds overlap, and the intervals of these "
                    + "comparisons allow for that (Nadeau and Bengio 2003)."
                : $"All seeds were tested on the same {rows.Test:N0} rows: the comparisons by {spec.By.Outcome.Words} hold for these "
                    + $"{rows.Test:N0} test rows only; how new rows would differ is in no interval.")
                + " What is told of other measures holds for further seeds on this data.")
            + (spec.RowWorth is { } worth
                ? $" One row is worth {spec.By.Outcome.Amount(worth)} "
                    + $"(1/{Math.Round(1 / worth).ToString("0", CultureInfo.InvariantCulture)})."
                : ""));
}
