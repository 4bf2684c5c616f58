using System.Text.Json;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>What would decide the comparisons that are open.</summary>
/// <param name="Sentence">In words.</param>
/// <param name="Open">Comparisons that are open.</param>
/// <param name="Decides">Of these, how many the request is likely to decide, in four cases of five.</param>
/// <param name="MoreSeeds">Seeds of each arm that it takes beside those there are; 0 where no number of them is likely to help.</param>
/// <param name="Request">The request; null where more seeds don't help.</param>
public sealed record NextStep(string Sentence, int Open, int Decides, int MoreSeeds, NextRequest? Request)
{
    /// <summary>Of four cases in five: the normal distribution's quantile.</summary>
    private const double Power = 0.8416;

    /// <summary>More than so many times the seeds that there are, nobody waits for.</summary>
    private const int MostTimes = 8;

    /// <summary>Null while it runs, and where nothing is open.</summary>
    public static NextStep? Of(Sweep sweep, IReadOnlyList<CellResult> cells, IReadOnlyList<ContrastResult> contrasts)
    {
        var open = contrasts.Index().Where(contrast => contrast.Item.Verdict == Verdict.Inconclusive).ToList();
        if (sweep.Status != JobStatus.Succeeded || open.Count == 0)
            return null;
        var (plan, seeds) = (sweep.Spec, sweep.Spec.Seeds.Count);
        var most = Math.Min(SweepRules.MaxCells / Math.Max(1, plan.Arms.Count), MostTimes * seeds);
        int[] needed = [.. open.Select(contrast => Needed(plan, contrast.Item, contrasts.Count)).Where(total => total <= most)];
        var said = $"{(open.Count == contrasts.Count ? open.Count == 1 ? "The comparison is" : $"All {open.Count} comparisons are"
            : $"{open.Count} of {contrasts.Count} comparisons {(open.Count == 1 ? "is" : "are")}")} open.";
        if (needed.Length == 0)
            return new($"{said} Up to {most} seeds would hardly decide {(open.Count == 1 ? "it" : "any of them")}; more rows to test "
                + $"on, or a "
                + "larger delta, would help more.", open.Count, 0, 0, null);
        var total = needed.Max();
        var decides = $"{Numbers.Count(total - seeds, "more seed")} would decide "
            + $"{(open.Count == 1 ? "it" : $"{needed.Length} of {open.Count}")} in four cases of five";
        var left = SweepLookResponse.AllOf(plan) is [.., var last] ? last.AlphaLeft : 0;
        return left > 1e-4
            ? new($"{said} {decides}: extend the sweep.", open.Count, needed.Length, total - seeds,
                new("POST", $"{SweepRoutes.Root}/{sweep.Id}/extend", new Dictionary<string, object?> { ["seedCount"] = total }))
            : new($"{said} {decides}. What may be spent on looks is spent, so a new sweep has to run.", open.Count, needed.Length,
                total - seeds, Anew(sweep, total));
    }

    private static NextRequest Anew(Sweep sweep, int seeds)
    {
        if (sweep is { Study: { } study, StudySize: { } size })
            return new("POST", $"{StudyRoutes.Root}/{study}", new Dictionary<string, object?>
            {
                ["size"] = size,
                ["dataset"] = sweep.Spec.Base.Dataset.Name,
                ["seedCount"] = seeds,
            });
        var spec = sweep.Spec.ToSpec() with
        {
            Seeds = new(new UntilSpec { Until = UntilSpec.Decided, AtMost = seeds }),
            BudgetSeconds = null
        };
        return new("POST", SweepRoutes.Root, Json.ObjectOf(spec).Deserialize<Dictionary<string, object?>>(Json.Options)
            ?? new Dictionary<string, object?>());
    }

    /// <summary>
    /// Seeds in all that decide it in four cases of five, if it is as it looks now: by a difference that is found, or by one that is
    /// excluded, whichever takes fewer. Where runs diverge the p is of ranks, and its normal score grows with the root of the seeds.
    /// </summary>
    public static int Needed(SweepPlan plan, ContrastResult contrast, int contrasts)
    {
        var seeds = plan.Seeds.Count;
        if (contrast.BeyondSeeds)
            return int.MaxValue;
        if (contrast.Divergence is not { Arm: 0, Baseline: 0 })
        {
            var score = Tails.Normal(Math.Clamp(contrast.PValue, 1e-12, 1));
            return score <= 0 ? int.MaxValue : More(seeds * Math.Pow((Tails.Normal(Tails.Alpha / contrasts) + Power) / score, 2));
        }
        if (contrast is not { MeanDifference: { } told, SdDifference: > 0 and var sd })
            return int.MaxValue;
        var (outcome, overlap) = (plan.By.Outcome, plan.TestToTrain(plan.By));
        var (mean, delta) = (Math.Abs(outcome.Scaled(told)), outcome.Scaled(contrast.Equivalence.Delta));
        return More(Math.Min(mean > 0 ? SeedCount.ToFind(mean, sd, contrasts, overlap) : double.PositiveInfinity,
            delta > mean ? SeedCount.ToShowEquivalence(delta - mean, sd, overlap) : double.PositiveInfinity));

        // they were not enough as they fell, so it takes a few more of them at least
        int More(double total) => total > SweepRules.MaxCells ? int.MaxValue : Math.Max((int)Math.Ceiling(total), seeds + Math.Max(2,
            seeds / 4));
    }
}

/// <summary>A request as it can be sent.</summary>
/// <param name="Method">POST.</param>
/// <param name="Path">Below the service's address.</param>
/// <param name="Body">In JSON.</param>
public sealed record NextRequest(string Method, string Path, IReadOnlyDictionary<string, object?> Body)
{
    /// <summary>For a shell.</summary>
    /// <param name="service">The service's address, without a slash at its end.</param>
    public string AsCurl(string service) => $"curl -X {Method} '{service}{Path}' -H 'Content-Type: application/json' -d '"
        + $"{JsonSerializer.Serialize(Body, Json.Options).Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
