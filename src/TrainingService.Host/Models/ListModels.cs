using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

public static class ListModels
{
    private const string List = "models";

    /// <summary>List models</summary>
    /// <remarks>The latest version of each, in the order of their names.</remarks>
    /// <param name="limit">Models on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <response code="200">A page of models.</response>
    public static async Task<Results<Ok<Page<RegisteredModel>>, ProblemHttpResult>> Handle(
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, [FromQuery] string? cursor,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var from = Paging.TryRead(cursor, errors, out string? last, List) ? last : "";
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        // by their bytes, so that the order does not depend on the database's language; all are above 0, by which EF names the columns
        var found = await db.ModelVersions.FromSql($"""
            SELECT DISTINCT ON (name COLLATE "C") * FROM model_versions WHERE name COLLATE "C" > {from}
            ORDER BY name COLLATE "C", version DESC LIMIT {size + 1}
            """).AsNoTracking().Where(model => model.Version > 0).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<RegisteredModel>([.. found.Take(size).Select(RegisteredModel.Of)],
            found.Count > size ? Paging.Cursor(found[size - 1].Name, List) : null));
    }
}
