using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class ResumeJob
{
    /// <summary>Let a paused job go on</summary>
    /// <remarks>
    /// The job goes back into the queue, at the place that its age gives it, and on from the step at which it stopped. One that is still
    /// `pausing` runs on. Repeating it, or resuming a job that is queued or running, changes nothing and is no error.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The job: queued or running.</response>
    /// <response code="409">The job is being canceled, or has ended.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext http, TrainingDbContext db, WakeUps wakeUps,
        CancellationToken cancellation)
    {
        // Of one whose worker has just stopped for the pause it sees that it is no longer wanted, and queues the job itself.
        var seen = JobTags.Seen(ifMatch);
        var (job, changed) = await db.ChangeJobAsync(id, jobs => jobs
            .Where(j => j.Status == JobStatus.Paused || j.Status == JobStatus.Pausing).As(seen)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.Status,
                j => j.Status == JobStatus.Paused ? JobStatus.Queued : JobStatus.Running), cancellation), cancellation);
        if (job is null)
            return GetJob.NotFound(id);
        if (!changed && JobTags.Changed(job, seen) is { } other)
            return other;
        if (!changed && (job.IsFinished || job.Status is JobStatus.Canceling))
            return Problems.Conflict($"The job is {Json.NameOf(job.Status)} and can't go on; to run it again, retry it if it failed or was "
                + $"canceled (POST {JobRoutes.Root}/{id}/retry), or clone it.");
        if (changed && job.Status is JobStatus.Queued)
            wakeUps.Add(job);
        return await GetJob.Accepted(job, http, db, cancellation);
    }
}
