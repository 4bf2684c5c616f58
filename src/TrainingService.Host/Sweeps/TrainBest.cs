using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class TrainBest
{
    /// <summary>Keep a sweep's best arm as a net</summary>
    /// <remarks>
    /// Of the arm with the best mean of the metric (fewest diverged runs first), the run whose value is the median is trained once more, as
    /// a job of its own that keeps its net; the weights are the same bit for bit. A sweep does so by itself when it ends, unless its
    /// <c>keepBest</c> is false, and with <c>{}</c> this answers the job that is there. The body, a JSON merge patch on the job's spec, may
    /// change something: <c>{"dataset": {"maxTrainExamples": null}}</c> trains a job on all rows where the sweep took a part of them.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="patch">What shall be different.</param>
    /// <response code="202">The job, new and `queued` unless it was there already.</response>
    /// <response code="409">The sweep has not ended, no run of it has an outcome, or its metric knows no better and worse.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id, SpecPatch patch,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db, JobRules rules,
        WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, patch.Patch, cancellation);
        if (once.Answered<JobResponse>() is { } replay)
            return replay;
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(cancellation) : null;
        // Two who ask at once shall get one job.
        if (await db.LockSweepAsync(id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        if (!sweep.IsFinished)
            return Problems.Conflict($"The sweep is {Json.NameOf(sweep.Status)}; its best arm is known once it has ended.");
        if (sweep.Spec.By.Outcome.HigherIsBetter is null)
            return Problems.Conflict($"Of '{sweep.Spec.Metric}' neither more nor less is better, so no arm is the best: "
                + $"POST {JobRoutes.Root}/<id>/clone with {{\"storeWeights\": true}} keeps the net of any of its jobs.");
        if (BestArm.Of(sweep.Spec, await SweepCells.ReadAsync(db, sweep, cancellation)) is not { } best)
            return Problems.Conflict("No run of the sweep has ended with a finite value of its metric, so there is no net to keep.");
        var isSame = patch.Patch.Count == 0;
        var job = isSame ? await BestArm.FindAsync(db, sweep, best, cancellation) : null;
        var isNew = job is null;
        var errors = new List<SpecError>();
        job ??= await BestArm.AddAsync(db, sweep, best, patch, rules, clock, errors, cancellation);
        if (job is null)
            return Problems.Invalid(errors);
        var answer = TypedResults.Accepted($"{JobRoutes.Root}/{job.Id}",
            JobResponse.Of(job, await QueuePositions.Of(db, job, cancellation)));
        once.Remember(answer);
        await db.SaveChangesAsync(cancellation);
        if (isSame)
        {
            sweep.Keep(best, job.Id);
            await db.SaveChangesAsync(cancellation);
        }
        await once.Commit(cancellation);
        if (transaction is not null)
            await transaction.CommitAsync(cancellation);
        if (isNew)
            wakeUps.Add(job);
        if (!job.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return answer;
    }
}
