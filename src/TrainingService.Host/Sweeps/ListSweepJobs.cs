using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class ListSweepJobs
{
    /// <summary>List a sweep's jobs</summary>
    /// <remarks>As <c>GET /jobs?sweepId=...</c>, with the same filters; oldest first unless <c>orderBy</c> says otherwise.</remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="200">A page of jobs.</response>
    public static async Task<Results<Ok<Page<JobResponse>>, ProblemHttpResult>> Handle(Guid id,
        [AsParameters] JobFilter filter, TrainingDbContext db, DatasetRegistry datasets, CancellationToken cancellation)
    {
        if (!await db.Sweeps.AnyAsync(sweep => sweep.Id == id, cancellation))
            return GetSweep.NotFound(id);
        if (filter.SweepId is { } other && !(Guid.TryParse(other, out var same) && same == id))
            return Problems.Invalid("/sweepId", "is given by the address already");
        return await ListJobs.Handle(filter with { SweepId = $"{id}", OrderBy = filter.OrderBy ?? JobOrder.OldestFirst }, db, datasets,
            cancellation);
    }
}
