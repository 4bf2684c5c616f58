using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

public static class ListKeys
{
    private const string List = "keys";

    /// <summary>List access keys</summary>
    /// <remarks>Newest first, those that were revoked included.</remarks>
    /// <param name="limit">Keys on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <response code="200">A page of keys.</response>
    public static async Task<Results<Ok<Page<KeyResponse>>, ProblemHttpResult>> Handle(
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, [FromQuery] string? cursor,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var keys = db.ApiKeys.AsNoTracking();
        if (Paging.TryRead(cursor, errors, out Guid last, List))
            keys = keys.Where(key => key.Id < last);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var found = await keys.OrderByDescending(key => key.Id).Take(size + 1).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<KeyResponse>([.. found.Take(size).Select(KeyResponse.Of)],
            found.Count > size ? Paging.Cursor(found[size - 1].Id, List) : null));
    }
}
