using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>What a sweep would be and take, as validation answers it.</summary>
/// <param name="Spec">Arms listed, every default filled in.</param>
/// <param name="Arms">Number of arms.</param>
/// <param name="SeedsAtLeast">Seeds of each arm before it first looks; where the seeds are given, all of them.</param>
/// <param name="SeedsAtMost">Seeds of each arm if it needs them all.</param>
/// <param name="RunsAtLeast">Arms times seeds, and times the combinations where values are tuned; equal ones share a run.</param>
/// <param name="RunsAtMost">The same with all seeds.</param>
/// <param name="EstimatedSecondsAtLeast">Rough wall time on the workers that run now, or on one if there is none, without the time in the
/// queue.</param>
/// <param name="EstimatedSecondsAtMost">The same with all seeds.</param>
/// <param name="Workers">Runs that all workers together train at a time; 0 without any worker.</param>
/// <param name="Warnings">What it can't find out as it is asked for; empty if it may decide.</param>
public sealed record SweepEstimate(SweepSpec Spec, int Arms, int SeedsAtLeast, int SeedsAtMost, long RunsAtLeast, long RunsAtMost,
    double EstimatedSecondsAtLeast, double EstimatedSecondsAtMost, int Workers, IReadOnlyList<string> Warnings);

public static class ValidateSweep
{
    /// <summary>Check a sweep without submitting it</summary>
    /// <remarks>
    /// Answers with the resolved spec, what it would take, and what it could not find out. Nothing is stored. A spec that breaks a rule is
    /// answered as <c>POST /sweeps</c> answers it.
    /// </remarks>
    /// <param name="body">The job to vary, the arms, the seeds.</param>
    /// <response code="200">What the sweep would be and take.</response>
    public static async Task<Results<Ok<SweepEstimate>, ProblemHttpResult>> Handle(JsonBody<SweepSpec> body, SweepRules rules,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        return rules.Check(body.Value, errors) is { } plan
            ? TypedResults.Ok(await EstimateAsync(plan, rules, db, cancellation)) : Problems.Invalid(errors);
    }

    public static async Task<SweepEstimate> EstimateAsync(SweepPlan plan, SweepRules rules, TrainingDbContext db,
        CancellationToken cancellation)
    {
        var workers = await QueuePositions.WorkersAsync(db, cancellation);
        var (least, most) = (plan.Seeds.Count, plan.Until?.AtMost ?? plan.Seeds.Count);
        var candidates = SweepRules.Combinations(plan.Tune);
        var seconds = Enumerable.Range(0, plan.Arms.Count).SelectMany(arm => Enumerable.Range(0, candidates)
                .Select(candidate => CreateJob.Seconds(rules.Job(plan, arm, plan.Tune is null ? -1 : candidate, plan.Seeds[0]).Plan)))
            .Sum() / Math.Max(1, workers);
        var runs = (long)plan.Arms.Count * candidates;
        return new(plan.ToSpec(), plan.Arms.Count, least, most, runs * least, runs * most, Math.Round(seconds * least, 3),
            Math.Round(seconds * most, 3), workers, [.. SweepWarnings.Of(plan)]);
    }
}
