using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Sweeps;

public static class GetSweepReport
{
    /// <summary>What a sweep has shown</summary>
    /// <remarks>
    /// Arms are compared seed by seed: mean difference with interval, exact sign-flip p adjusted over all comparisons (Holm), a test of equivalence, and a
    /// verdict in words. While the sweep runs, the report covers the seeds that are there and says so.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="200">The report.</response>
    public static async Task<Results<Ok<SweepReport>, ProblemHttpResult>> Handle(Guid id, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        if (!sweep.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        return TypedResults.Ok(StudyReports.Of(sweep, await SweepCells.ReadAsync(db, sweep, cancellation)));
    }
}
