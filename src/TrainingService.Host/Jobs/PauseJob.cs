using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class PauseJob
{
    /// <summary>Pause a job</summary>
    /// <remarks>
    /// A running job stops within seconds at the end of a step (`pausing`, then `paused`), is kept as it is there and frees its worker; a
    /// queued one is `paused` at once. It waits, for as long as it likes, for `POST .../resume`, which loses nothing and gives the same
    /// weights as if it had never paused. Time that it is paused doesn't count towards `timeoutSeconds`. A job that comes to its end in
    /// the same moment has ended. Repeating it changes nothing and is no error.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="202">The job: pausing or paused.</response>
    /// <response code="409">The job is being canceled, or has ended.</response>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        var seen = JobTags.Seen(ifMatch);
        var (job, changed) = await db.ChangeJobAsync(id, jobs => jobs
            .Where(j => j.Status == JobStatus.Queued || j.Status == JobStatus.Running).As(seen)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.Status,
                j => j.Status == JobStatus.Queued ? JobStatus.Paused : JobStatus.Pausing), cancellation), cancellation);
        if (job is null)
            return GetJob.NotFound(id);
        if (!changed && JobTags.Changed(job, seen) is { } other)
            return other;
        if (!changed && (job.IsFinished || job.Status is JobStatus.Canceling))
            return Problems.Conflict($"The job is {Json.NameOf(job.Status)}; only jobs that wait or run can be paused.");
        return await GetJob.Accepted(job, http, db, cancellation);
    }
}
