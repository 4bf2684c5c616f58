using System.Security.Claims;

namespace TrainingService.Host.Access;

/// <summary>Who calls, as it stands in the request's claims.</summary>
public static class Caller
{
    private const string ScopeClaim = "scope", KeyClaim = "key";

    /// <param name="owner">Null where access is open.</param>
    /// <param name="scope">Null of one who is known and may do nothing.</param>
    /// <param name="scheme">How that was found.</param>
    /// <param name="key">By which key or token; null where access is open.</param>
    public static ClaimsPrincipal Of(string? owner, Scope? scope, string scheme, string? key = null) => new(new ClaimsIdentity(
        [.. owner is null ? [] : (Claim[])[new(ClaimTypes.Name, owner)],
            .. key is null ? [] : (Claim[])[new(KeyClaim, key)],
            .. scope is null ? [] : (Claim[])[new(ScopeClaim, scope.Value.ToString())]], scheme));

    /// <summary>Null where access is open.</summary>
    public static string? OwnerOf(ClaimsPrincipal caller) => caller.FindFirstValue(ClaimTypes.Name);

    /// <summary>What tells the caller from others; null of one who is not known, and where access is open.</summary>
    public static string? KeyOf(ClaimsPrincipal caller) => caller.FindFirstValue(KeyClaim);

    /// <summary>Null without a key or a token that is valid.</summary>
    public static Scope? ScopeOf(ClaimsPrincipal caller) =>
        Enum.TryParse<Scope>(caller.FindFirstValue(ScopeClaim), out var scope) ? scope : null;
}
