using TrainingService.Host.Statistics;

namespace TrainingService.Host.Sweeps;

/// <summary>Looking at a sweep's seeds, and whether there shall be more of them.</summary>
public static class SweepLooks
{
    /// <summary>
    /// The sweep after a look at all its seeds: the look is noted, and where it runs until decided there are either more seeds or the
    /// reason why not. To look at the same seeds again notes nothing new.
    /// </summary>
    /// <param name="plan">The sweep, all cells of whose seeds have ended.</param>
    /// <param name="cells">What they gave.</param>
    /// <param name="now">The time.</param>
    /// <param name="run">How long the sweep has run.</param>
    /// <param name="mayGrow">Whether it still asks for seeds by itself.</param>
    public static SweepPlan After(SweepPlan plan, IReadOnlyCollection<CellResult> cells, DateTimeOffset now, TimeSpan run, bool mayGrow)
    {
        if (plan.Contrasts.Count == 0)
            return plan;
        var results = SweepContrasts.Judge(plan, cells);
        plan = Noted(plan, results, now);
        if (plan.Until is not { AtMost: { } atMost } || plan.Stopped is not null || !mayGrow)
            return plan;
        var contrasts = SweepContrasts.Of(plan, cells, plan.By, plan.Contrasts.Select(contrast => (contrast.Arm, contrast.Baseline)),
            plan.LooksUpTo(plan.Seeds.Count));
        SweepStop? stop = results.All(IsDecided) ? SweepStop.Decided
            : plan.Seeds.Count >= atMost ? SweepStop.AtMost
            : run.TotalSeconds >= plan.BudgetSeconds ? SweepStop.Budget
            : results.Zip(contrasts).All(both => IsDecided(both.First)
                || Prospects.Of(both.First, both.Second, plan.By.Outcome, plan.Seeds.Count, atMost, plan.TestToTrain(plan.By))
                    < Prospects.Least)
                ? SweepStop.Hopeless : null;
        return plan with
        {
            Stopped = stop,
            Seeds = stop is null ? SweepRules.Listed(Next(plan.Seeds.Count, plan.Until.AtLeast ?? 0, atMost)) : plan.Seeds,
        };
    }

    /// <summary>The sweep with a look at its present seeds, if that isn't noted yet.</summary>
    public static SweepPlan Noted(SweepPlan plan, IReadOnlyList<ContrastResult> results, DateTimeOffset now)
    {
        var seeds = plan.Seeds.Count;
        var earlier = plan.Looks.Where(look => look.Seeds < seeds).ToList();
        var look = new SweepLook(seeds, plan.Looks.FirstOrDefault(look => look.Seeds == seeds)?.At ?? now,
            results.Count(IsDecided), results.Count, plan.LooksUpTo(seeds).Spent[^1]);
        return plan with { Looks = [.. earlier, look] };
    }

    public static bool IsDecided(ContrastResult result) => result.Verdict != Verdict.Inconclusive;

    /// <summary>
    /// Seeds at the next look: a third more, and at least half of the first batch, so that looks come often while they are cheap and
    /// workers don't wait for each other too often; what would be left for a last small batch joins.
    /// </summary>
    public static int Next(int seeds, int atLeast, int atMost)
    {
        var batch = Math.Max((atLeast + 1) / 2, (seeds + 2) / 3);
        return seeds + batch + batch / 2 >= atMost ? atMost : seeds + batch;
    }
}
