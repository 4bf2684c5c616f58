using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Models;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// The net of a sweep's best arm. A thousand cells keep none; one run is trained once more to the same bits, as a job of its own.
/// </summary>
public static class BestArm
{
    /// <summary>
    /// Of the arm with the fewest diverged runs, then the best mean: the run whose value is the lower median. Null if the metric knows no
    /// better and worse, or no run has a finite value.
    /// </summary>
    public static CellResult? Of(SweepPlan spec, IEnumerable<CellResult> cells)
    {
        if (spec.By.Outcome.HigherIsBetter is not { } higherIsBetter)
            return null;
        var arm = cells.Where(cell => cell.Candidate < 0 && cell.HasOutcome).GroupBy(cell => cell.Arm)
            .Select(runs => (Diverged: runs.Count(run => run.Diverged) / (double)runs.Count(),
                Finite: runs.Where(run => spec.By.Of(run) is { } value && double.IsFinite(value)).ToList()))
            .Where(arm => arm.Finite.Count > 0)
            .OrderBy(arm => arm.Diverged)
            .ThenBy(arm => (higherIsBetter ? -1 : 1) * arm.Finite.Average(run => spec.By.Of(run))).FirstOrDefault();
        return arm.Finite?.OrderBy(run => spec.By.Of(run)).ThenBy(run => run.Seed).ElementAt((arm.Finite.Count - 1) / 2);
    }

    /// <summary>
    /// Adds the job that trains a cell once more and keeps its net; null, with errors that point into the changes, if that breaks a rule.
    /// </summary>
    public static async Task<Job?> AddAsync(TrainingDbContext db, Sweep sweep, CellResult best, SpecPatch changes, JobRules rules,
        TimeProvider clock, List<SpecError> errors, CancellationToken cancellation)
    {
        var cell = await db.Jobs.AsNoTracking().SingleAsync(job => job.Id == best.JobId, cancellation);
        if (CloneJob.Check(cell, Keeping(sweep, best, changes), rules, errors) is not { } accepted)
            return null;
        var job = CreateJob.NewJob(accepted, clock.GetUtcNow());
        job.BelongTo(sweep);
        db.Jobs.Add(job);
        return job;
    }

    private static SpecPatch Keeping(Sweep sweep, CellResult best, SpecPatch changes)
    {
        var kept = (JsonObject)changes.Patch.DeepClone();
        kept["storeWeights"] = true;
        if (!kept.ContainsKey("name"))
            kept["name"] = Characters.Cut($"best of {sweep.Spec.Name ?? $"sweep {sweep.Id}"}: {sweep.Spec.Arms[best.Arm].Name}",
                JobRules.MaxName);
        return new(kept);
    }

    /// <summary>
    /// Sees to it that the best arm's net is kept, once the sweep has ended: answers the job that is to be queued for it; null if there is
    /// no best arm, or its net is kept or on its way already.
    /// </summary>
    public static async Task<Job?> KeepAsync(TrainingDbContext db, Sweep sweep, IReadOnlyList<CellResult> cells, JobRules rules,
        TimeProvider clock, CancellationToken cancellation)
    {
        if (Of(sweep.Spec, cells) is not { } best || await FindAsync(db, sweep, best, cancellation) is not null)
            return null;
        // It was fine when the sweep was accepted; if its data has gone since, there is nothing to keep.
        if (await AddAsync(db, sweep, best, new([]), rules, clock, [], cancellation) is not { } kept)
            return null;
        await db.SaveChangesAsync(cancellation);
        sweep.Keep(best, kept.Id);
        return kept;
    }

    /// <summary>
    /// The job that keeps the cell's net, or will have: the cell's own if its net was asked for, else the one that was made for it. Null
    /// where there is none any more, or it has failed. The sweep notes it.
    /// </summary>
    public static async Task<Job?> FindAsync(TrainingDbContext db, Sweep sweep, CellResult best, CancellationToken cancellation)
    {
        var isNoted = (sweep.BestArm, sweep.BestSeed) == ((short)best.Arm, best.Seed);
        Guid?[] candidates = [isNoted ? sweep.BestJobId : null, best.JobId];
        var models = db.JobModels;
        foreach (var id in candidates.OfType<Guid>())
            if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(job => job.Id == id && (job.FinishedAt == null
                ? job.Status != JobStatus.Canceling : models.Any(model => model.JobId == id && model.Sha256 != null)),
                cancellation) is { } job)
            {
                sweep.Keep(best, id);
                return job;
            }
        return null;
    }
}

/// <summary>Where the net of a sweep's best arm is.</summary>
/// <param name="Arm">The one with the best mean of the metric, those with the fewest diverged runs first.</param>
/// <param name="Seed">Of the arm's runs, the one whose value is the median.</param>
/// <param name="JobId">Trains it, to the same bits, and keeps it; no cell of the sweep.</param>
/// <param name="Job">That job.</param>
/// <param name="Model">Its net, once it has succeeded: ONNX, <c>?format=safetensors</c> or <c>json</c>.</param>
public sealed record SweepBest(string Arm, long Seed, Guid JobId, string Job, string Model)
{
    public static SweepBest? Of(Sweep sweep) => (sweep.BestArm, sweep.BestSeed, sweep.BestJobId) is not ({ } arm, { } seed, { } id) ? null
        : new(sweep.Spec.Arms[arm].Name, seed, id, $"{JobRoutes.Root}/{id}", $"{JobRoutes.Root}/{id}/model");
}
