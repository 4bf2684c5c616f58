using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

public static class DeleteModel
{
    /// <summary>Forget a model's name</summary>
    /// <remarks>With all its versions. The jobs and their nets stay, but can be retired from then on.</remarks>
    /// <param name="name">Its name.</param>
    /// <param name="owner">Whose, where an admin sees several of this name; left out: the one that GET tells of.</param>
    /// <response code="204">The name is free.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> Handle(string name, [FromQuery] string? owner, TrainingDbContext db,
        CancellationToken cancellation)
    {
        owner ??= await db.ModelVersions.Where(v => v.Name == name).Nearest().Select(v => v.Owner).FirstOrDefaultAsync(cancellation);
        return await db.ModelVersions.Where(v => v.Name == name && v.Owner == owner).ExecuteDeleteAsync(cancellation) > 0
            ? TypedResults.NoContent() : RegisteredModels.NotFound(name);
    }
}
