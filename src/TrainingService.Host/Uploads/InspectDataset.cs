using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

public static class InspectDataset
{
    /// <summary>Look at a data set without storing it</summary>
    /// <remarks>
    /// Takes what <c>POST /datasets</c> takes, and tells what would be stored, with the first rows and what may be wrong. Nothing is
    /// stored; <c>target</c> may be left out.
    /// </remarks>
    /// <param name="fromUrl">Where to fetch the file, over http or https, if the operator allows it; then only fields are sent.</param>
    /// <response code="200">What would be stored, and what stands in the way.</response>
    public static async Task<Results<Ok<DatasetInspection>, ProblemHttpResult>> Handle([FromQuery] string? fromUrl, HttpContext http,
        UploadLimits limits, CancellationToken cancellation)
    {
        using var form = await UploadForm.OfAsync(http, fromUrl, limits, cancellation);
        var errors = new List<SpecError>();
        var fields = UploadFields.Read(form, null, dryRun: true, errors);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        return await Upload.Read<Results<Ok<DatasetInspection>, ProblemHttpResult>>(form, fields, limits,
            (file, plan) => Task.FromResult<Results<Ok<DatasetInspection>, ProblemHttpResult>>(
                TypedResults.Ok(Upload.Inspect(fields, file, plan, cancellation))), problem => problem, cancellation);
    }
}
