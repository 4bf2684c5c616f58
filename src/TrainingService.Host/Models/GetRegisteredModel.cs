using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

public static class GetRegisteredModel
{
    /// <summary>Get a model</summary>
    /// <remarks>Its latest version, and all there were.</remarks>
    /// <param name="name">Its name.</param>
    /// <response code="200">The model.</response>
    public static async Task<Results<Ok<RegisteredModel>, ProblemHttpResult>> Handle(string name, TrainingDbContext db,
        CancellationToken cancellation)
    {
        var versions = await db.ModelVersions.AsNoTracking().Where(v => v.Name == name).Nearest().ThenByDescending(v => v.Version)
            .ToListAsync(cancellation);
        versions.RemoveAll(version => version.Owner != versions[0].Owner);
        return versions.Count == 0 ? RegisteredModels.NotFound(name)
            : TypedResults.Ok(RegisteredModel.Of(versions[0]) with { Versions = [.. versions.Select(RegisteredModel.Of)] });
    }
}
