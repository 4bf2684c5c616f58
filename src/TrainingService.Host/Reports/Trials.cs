using System.Text.Json.Serialization;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>A combination of tuned values with an arm, over the seeds that tried it.</summary>
/// <param name="Arm">As in the request.</param>
/// <param name="Values">The combination, by JSON pointer into the spec.</param>
/// <param name="Seeds">Seeds with which its run ended or diverged.</param>
/// <param name="Chosen">Seeds that chose it: with these the arm is compared so.</param>
/// <param name="Diverged">Seeds with which it diverged.</param>
/// <param name="NoOutcome">Seeds with which its run failed, was canceled or has not ended.</param>
/// <param name="ChosenBy">The metric that seeds choose by: the sweep's own, on validation rows where it has rows.</param>
/// <param name="Mean">Mean of that metric over the runs that finished.</param>
/// <param name="ValidationLoss">Mean of the validation loss over these, by which ties are broken.</param>
/// <param name="ChosenMean">Mean of the metric that arms are compared by, over the seeds that chose it.</param>
public sealed record TrialReport(string Arm, IReadOnlyDictionary<string, object?> Values, int Seeds, int Chosen, int Diverged,
    int NoOutcome, string ChosenBy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Mean,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? ValidationLoss,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? ChosenMean);

/// <summary>The rows of the table of what was tried in tuning.</summary>
public static class Trials
{
    /// <summary>Most rows that a report has.</summary>
    public const int MostShown = 200;

    /// <summary>A row for each arm and combination; none without tuning.</summary>
    public static IReadOnlyList<TrialReport> Of(SweepPlan spec, IReadOnlyCollection<CellResult> cells)
    {
        if (spec.Tune is null)
            return [];
        var tunedBy = spec.By.TunedBy;
        var tried = cells.Where(cell => cell.Candidate >= 0).ToLookup(cell => (cell.Arm, cell.Candidate));
        var chosen = Tuning.Choices(cells).Where(choice => choice.Trial is not null)
            .ToLookup(choice => (choice.Compared.Arm, choice.Trial?.Candidate ?? -1), choice => choice.Compared);
        return
        [
            .. from arm in Enumerable.Range(0, spec.Arms.Count)
               from candidate in Enumerable.Range(0, SweepRules.Combinations(spec.Tune))
               let runs = tried[(arm, candidate)].ToList()
               let finished = runs.Where(run => run is { HasOutcome: true, Diverged: false }).ToList()
               let choices = chosen[(arm, candidate)].ToList()
               select new TrialReport(spec.Arms[arm].Name,
                   SweepRules.Candidate(spec.Tune, candidate).ToDictionary(value => value.Key, value => value.Value),
                   runs.Count(run => run.HasOutcome), choices.Count, runs.Count(run => run.Diverged), runs.Count(run => !run.HasOutcome),
                   tunedBy.Name, Mean(tunedBy, finished), Mean(SweepMetrics.ValidationLoss, finished), Mean(spec.By, choices)),
        ];
    }

    /// <summary>What a report has room for.</summary>
    public static IEnumerable<TrialReport> Shown(IReadOnlyList<TrialReport> all) =>
        all.Count <= MostShown ? all : all.Where(trial => trial.Chosen > 0).Take(MostShown);

    private static double? Mean(SweepMetric metric, IEnumerable<CellResult> runs) =>
        runs.Where(run => !run.Diverged).Select(metric.Of).Average();
}
