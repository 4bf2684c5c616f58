using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

public static class PredictJob
{
    /// <summary>Ask a job's net</summary>
    /// <remarks>
    /// Raw rows go in, as JSON (by position or by column name) or as `text/csv` with a header; they are imputed, encoded and scaled as the
    /// training rows were. By name, columns of a file that was brought may stand as they stood in it, dates and yes and no among them. The
    /// answer is computed by the code that trained, to the same bits. With `explain` the net is also
    /// asked what each feature is worth to it on its test rows; `inputs` may then be left out.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="200">The answers, row by row.</response>
    /// <response code="409">The job has not succeeded, or its net was not kept.</response>
    public static async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> Handle(Guid id, HttpContext http, TrainingDbContext db,
        Predictor predictor, ModelCache cache, CancellationToken cancellation)
    {
        var (source, problem) = await ModelSource.FindAsync(db, id, cancellation, cache);
        return source is null ? problem ?? Problems.NotFound($"There is no job {id}.")
            : await predictor.AnswerAsync(source, http.Request, cancellation);
    }
}
