using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

public static class CreateDataset
{
    /// <summary>Bring a data set</summary>
    /// <remarks>
    /// A table as a file, with the name of the column to predict. Types of the columns, missing values, classes or a number, delimiter,
    /// header, encoding and decimal comma are found and told; each can be given instead. What can't be used is a 400 that names row,
    /// column, what was found and what is allowed, and stores nothing. <c>POST /datasets/inspect</c> tells what would be stored.
    /// </remarks>
    /// <param name="dryRun">As <see cref="InspectDataset"/>, for callers from before that had a path of its own.</param>
    /// <param name="fromUrl">Where to fetch the file, over http or https, if the operator allows it; then only fields are sent.</param>
    /// <response code="201">The data set; jobs can use it.</response>
    /// <response code="409">There is a data set of this name with other content.</response>
    public static async Task<Results<Created<DatasetDetails>, JsonHttpResult<DatasetInspection>, ProblemHttpResult>> Handle(
        [FromQuery] bool? dryRun, [FromQuery] string? fromUrl, HttpContext http, TrainingDbContext db, DatasetRegistry datasets,
        UploadLimits limits, TimeProvider clock, CancellationToken cancellation)
    {
        using var form = await UploadForm.OfAsync(http, fromUrl, limits, cancellation);
        var errors = new List<SpecError>();
        var fields = UploadFields.Read(form, null, dryRun, errors);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        return await Store(form, fields, isNew: true, db, datasets, limits, clock, cancellation);
    }

    /// <summary>Reads the files and stores them, or only tells of them.</summary>
    internal static Task<Results<Created<DatasetDetails>, JsonHttpResult<DatasetInspection>, ProblemHttpResult>> Store(UploadForm form,
        UploadFields fields, bool isNew, TrainingDbContext db, DatasetRegistry datasets, UploadLimits limits, TimeProvider clock,
        CancellationToken cancellation) =>
        Upload.Read<Results<Created<DatasetDetails>, JsonHttpResult<DatasetInspection>, ProblemHttpResult>>(form, fields, limits,
        async (file, plan) =>
        {
            if (fields.DryRun)
                return TypedResults.Json(Upload.Inspect(fields, file, plan, cancellation));
            if (plan.Problems.Count > 0)
                return Problems.Invalid(plan.Problems);
            var (stored, conflict) = await Upload.Store(form, fields, file, plan, isNew, db, datasets, clock, cancellation);
            return stored is null ? conflict : TypedResults.Created($"{DatasetRoutes.Root}/{stored.Name}", GetDataset.Details(stored));
        }, problem => problem, cancellation);
}
