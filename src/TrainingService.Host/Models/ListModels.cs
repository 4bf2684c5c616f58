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
    /// <remarks>
    /// The latest version of each, in the order of their names. Where there are access keys: one's own, unless <c>owner</c> or
    /// <c>visibility</c> says otherwise; admins' lists have those of all.
    /// </remarks>
    /// <param name="limit">Models on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <param name="owner">Only models of this owner, as far as one may see them; none: nobody's.</param>
    /// <param name="visibility">Only models that are shared with everyone, whosever they are, or only private ones.</param>
    /// <response code="200">A page of models.</response>
    public static async Task<Results<Ok<Page<RegisteredModel>>, ProblemHttpResult>> Handle(
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, [FromQuery] string? cursor,
        [FromQuery] string? owner, [FromQuery, RegularExpression(Owned.VisibilityPattern)] string? visibility,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        // a name has no blank, its owner may
        var from = Paging.TryRead(cursor, errors, out string? last, List) ? last.Split(' ', 2) : [];
        var wanted = Owned.Read(visibility, errors);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        // by their bytes, so that the order does not depend on the database's language
        var (name, whose) = (from is [var first, ..] ? first : "", from is [_, var second] ? second : "");
        var versions = db.ModelVersions;
        var found = await versions.AsNoTracking().Listed(owner, wanted)
            .Where(model => !versions.Any(v => v.Name == model.Name && v.Owner == model.Owner && v.Version > model.Version))
            .Where(model => EF.Functions.GreaterThan(
                ValueTuple.Create(EF.Functions.Collate(model.Name, "C"), EF.Functions.Collate(model.Owner, "C")),
                ValueTuple.Create(name, whose)))
            .OrderBy(model => EF.Functions.Collate(model.Name, "C")).ThenBy(model => EF.Functions.Collate(model.Owner, "C"))
            .Take(size + 1).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<RegisteredModel>([.. found.Take(size).Select(RegisteredModel.Of)],
            found.Count > size ? Paging.Cursor($"{found[size - 1].Name} {found[size - 1].Owner}", List) : null));
    }
}
