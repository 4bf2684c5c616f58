using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

public static class ReplaceDataset
{
    /// <summary>Bring a new version of a data set</summary>
    /// <remarks>
    /// As POST, under a name that may be there already: jobs submitted from now on use the new version, those before keep theirs. Fields
    /// that are left out are as they were for the version before; a file with the same content makes no new version. A name of one's own
    /// hides the same name of others who share theirs.
    /// </remarks>
    /// <param name="name">The data set's name.</param>
    /// <param name="dryRun">Only look, as <see cref="InspectDataset"/>, but with what is known of the version before.</param>
    /// <response code="201">The data set in its latest version; jobs can use it.</response>
    /// <response code="409">The name belongs to a built-in data set, or another upload of it ends at this moment.</response>
    public static async Task<Results<Created<DatasetDetails>, JsonHttpResult<DatasetInspection>, ProblemHttpResult>> Handle(string name,
        [FromQuery] bool? dryRun, HttpContext http, TrainingDbContext db, DatasetRegistry datasets, UploadLimits limits, TimeProvider clock,
        CancellationToken cancellation)
    {
        using var form = await UploadForm.ReadAsync(http, limits, cancellation);
        var errors = new List<SpecError>();
        var fields = UploadFields.Read(form, name, dryRun, errors);
        if (form.Fields.ContainsKey("name"))
            errors.Add(new("/name", "the name stands in the address; leave it out here"));
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var own = View.Current.Owner;
        var last = await db.DatasetVersions.AsNoTracking().Where(v => v.Name == name && v.Owner == own).OrderByDescending(v => v.Version)
            .FirstOrDefaultAsync(cancellation);
        return await CreateDataset.Store(form, last is null ? fields : After(fields, last.Facts), isNew: false, db, datasets, limits, clock,
            cancellation);
    }

    private static UploadFields After(UploadFields fields, DatasetFacts before)
    {
        var (given, last) = (fields.Table, before.Options);
        return fields with
        {
            Description = fields.Description ?? before.Description,
            License = fields.License ?? before.License,
            Source = fields.Source ?? before.Source,
            Table = new()
            {
                Target = given.Target ?? last.Target,
                Task = given.Task ?? last.Task,
                Types = given.Types.Count > 0 ? given.Types : last.Types,
                Drop = given.Drop.Count > 0 ? given.Drop : last.Drop,
                Missing = given.Missing.Count > 0 ? given.Missing : last.Missing,
                Delimiter = given.Delimiter ?? last.Delimiter,
                Header = given.Header ?? last.Header,
                Encoding = given.Encoding ?? last.Encoding,
                Decimals = given.Decimals ?? last.Decimals,
                TestFraction = given.TestFraction ?? last.TestFraction,
                Stratify = given.Stratify ?? (given.TimeBy is null ? last.Stratify : null),
                // They exclude each other.
                GroupBy = given.GroupBy ?? (given.TimeBy is null ? last.GroupBy : null),
                TimeBy = given.TimeBy ?? (given.GroupBy is null && given.Stratify != true ? last.TimeBy : null),
            },
        };
    }
}
