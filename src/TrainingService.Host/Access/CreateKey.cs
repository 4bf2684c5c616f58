using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

/// <summary>An access key to be made.</summary>
public sealed record KeySpec
{
    /// <summary>What it is for, as "laptop" or "nightly runs"; at most 100 characters.</summary>
    [Length(1, 100)]
    public required string Name { get; init; }

    /// <summary>Whose it is; at most 100 characters. Left out: its name.</summary>
    [Length(1, 100)]
    public string? Owner { get; init; }

    /// <summary>What its holder may do: read, submit (and read), admin (and all else). Left out: read and submit.</summary>
    public IReadOnlyList<Scope>? Scopes { get; init; }

    /// <summary>From when on it is no longer taken; left out: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

public static class CreateKey
{
    private const int Longest = 100;

    /// <summary>Make an access key</summary>
    /// <remarks>
    /// The answer has the key, this once: only its hash is kept. Once there is any key, no request is served without one; the first must
    /// therefore have the scope admin. Takes no Idempotency-Key, since the answer would have to be kept.
    /// </remarks>
    /// <param name="body">What it is for, whose it is and what it allows.</param>
    /// <param name="idempotencyKey">Not taken here.</param>
    /// <response code="201">The key.</response>
    /// <response code="409">Access is open, and this first key would not allow to make another one.</response>
    public static async Task<Results<Created<NewKey>, ProblemHttpResult>> Handle(JsonBody<KeySpec> body,
        [FromHeader(Name = "Idempotency-Key")] string? idempotencyKey, TrainingDbContext db, AccessSettings access, TimeProvider clock,
        CancellationToken cancellation)
    {
        var (spec, errors, now) = (body.Value, new List<SpecError>(), clock.GetUtcNow());
        Fields.Check(spec, "", errors);
        foreach (var (place, text) in new[] { ("/name", spec.Name), ("/owner", spec.Owner) })
            if (text is not null && (string.IsNullOrWhiteSpace(text) || text.Length > Longest || text.Any(char.IsControl)))
                errors.Add(new(place, $"must have 1 to {Longest} characters, not only blanks and no control characters"));
        if ((spec.Owner ?? spec.Name) is Owned.Nobodys)
            errors.Add(new(spec.Owner is null ? "/name" : "/owner", $"'{Owned.Nobodys}' is nobody: lists call so what is nobody's"));
        if (spec.Scopes is [])
            errors.Add(new("/scopes", "must have at least one of read, submit, admin"));
        if (spec.ExpiresAt <= now)
            errors.Add(new("/expiresAt", $"must be in the future, not {spec.ExpiresAt:O}"));
        if (idempotencyKey is not null)
            errors.Add(new("/Idempotency-Key", "is not taken here: to repeat the answer, the key would have to be kept"));
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var scope = spec.Scopes?.Max() ?? Scope.Submit;
        if (scope < Scope.Admin && await access.IsOpenAsync(cancellation))
            return Problems.Conflict("Access is open so far. The first key closes it, so it must have the scope admin, or nobody could "
                + "make another one.");
        var (row, key) = ApiKey.Create(spec.Name, spec.Owner ?? spec.Name, scope, spec.ExpiresAt?.ToUniversalTime(), now);
        db.ApiKeys.Add(row);
        await db.SaveChangesAsync(cancellation);
        access.Close();
        return TypedResults.Created((string?)null, NewKey.Of(row, key));
    }
}
