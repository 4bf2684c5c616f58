using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class TrainBest
{
    /// <summary>Keep a sweep's best arm as a net</summary>
    /// <remarks>
    /// A sweep keeps no nets unless its base says <c>storeWeights</c>. This trains one once more, as a job of its own that keeps its net:
    /// of the arm with the best mean of the metric (fewest diverged runs first), the run whose value is the median. The weights are the
    /// same bit for bit, unless the body, a JSON merge patch on the job's spec, changes something:
    /// <c>{"dataset": {"maxTrainExamples": null}}</c> trains on all rows where the sweep took a part of them. <c>{}</c> changes nothing.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="patch">What shall be different.</param>
    /// <response code="202">The new job, `queued`.</response>
    /// <response code="409">The sweep has not ended, no run of it has an outcome, or its metric knows no better and worse.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id, SpecPatch patch,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db, JobRules rules,
        WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        if (!sweep.IsFinished)
            return Problems.Conflict($"The sweep is {Json.NameOf(sweep.Status)}; its best arm is known once it has ended.");
        if (sweep.Spec.By.Outcome.HigherIsBetter is not { } higherIsBetter)
            return Problems.Conflict($"Of '{sweep.Spec.Metric}' neither more nor less is better, so no arm is the best: "
                + $"POST {JobRoutes.Root}/<id>/clone with {{\"storeWeights\": true}} keeps the net of any of its jobs.");
        if (Best(sweep.Spec, higherIsBetter, await SweepCells.ReadAsync(db, sweep, cancellation)) is not { } best)
            return Problems.Conflict("No run of the sweep has ended with a finite value of its metric, so there is no net to keep.");
        var kept = (JsonObject)patch.Patch.DeepClone();
        kept["storeWeights"] = true;
        if (!kept.ContainsKey("name"))
            kept["name"] = Characters.Cut($"best of {sweep.Spec.Name ?? $"sweep {sweep.Id}"}: {sweep.Spec.Arms[best.Arm].Name}",
                JobRules.MaxName);
        return await CloneJob.Handle(best.JobId, new(kept), idempotencyKey, http, db, rules, wakeUps, clock, cancellation);
    }

    /// <summary>The lower median of the best arm's runs; null if none has a finite value.</summary>
    public static CellResult? Best(SweepPlan spec, bool higherIsBetter, IEnumerable<CellResult> cells)
    {
        var arm = cells.Where(cell => cell.Candidate < 0 && cell.HasOutcome).GroupBy(cell => cell.Arm)
            .Select(runs => (Diverged: runs.Count(run => run.Diverged) / (double)runs.Count(),
                Finite: runs.Where(run => spec.By.Of(run) is { } value && double.IsFinite(value)).ToList()))
            .Where(arm => arm.Finite.Count > 0)
            .OrderBy(arm => arm.Diverged)
            .ThenBy(arm => (higherIsBetter ? -1 : 1) * arm.Finite.Average(run => spec.By.Of(run))).FirstOrDefault();
        return arm.Finite?.OrderBy(run => spec.By.Of(run)).ThenBy(run => run.Seed).ElementAt((arm.Finite.Count - 1) / 2);
    }
}
