using TrainingService.Host.Statistics;

namespace TrainingService.Host.Sweeps;

/// <summary>A sweep's arms compared seed by seed, with what its looks cost.</summary>
public static class SweepContrasts
{
    /// <summary>The sweep's own comparisons, by its own metric.</summary>
    public static IReadOnlyList<ContrastResult> Judge(SweepPlan plan, IReadOnlyCollection<CellResult> cells) =>
        Judge(plan, cells, plan.By, plan.Delta ?? 0, plan.Contrasts.Select(contrast => (contrast.Arm, contrast.Baseline)));

    /// <summary>Comparisons by any metric, as one family.</summary>
    /// <param name="plan">The sweep.</param>
    /// <param name="cells">What its cells gave, those of tuning included.</param>
    /// <param name="metric">What arms are compared by.</param>
    /// <param name="delta">The least difference that matters.</param>
    /// <param name="pairs">Arm and baseline, by name.</param>
    public static IReadOnlyList<ContrastResult> Judge(SweepPlan plan, IReadOnlyCollection<CellResult> cells,
        SweepMetric metric, double delta, IEnumerable<(string Arm, string Baseline)> pairs)
    {
        var looks = plan.LooksUpTo(plan.Seeds.Count);
        return Family.Judge(Of(plan, cells, metric, pairs, looks), metric.Outcome, delta, looks, plan.TestToTrain(metric));
    }

    /// <summary>The pairs of each comparison, in the order of the seeds.</summary>
    public static IReadOnlyList<Contrast> Of(SweepPlan plan, IReadOnlyCollection<CellResult> cells,
        SweepMetric metric, IEnumerable<(string Arm, string Baseline)> pairs, Looks looks)
    {
        var byArm = cells.Where(cell => cell.Candidate < 0).ToLookup(cell => plan.Arms[cell.Arm].Name);
        var places = plan.Seeds.Index().ToDictionary(seed => seed.Item, seed => seed.Index);
        return [.. pairs.Select(pair =>
        {
            var both = byArm[pair.Arm].Join(byArm[pair.Baseline], cell => cell.Seed, cell => cell.Seed,
                    (arm, baseline) => (Place: places.GetValueOrDefault(arm.Seed, int.MaxValue),
                        Arm: metric.Of(arm), Baseline: metric.Of(baseline)))
                .Where(values => values is { Arm: not null, Baseline: not null }).OrderBy(values => values.Place).ToList();
            return Contrast.Between(pair.Arm, [.. both.Select(values => values.Arm ?? 0)],
                pair.Baseline, [.. both.Select(values => values.Baseline ?? 0)]) with
            {
                PairsAtLooks = [.. looks.Seeds.Select(seeds => both.Count(values => values.Place < seeds))],
            };
        })];
    }
}
