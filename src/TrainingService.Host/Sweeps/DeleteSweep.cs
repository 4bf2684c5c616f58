using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Sweeps;

public static class DeleteSweep
{
    /// <summary>Delete a finished sweep</summary>
    /// <remarks>Its jobs and all that they measured go with it. A sweep that is not finished must be canceled first.</remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="204">The sweep is gone.</response>
    /// <response code="409">The sweep is not finished.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> Handle(Guid id, TrainingDbContext db, CancellationToken cancellation)
    {
        if (await db.Sweeps.Where(sweep => sweep.Id == id && sweep.FinishedAt != null).ExecuteDeleteAsync(cancellation) > 0)
            return TypedResults.NoContent();
        return await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is { } sweep
            ? Problems.Conflict($"The sweep is {Json.NameOf(sweep.Status)}; "
                + $"cancel it (POST {SweepRoutes.Root}/{id}/cancel) and wait for its end before deleting it.")
            : GetSweep.NotFound(id);
    }
}
