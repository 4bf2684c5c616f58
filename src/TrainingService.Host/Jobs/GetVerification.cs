using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

public static class GetVerification
{
    /// <summary>What came of running a job again</summary>
    /// <remarks>
    /// Compares the weights' hash, all results and all rows measured, bit for bit; only times and speeds may differ.
    /// Unfinished, it says so in <c>status</c>.
    /// </remarks>
    /// <param name="id">Id of the job that reruns another one, as <c>POST /jobs/{id}/verify</c> answers it.</param>
    /// <response code="200">The verification.</response>
    public static async Task<Results<Ok<VerificationResponse>, ProblemHttpResult>> Handle(Guid id, HttpContext http, TrainingDbContext db,
        CancellationToken cancellation)
    {
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } rerun)
            return GetJob.NotFound(id);
        if (rerun.Verifies is null)
            return Problems.NotFound($"Job {id} verifies no other job; POST {JobRoutes.Root}/{id}/verify to run it again and compare.");
        if (!rerun.IsFinished)
        {
            http.Response.Headers.RetryAfter = "1";
            return TypedResults.Ok(Verification.Pending(rerun));
        }
        var original = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == rerun.Verifies, cancellation);
        return TypedResults.Ok(await Verification.Of(db, original, rerun, cancellation));
    }
}
