using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class CloneJob
{
    /// <summary>Submit a changed copy of a job</summary>
    /// <remarks>
    /// The body is a JSON merge patch (RFC 7396) on the job's spec, such as a finding's `recommendation.patch`; `{}` repeats the job. It
    /// is merged into what was asked for, so that defaults follow what the patch changes: `{"training": {"optimizer": {"name": "adam"}}}`
    /// brings adam's own learning rate, and leaves no momentum behind. `hiddenLayers` replaces `layers` and the other way round.
    /// The copy is checked like a new job, and has the labels that the job has by now.
    ///
    /// With `fromCheckpoint: {"job": ..., "step": ...}` beside the changes, the copy goes on from a checkpoint of the job
    /// (`GET .../checkpoints`): it has the job's net, optimiser and measurements up to there, and the changes hold from there on. Only
    /// these can: activations, rates that aren't 0, epochs, schedule, the optimiser's numbers, clipping, patience, rules, and what names
    /// the job.
    /// </remarks>
    /// <param name="id">The job's id; it may be in any status.</param>
    /// <param name="patch">What shall be different.</param>
    /// <response code="202">The new job, `queued`.</response>
    /// <response code="409">The first request with this Idempotency-Key is still running, or the checkpoint is gone.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id, SpecPatch patch,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db,
        JobRules rules, WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        http.Response.Headers.RetryAfter = "1";
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, patch.Patch, cancellation);
        if (once.Answered<JobResponse>() is { } replay)
            return replay;
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return GetJob.NotFound(id);
        var errors = new List<SpecError>();
        var from = Fork.Take(id, patch, errors, out patch);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        if (from is not null)
            patch = Fork.Keep(job, patch);
        var accepted = Check(job, patch, rules, errors);
        if (from is not null && accepted is not null)
        {
            var before = rules.Check(job.Spec, [], stored: true);
            return before is null ? Problems.Conflict("The job can no longer run, so nothing can go on from its checkpoints.")
                : await Fork.Submit(from, before, accepted, patch, once, db, wakeUps, clock, cancellation);
        }
        return accepted is not null
            ? await CreateJob.Submit(accepted, once, db, wakeUps, clock, cancellation) : Problems.Invalid(errors);
    }

    /// <summary>The changed copy; null, with errors that point into the patch, if it breaks a rule.</summary>
    public static CheckedJob? Check(Job job, SpecPatch patch, JobRules rules, List<SpecError> errors)
    {
        if (patch.ApplyTo(job, errors) is not { } spec)
            return null;
        var broken = new List<SpecError>();
        var accepted = rules.Check(spec, broken, stored: spec.IsMeantAsStored(job.Spec));
        patch.Point(broken, errors);
        return accepted;
    }
}
