namespace TrainingService.Host.Sweeps;

/// <summary>Which of the tuned combinations each arm is compared with.</summary>
public static class Tuning
{
    /// <summary>
    /// Of the combinations with the fewest diverged runs, the one with the best mean of the metric on validation rows over the tuning seeds, the first of equal
    /// ones. Null if none of the arm's trials has an outcome. Once cells were compared with a choice it stays, whatever trials that are run again may give.
    /// </summary>
    public static int? Choose(IReadOnlyCollection<CellResult> cells, int arm, SweepMetric metric)
    {
        // A compared cell with a tuning seed has the spec of the chosen trial, and so its job.
        var settled = cells.Where(cell => cell.Arm == arm && cell.Candidate < 0)
            .Join(cells.Where(cell => cell.Arm == arm && cell.Candidate >= 0), cell => cell.JobId, trial => trial.JobId, (_, trial) => trial).FirstOrDefault();
        if (settled is not null)
            return settled.Candidate;
        var tunedBy = SweepMetrics.Find(metric.TunedBy)!;
        return cells.Where(cell => cell.Arm == arm && cell.Candidate >= 0 && cell.HasOutcome).GroupBy(cell => cell.Candidate)
            .OrderByDescending(trials => trials.Average(cell => cell.Diverged ? 0.0 : 1))
            .ThenBy(trials => trials.Where(cell => !cell.Diverged).Select(cell => (tunedBy.Outcome.HigherIsBetter ? -1 : 1) * tunedBy.Of(cell)).Average() ?? 0)
            .ThenBy(trials => trials.Key).FirstOrDefault()?.Key;
    }
}
