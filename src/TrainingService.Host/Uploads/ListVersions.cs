using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

/// <summary>A version of a data set.</summary>
/// <param name="Version">Counted from 1; a built-in data set has one.</param>
/// <param name="Sha256">Of its content: give it as <c>sha256</c> of a job's <c>dataset</c> to use this version.</param>
/// <param name="Rows">Train and test together.</param>
/// <param name="Files">Its files.</param>
/// <param name="CreatedAt">When it was brought.</param>
public sealed record DatasetVersionResponse(int Version, string Sha256, int Rows, IReadOnlyList<DatasetFile> Files,
    DateTimeOffset? CreatedAt);

public static class ListVersions
{
    /// <summary>List the versions of a data set</summary>
    /// <remarks>The latest first: that is the one which the name means.</remarks>
    /// <param name="name">The data set's name.</param>
    /// <response code="200">All versions.</response>
    public static async Task<Results<Ok<Page<DatasetVersionResponse>>, ProblemHttpResult>> Handle(string name, TrainingDbContext db,
        DatasetRegistry datasets, CancellationToken cancellation)
    {
        if (datasets.All.FirstOrDefault(dataset => dataset.Name == name) is { } builtIn)
            return TypedResults.Ok(new Page<DatasetVersionResponse>(
                [new(1, builtIn.Sha256, builtIn.Rows, builtIn.Files ?? [], null)], null));
        var owner = await db.DatasetVersions.Where(v => v.Name == name).Nearest().Select(v => v.Owner).FirstOrDefaultAsync(cancellation);
        var versions = await db.DatasetVersions.AsNoTracking().Where(v => v.Name == name && v.Owner == owner)
            .OrderByDescending(v => v.Version)
            .Join(db.DatasetContents, v => v.ContentId, c => c.Id, (v, c) => new { Version = v, c.Schema }).ToListAsync(cancellation);
        return versions.Count == 0 ? Problems.NotFound(datasets.Unknown(name)) : TypedResults.Ok(new Page<DatasetVersionResponse>(
            [.. versions.Select(v => new DatasetVersionResponse(v.Version.Version, v.Version.Sha256, v.Schema.Rows, v.Version.Facts.Files,
                v.Version.CreatedAt))], null));
    }
}
