using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

public static class GetFindings
{
    /// <summary>What is wrong with a job's training, and what would mend it</summary>
    /// <remarks>
    /// Rules look at every evaluation while the job trains; `diagnostics.rules` sets their thresholds. Once the training has ended, and
    /// before the job's status tells so, what may be to blame is changed and tried on the same seed and rows (`diagnostics.tryPatches`),
    /// for a quarter of the job's time or 10 seconds. The change that helped most is recommended: POST its `recommendation.patch` to
    /// `/jobs/{id}/clone` as it is. `tried` has all of them; where none helped there is no recommendation.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="200">One finding for each rule and layer, as it was at its worst.</response>
    public static async Task<Results<Ok<Page<Finding>>, ProblemHttpResult>> Handle(Guid id, HttpContext http, TrainingDbContext db,
        CancellationToken cancellation)
    {
        if (await db.Jobs.Where(j => j.Id == id).Select(j => new { j.FinishedAt }).SingleOrDefaultAsync(cancellation) is not { } job)
            return Problems.NotFound($"There is no job {id}.");
        if (job.FinishedAt is null)
            http.Response.Headers.RetryAfter = "1";
        var findings = await db.Findings.Where(f => f.JobId == id).Select(f => f.Finding).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<Finding>(
            [.. findings.OrderByDescending(f => f.Severity).ThenBy(f => f.Step).ThenBy(f => f.Rule).ThenBy(f => f.Layer)], null));
    }
}
