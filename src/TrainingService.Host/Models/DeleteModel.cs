using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

public static class DeleteModel
{
    /// <summary>Forget a model's name</summary>
    /// <remarks>With all its versions. The jobs and their nets stay, but can be retired from then on.</remarks>
    /// <param name="name">Its name.</param>
    /// <response code="204">The name is free.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> Handle(string name, TrainingDbContext db,
        CancellationToken cancellation) =>
        await db.ModelVersions.Where(v => v.Name == name).ExecuteDeleteAsync(cancellation) > 0
            ? TypedResults.NoContent() : RegisteredModels.NotFound(name);
}
