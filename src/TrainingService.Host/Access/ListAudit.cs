using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

/// <summary>A request that may have changed something.</summary>
/// <param name="Id">UUIDv7 of the time.</param>
/// <param name="At">When it was answered.</param>
/// <param name="Owner">Who asked; null where access was open.</param>
/// <param name="KeyId">By which key; null for the operator's, for tokens of others, and where access was open.</param>
/// <param name="Key">What that key is called; `admin` is the operator's.</param>
/// <param name="Method">How.</param>
/// <param name="Route">For what.</param>
/// <param name="Target">The id or name in the address.</param>
/// <param name="Made">Address of what was made.</param>
/// <param name="Status">What was answered; 499: the caller went away before.</param>
/// <param name="Address">From where.</param>
public sealed record AuditResponse(Guid Id, DateTimeOffset At,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Owner,
    Guid? KeyId, string? Key, string Method, string Route, string? Target, string? Made, int Status, string? Address)
{
    public static AuditResponse Of(AuditEntry entry) => new(entry.Id, entry.At, Owned.Named(entry.Owner), entry.KeyId, entry.KeyName,
        entry.Method, entry.Route, entry.Target, entry.Made, entry.Status, entry.Address);
}

public static class ListAudit
{
    private const string List = "audit";

    /// <summary>Who changed what</summary>
    /// <remarks>
    /// All requests of known callers that may change something, those that were refused among them, newest first. An entry is there a
    /// moment after its answer, and for `TRAINING_AUDIT_DAYS`.
    /// </remarks>
    /// <param name="limit">Entries on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before, with the same filters.</param>
    /// <param name="owner">Only what this owner asked for; none: nobody, as where access was open.</param>
    /// <param name="key">Only what was asked for by the key of this id.</param>
    /// <param name="route">Only of this route, as `/api/v1/jobs/{id}/cancel`.</param>
    /// <param name="target">Only with this id or name in the address.</param>
    /// <param name="since">Only from this time on (ISO 8601).</param>
    /// <param name="until">Only before this time (ISO 8601).</param>
    /// <response code="200">A page of the audit.</response>
    public static async Task<Results<Ok<Page<AuditResponse>>, ProblemHttpResult>> Handle(
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, [FromQuery] string? cursor,
        [FromQuery] string? owner, [FromQuery] Guid? key, [FromQuery] string? route, [FromQuery] string? target,
        [FromQuery] DateTimeOffset? since, [FromQuery] DateTimeOffset? until, TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var entries = db.Audit.AsNoTracking();
        if (Owned.Asked(owner) is { } whose)
            entries = entries.Where(entry => entry.Owner == whose);
        if (key is not null)
            entries = entries.Where(entry => entry.KeyId == key);
        if (route is not null)
            entries = entries.Where(entry => entry.Route == route);
        if (target is not null)
            entries = entries.Where(entry => entry.Target == target);
        if (since?.ToUniversalTime() is { } first)
            entries = entries.Where(entry => entry.At >= first);
        if (until?.ToUniversalTime() is { } end)
            entries = entries.Where(entry => entry.At < end);
        if (Paging.TryRead(cursor, errors, out Guid last, List))
            entries = entries.Where(entry => entry.Id < last);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var found = await entries.OrderByDescending(entry => entry.Id).Take(size + 1).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<AuditResponse>([.. found.Take(size).Select(AuditResponse.Of)],
            found.Count > size ? Paging.Cursor(found[size - 1].Id, List) : null));
    }
}
