using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class ShareSweep
{
    /// <summary>Share a sweep, or keep it to oneself</summary>
    /// <remarks>With its report, its jobs and all that they measured, those to come and that of its best arm among them.</remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="body">Who may read it.</param>
    /// <response code="200">The sweep.</response>
    public static async Task<Results<Ok<SweepResponse>, ProblemHttpResult>> Handle(Guid id, JsonBody<SharingSpec> body,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var visibility = body.Value.Visibility;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Held, so that whoever adds jobs to it meanwhile does so before or after.
        if (await db.LockSweepAsync(id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        sweep.Visibility = visibility;
        await db.SaveChangesAsync(cancellation);
        // In the order in which a worker locks those that it writes together.
        var best = sweep.BestJobId ?? Guid.Empty;
        await db.Database.ExecuteSqlAsync($"SELECT FROM jobs WHERE sweep_id = {id} OR id = {best} ORDER BY id FOR UPDATE",
            cancellation);
        await db.Jobs.Where(job => (job.SweepId == id || job.Id == best) && job.Visibility != visibility)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Visibility, visibility), cancellation);
        await transaction.CommitAsync(cancellation);
        return TypedResults.Ok(await SweepResponse.OfAsync(db, sweep, cancellation));
    }
}
