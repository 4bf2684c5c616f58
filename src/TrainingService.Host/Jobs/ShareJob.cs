using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class ShareJob
{
    /// <summary>Share a job, or keep it to oneself</summary>
    /// <remarks>
    /// Who may read a job may read all that it measured, ask its net, download it and clone the job (as far as they may use its data).
    /// The jobs of a sweep are shared with it.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="body">Who may read it.</param>
    /// <response code="200">The job.</response>
    /// <response code="409">The job belongs to a sweep.</response>
    public static async Task<Results<Ok<JobResponse>, ProblemHttpResult>> Handle(Guid id, JsonBody<SharingSpec> body, TrainingDbContext db,
        CancellationToken cancellation)
    {
        var visibility = body.Value.Visibility;
        var (job, _) = await db.ChangeJobAsync(id, jobs => jobs.Where(job => job.SweepId == null && job.Visibility != visibility)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Visibility, visibility), cancellation), cancellation);
        return job switch
        {
            null => GetJob.NotFound(id),
            { SweepId: { } sweep } => Problems.Conflict($"The job belongs to sweep {sweep}, with which it is shared: "
                + $"PATCH /api/v1/sweeps/{sweep}."),
            _ => TypedResults.Ok(JobResponse.Of(job, await QueuePositions.Of(db, job, cancellation))),
        };
    }
}
