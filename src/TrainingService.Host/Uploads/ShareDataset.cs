using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

public static class ShareDataset
{
    /// <summary>Share a data set, or keep it to oneself</summary>
    /// <remarks>
    /// All its versions. Who has a data set of the same name goes on with their own. Jobs that others have submitted run all the same when
    /// it is private again.
    /// </remarks>
    /// <param name="name">The data set's name.</param>
    /// <param name="body">Who may use it.</param>
    /// <response code="200">The data set.</response>
    /// <response code="409">It is built in, and everyone's.</response>
    public static async Task<Results<Ok<DatasetDetails>, ProblemHttpResult>> Handle(string name, JsonBody<SharingSpec> body,
        TrainingDbContext db, DatasetRegistry datasets, CancellationToken cancellation)
    {
        if (datasets.All.Any(dataset => dataset.Name == name))
            return Problems.Conflict($"'{name}' is a built-in data set, which is everyone's");
        var (visibility, named) = (body.Value.Visibility, db.DatasetVersions.Where(v => v.Name == name));
        var owner = await named.Nearest().Select(v => v.Owner).FirstOrDefaultAsync(cancellation);
        await named.Where(v => v.Owner == owner).ExecuteUpdateAsync(set => set.SetProperty(v => v.Visibility, visibility), cancellation);
        return owner is not null && datasets.FindOf(owner, name) is { } dataset ? TypedResults.Ok(GetDataset.Details(dataset))
            : Problems.NotFound(datasets.Unknown(name));
    }
}
