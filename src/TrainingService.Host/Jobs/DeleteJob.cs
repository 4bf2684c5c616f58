using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class DeleteJob
{
    /// <summary>Delete a finished job</summary>
    /// <remarks>Its metrics and layer measurements go with it. A job that is not finished must be canceled first.</remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="409">The job is not finished, or belongs to a sweep.</response>
    /// <response code="204">The job is gone.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> Handle(Guid id,
        [FromHeader(Name = "If-Match")] string? ifMatch, TrainingDbContext db, CancellationToken cancellation)
    {
        var seen = JobTags.Seen(ifMatch);
        var deleted = await Deletable(db).Where(j => j.Id == id)
            .As(seen)
            .ExecuteDeleteAsync(cancellation);
        if (deleted > 0)
            return TypedResults.NoContent();

        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return GetJob.NotFound(id);
        if (JobTags.Changed(job, seen) is { } other)
            return other;
        if (job.SweepId is { } sweep)
            return Problems.Conflict($"The job is evidence of sweep {sweep}; delete the sweep, and its jobs go with it.");
        return Problems.Conflict(
            $"The job is {Json.NameOf(job.Status)}; cancel it (POST {JobRoutes.Root}/{id}/cancel) and "
            + "wait for its end before deleting it.");
    }

    /// <summary>Those that have ended and are no sweep's.</summary>
    public static IQueryable<Job> Deletable(TrainingDbContext db) => db.Jobs.Where(j => j.SweepId == null
        && (j.Status == JobStatus.Succeeded || j.Status == JobStatus.Failed || j.Status == JobStatus.Canceled));
}
