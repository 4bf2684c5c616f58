using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class CreateSweep
{
    /// <summary>Compare variants of a job over seeds</summary>
    /// <remarks>
    /// Every arm is trained with every seed by jobs of the sweep, on as many workers as there are; <c>/report</c> then
    /// says which differences are real. All arms are checked before anything is stored. The jobs have priority <c>low</c>
    /// unless <c>base</c> says otherwise.
    /// </remarks>
    /// <param name="body">The job to vary, the arms, the seeds.</param>
    /// <response code="202">The sweep as it was stored.</response>
    /// <response code="409">The first request with this Idempotency-Key is still running.</response>
    public static async Task<Results<Accepted<SweepResponse>, ProblemHttpResult>> Handle(JsonBody<SweepSpec> body,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db,
        SweepRules rules, WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, body.Value, cancellation);
        if (once.Answered<SweepResponse>() is { } replay)
            return replay;
        var errors = new List<SpecError>();
        if (rules.Check(body.Value, errors) is not { } accepted)
            return Problems.Invalid(errors);
        return await Store(accepted, null, null, body.Value.Visibility, body.Value.NotifyUrl, once, http, db, rules, wakeUps, clock,
            cancellation);
    }

    /// <summary>Stores the sweep with its first cells and wakes the workers.</summary>
    public static async Task<Accepted<SweepResponse>> Store(SweepPlan accepted, string? study, string? size,
        Visibility? visibility, string? notifyUrl, Idempotency once, HttpContext http, TrainingDbContext db, SweepRules rules,
        WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(cancellation) : null;
        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
        var sweep = new Sweep
        {
            Id = Guid.CreateVersion7(now),
            Name = accepted.Name,
            Status = JobStatus.Queued,
            Spec = accepted,
            Study = study,
            StudySize = size,
            Visibility = visibility ?? Visibility.Private,
            NotifyUrl = rules.NotifyUrl(notifyUrl, []),
            CreatedAt = now,
        };
        db.Sweeps.Add(sweep);
        var jobs = await SweepCells.AddDueAsync(db, sweep, [], rules, clock, (_, _) => null, cancellation);
        var answer = TypedResults.Accepted($"{SweepRoutes.Root}/{sweep.Id}", await SweepResponse.OfAsync(db, sweep, cancellation));
        once.Remember(answer);
        await db.SaveChangesAsync(cancellation);
        await once.Commit(cancellation);
        if (transaction is not null)
            await transaction.CommitAsync(cancellation);
        wakeUps.Add(jobs);
        http.Response.Headers.RetryAfter = "1";
        return answer;
    }
}
