using System.Text.Json;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// Which of the tuned combinations an arm is compared with, seed by seed: each seed chooses on its own validation rows, so the noise of
/// the choice lies in the paired difference and shows in its interval. (Chosen once for all seeds, a lucky choice would be an
/// advantage that every seed repeats, and no interval would tell.)
/// </summary>
public static class Tuning
{
    /// <summary>
    /// Of one seed's trials of an arm the one with the best <see cref="SweepMetric.TunedBy"/>; of equal ones that with the lowest
    /// validation loss, where all combinations define the loss alike; of these the one nearest to the middle of the lists
    /// (<see cref="FromMiddle"/>), and then the first. One with a value that isn't finite never wins over one without; if all diverged it
    /// is the middle one, and so the seed's arm diverged. Null if none has an outcome.
    /// </summary>
    public static CellResult? Choose(SweepPlan spec, IEnumerable<CellResult> trials)
    {
        var (metric, by) = (spec.By, spec.By.TunedBy);
        var sign = by.Outcome.HigherIsBetter == true ? -1 : 1;
        var byLoss = !spec.TunesLoss;
        return trials.Where(trial => trial.HasOutcome)
            .OrderBy(trial => trial.Diverged ? 2 : Finite(by, trial) && Finite(metric, trial) ? 0 : 1)
            .ThenBy(trial => Finite(by, trial) ? sign * by.Of(trial) : double.PositiveInfinity)
            .ThenBy(trial => byLoss && Finite(SweepMetrics.ValidationLoss, trial)
                ? SweepMetrics.ValidationLoss.Of(trial) : double.PositiveInfinity)
            .ThenBy(trial => FromMiddle(spec.Tune, trial.Candidate)).ThenBy(trial => trial.Candidate).FirstOrDefault();

        static bool Finite(SweepMetric metric, CellResult trial) => metric.Of(trial) is { } value && double.IsFinite(value);
    }

    /// <summary>Answers the combination that an arm is compared with at a seed; null if none of its trials has an outcome.</summary>
    public static Func<int, long, int?> Chooser(SweepPlan spec, IReadOnlyCollection<CellResult> cells)
    {
        var trials = cells.Where(cell => cell.Candidate >= 0).ToLookup(cell => (cell.Arm, cell.Seed));
        return (arm, seed) => Choose(spec, trials[(arm, seed)])?.Candidate;
    }

    /// <summary>The compared cells that are not there yet, of seeds whose trials of the arm all have an outcome.</summary>
    public static IEnumerable<CellResult> Settled(SweepPlan spec, IReadOnlyCollection<CellResult> cells)
    {
        if (spec.Tune is null)
            return [];
        var (all, settled) = (SweepRules.Combinations(spec.Tune),
            cells.Where(cell => cell.Candidate < 0).Select(cell => (cell.Arm, cell.Seed)).ToHashSet());
        return cells.Where(cell => cell.Candidate >= 0 && cell.HasOutcome).GroupBy(cell => (cell.Arm, cell.Seed))
            .Where(trials => trials.Count() == all && !settled.Contains(trials.Key))
            .Select(trials => Choose(spec, trials)).OfType<CellResult>().Select(trial => trial with { Candidate = -1 });
    }

    /// <summary>
    /// How many places the combination lies from the middle of its lists, added up over the lists: of [a, b, c] b has 0 and the others 1;
    /// of [a, b] both have 1/2.
    /// </summary>
    public static double FromMiddle(IReadOnlyDictionary<string, IReadOnlyList<object?>>? tune, int candidate)
    {
        var places = 0.0;
        foreach (var (index, count) in SweepRules.Places(tune, candidate))
            places += Math.Abs(index - (count - 1) / 2.0);
        return places;
    }

    /// <summary>
    /// The cells that arms are compared by, each with the trial that it is: the one that shares its job, the first of several with equal
    /// specs. None where the version before tuned it, with a choice for all seeds, most of which had no trials.
    /// </summary>
    public static IEnumerable<(CellResult Compared, CellResult? Trial)> Choices(IReadOnlyCollection<CellResult> cells) =>
        cells.Where(cell => cell.Candidate < 0).GroupJoin(cells.Where(cell => cell.Candidate >= 0),
            cell => (cell.Arm, cell.Seed, cell.JobId), trial => (trial.Arm, trial.Seed, trial.JobId),
            (cell, trials) => (cell, trials.MinBy(trial => trial.Candidate)));

    /// <summary>
    /// With how many of an arm's seeds the smallest or the largest of a list of numbers was chosen, where that is a quarter of them or
    /// more: a better value may lie beyond it.
    /// </summary>
    public static IEnumerable<(string Pointer, bool Largest, double Value, string Arm, int Seeds, int Of)> AtEdges(SweepPlan spec,
        IReadOnlyCollection<CellResult> cells)
    {
        var chosen = Choices(cells).Select(choice => choice.Trial).OfType<CellResult>().Where(trial => !trial.Diverged)
            .ToLookup(trial => trial.Arm, trial => SweepRules.Candidate(spec.Tune, trial.Candidate));
        foreach (var (pointer, values) in spec.Tune ?? new Dictionary<string, IReadOnlyList<object?>>())
        {
            var numbers = values.Select(Number).ToList();
            if (numbers.Contains(null) || numbers.Distinct().Count() < 2)
                continue;
            foreach (var (index, arm) in spec.Arms.Index())
                foreach (var (largest, edge) in ((bool, double?)[])[(false, numbers.Min()), (true, numbers.Max())])
                    if (edge is { } value && chosen[index].Count(choice => Number(choice[pointer]) == value) is > 0 and var seeds
                        && 4 * seeds >= chosen[index].Count())
                        yield return (pointer, largest, value, arm.Name, seeds, chosen[index].Count());
        }

        static double? Number(object? value) => value is JsonElement { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
    }
}
