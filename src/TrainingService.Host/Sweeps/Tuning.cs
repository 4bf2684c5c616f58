using System.Text.Json;

namespace TrainingService.Host.Sweeps;

/// <summary>Which of the tuned combinations each arm is compared with.</summary>
public static class Tuning
{
    /// <summary>
    /// Of the combinations with the fewest diverged runs, the one with the best mean of the metric on validation rows over the tuning
    /// seeds, the first of equal ones. Null if none of the arm's trials has an outcome. Once cells were compared with a choice it stays,
    /// whatever trials that are run again may give.
    /// </summary>
    public static int? Choose(IReadOnlyCollection<CellResult> cells, int arm, SweepMetric metric)
    {
        // A compared cell with a tuning seed has the spec of the chosen trial, and so its job.
        var settled = cells.Where(cell => cell.Arm == arm && cell.Candidate < 0)
            .Join(cells.Where(cell => cell.Arm == arm && cell.Candidate >= 0),
                cell => cell.JobId, trial => trial.JobId, (_, trial) => trial).FirstOrDefault();
        if (settled is not null)
            return settled.Candidate;
        var tunedBy = SweepMetrics.Named(metric.TunedBy);
        return cells.Where(cell => cell.Arm == arm && cell.Candidate >= 0 && cell.HasOutcome).GroupBy(cell => cell.Candidate)
            .OrderByDescending(trials => trials.Average(cell => cell.Diverged ? 0.0 : 1))
            .ThenBy(trials => trials.Where(cell => !cell.Diverged)
                .Select(cell => (tunedBy.Outcome.HigherIsBetter == true ? -1 : 1) * tunedBy.Of(cell)).Average() ?? 0)
            .ThenBy(trials => trials.Key).FirstOrDefault()?.Key;
    }

    /// <summary>
    /// Arms for which the smallest or largest of a list of numbers was chosen, by the list's pointer: a better value may lie beyond it.
    /// </summary>
    public static IEnumerable<(string Pointer, IReadOnlyList<string> Arms)> AtEdges(SweepPlan spec,
        IReadOnlyCollection<CellResult> cells, SweepMetric metric)
    {
        var chosen = spec.Arms.Select((arm, index) => (arm.Name, Candidate: Choose(cells, index, metric))).ToList();
        foreach (var (pointer, values) in spec.Tune ?? new Dictionary<string, IReadOnlyList<object?>>())
        {
            var numbers = values.Select(Number).ToList();
            if (numbers.Count < 2 || numbers.Contains(null))
                continue;
            var arms = chosen.Where(arm => arm.Candidate is { } candidate
                    && Number(SweepRules.Candidate(spec.Tune, candidate)[pointer]) is var value
                    && (value == numbers.Min() || value == numbers.Max()))
                .Select(arm => arm.Name).ToList();
            if (arms.Count > 0)
                yield return (pointer, arms);
        }

        static double? Number(object? value) => value is JsonElement { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
    }
}
