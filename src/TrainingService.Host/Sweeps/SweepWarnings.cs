using TrainingService.Host.Datasets;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Sweeps;

/// <summary>What can be said before a sweep runs of what it can't find out, in sentences.</summary>
public static class SweepWarnings
{
    // Below so many rows two combinations often get the same number of them right.
    private const int FewValidationRows = 100;

    /// <summary>None where nothing is compared.</summary>
    public static IEnumerable<string> Of(SweepPlan plan)
    {
        if (plan.Contrasts.Count == 0)
            yield break;
        if (SeedCount.Warning(plan.Until?.AtMost ?? plan.Seeds.Count, plan.Contrasts.Count) is { } warning)
            yield return warning;
        if (plan.Rows is not { } rows)
            yield break;
        if (plan.TestSplit is TestSplit.Fixed && plan.By.IsOnTestRows && rows.Test < SweepRules.ManyTestRows)
            yield return $"All seeds are tested on the same {rows.Test:N0} rows, so what is found holds for these rows only; "
                + "with testSplit perSeed it reaches beyond them.";
        if (plan.RowWorth is { } worth && plan.Delta < 2 * worth)
            yield return $"Delta ({plan.By.Outcome.Amount(plan.Delta.Value)}) is less than two of the "
                + $"{(plan.By.IsOnTestRows ? $"{rows.Test:N0} test" : $"{rows.Validation:N0} validation")} rows, one of which is worth "
                + $"{plan.By.Outcome.Amount(worth)}: so small a difference can hardly be told from none in one run, "
                + "and it takes many seeds to show equivalence.";
        if (plan.Tune is not null && rows.Validation < FewValidationRows)
            yield return $"Each seed tunes on {Count(rows.Validation, "validation row")}: combinations will often tie, and the choice is "
                + "noisy (ties go to the lower validation loss, then to the middle of the list). "
                + "A larger validationFraction makes it surer.";
    }

    private static string Count(int count, string noun) => $"{count:N0} {noun}{(count == 1 ? "" : "s")}";
}
