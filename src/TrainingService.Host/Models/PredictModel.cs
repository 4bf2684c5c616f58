using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

public static class PredictModel
{
    /// <summary>Ask a model</summary>
    /// <remarks>As `POST /jobs/{id}/predictions` of the job that the name stands for now.</remarks>
    /// <param name="name">Its name.</param>
    /// <response code="200">The answers, row by row.</response>
    /// <response code="410">The job was deleted, or its weights retired.</response>
    public static async Task<Results<Ok<PredictionResponse>, ProblemHttpResult>> Handle(string name, HttpContext http,
        TrainingDbContext db, Predictor predictor, ModelCache cache, CancellationToken cancellation)
    {
        var (source, problem) = await RegisteredModels.FindAsync(db, name, cancellation, cache);
        return source is null ? problem ?? RegisteredModels.NotFound(name)
            : await predictor.AnswerAsync(source, http.Request, cancellation);
    }
}
