using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

public static class ShareModel
{
    /// <summary>Share a model, or keep it to oneself</summary>
    /// <remarks>
    /// Who may read a model may ask the net that it stands for and download it, though they may not see the job. Who has a model of the
    /// same name goes on with their own.
    /// </remarks>
    /// <param name="name">Its name.</param>
    /// <param name="body">Who may read it.</param>
    /// <response code="200">The model.</response>
    public static async Task<Results<Ok<RegisteredModel>, ProblemHttpResult>> Handle(string name, JsonBody<SharingSpec> body,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var (visibility, named) = (body.Value.Visibility, db.ModelVersions.AsNoTracking().Where(v => v.Name == name));
        var owner = await named.Nearest().Select(v => v.Owner).FirstOrDefaultAsync(cancellation);
        await named.Where(v => v.Owner == owner).ExecuteUpdateAsync(set => set.SetProperty(v => v.Visibility, visibility), cancellation);
        var latest = await named.Where(v => v.Owner == owner).OrderByDescending(v => v.Version).FirstOrDefaultAsync(cancellation);
        return latest is null ? RegisteredModels.NotFound(name) : TypedResults.Ok(RegisteredModel.Of(latest));
    }
}
