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
        // One conditional statement: a worker that claims or finishes the job meanwhile is either seen or waited for.
        var seen = JobTags.Seen(ifMatch);
        var changed = await db.Jobs.Where(j => j.Id == id && (j.Status == JobStatus.Queued || j.Status == JobStatus.Running))
            .As(seen)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status,
                job => job.Status == JobStatus.Queued ? JobStatus.Paused : JobStatus.Pausing), cancellation);
        return await Answer(id, changed, seen, http, db, job => job.IsFinished || job.Status is JobStatus.Canceling
            ? $"The job is {Json.NameOf(job.Status)}; only jobs that wait or run can be paused." : null, cancellation);
    }

    /// <summary>The job as it is now, or why it could not be changed.</summary>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Answer(Guid id, int changed,
        IReadOnlyList<(int Attempt, JobStatus Status)>? seen, HttpContext http, TrainingDbContext db, Func<Job, string?> conflict,
        CancellationToken cancellation)
    {
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return GetJob.NotFound(id);
        if (changed == 0 && JobTags.Changed(job, seen) is { } other)
            return other;
        if (changed == 0 && conflict(job) is { } reason)
            return Problems.Conflict(reason);
        return await GetJob.Accepted(job, http, db, cancellation);
    }
}
