using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class VerifyJob
{
    /// <summary>Run a finished job again and compare</summary>
    /// <remarks>
    /// Queues a job with the same spec, whose weights, results and measurements must come out equal bit for bit. Follow the answer's
    /// <c>Location</c>, the verification, until it is finished.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The verification, its job `queued`.</response>
    /// <response code="409">The job has no result to compare with, or can no longer run.</response>
    public static async Task<Results<Accepted<VerificationResponse>, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db,
        JobRules rules, WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        http.Response.Headers.RetryAfter = "1";
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, id, cancellation);
        if (once.Answered<VerificationResponse>() is { } replay)
            return replay;
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } original)
            return GetJob.NotFound(id);
        if (original.Result is null)
            return Problems.Conflict(original.IsFinished
                ? $"The job is {Json.NameOf(original.Status)} and has no result that a second run could be compared with."
                : $"The job is {Json.NameOf(original.Status)}; wait for its end before verifying it.");
        if (original.FromCheckpoint is { } from)
            return Problems.Conflict($"The job went on from step {from.Step} of job {from.Job}: a second run would begin at step 0 and "
                + "have other weights.");
        if (!CreateJob.IsAccepted(rules, original.Spec, out var accepted, out var problem, stored: true))
            return Problems.Conflict($"The job can no longer run: {problem.ProblemDetails.Detail}");

        var rerun = CreateJob.NewJob(accepted, clock.GetUtcNow());
        rerun.Verifies = id;
        db.Jobs.Add(rerun);
        var answer = TypedResults.Accepted($"{JobRoutes.Root}/{rerun.Id}/verification", Verification.Pending(rerun));
        once.Remember(answer);
        await db.SaveChangesAsync(cancellation);
        await once.Commit(cancellation);
        wakeUps.Add(rerun);
        return answer;
    }
}
