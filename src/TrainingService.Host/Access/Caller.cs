using System.Security.Claims;

namespace TrainingService.Host.Access;

/// <summary>Who calls, as it stands in the request's claims.</summary>
public static class Caller
{
    private const string ScopeClaim = "scope", KeyClaim = "key", KeyNameClaim = "keyName";

    /// <param name="owner">Null where access is open.</param>
    /// <param name="scope">Null of one who is known and may do nothing.</param>
    /// <param name="scheme">How that was found.</param>
    /// <param name="key">By which key or token; null where access is open.</param>
    /// <param name="keyName">Its name, if it has one.</param>
    public static ClaimsPrincipal Of(string? owner, Scope? scope, string scheme, string? key = null, string? keyName = null) =>
        new(new ClaimsIdentity(
        [.. owner is null ? [] : (Claim[])[new(ClaimTypes.Name, owner)],
            .. key is null ? [] : (Claim[])[new(KeyClaim, key)],
            .. keyName is null ? [] : (Claim[])[new(KeyNameClaim, keyName)],
            .. scope is null ? [] : (Claim[])[new(ScopeClaim, scope.Value.ToString())]], scheme));

    /// <summary>The name of the key that they call with; null of what has none.</summary>
    public static string? KeyNameOf(ClaimsPrincipal caller) => caller.FindFirstValue(KeyNameClaim);

    /// <summary>Null where access is open.</summary>
    public static string? OwnerOf(ClaimsPrincipal caller) => caller.FindFirstValue(ClaimTypes.Name);

    /// <summary>What tells the caller from others; null of one who is not known, and where access is open.</summary>
    public static string? KeyOf(ClaimsPrincipal caller) => caller.FindFirstValue(KeyClaim);

    /// <summary>Null without a key or a token that is valid.</summary>
    public static Scope? ScopeOf(ClaimsPrincipal caller) =>
        Enum.TryParse<Scope>(caller.FindFirstValue(ScopeClaim), out var scope) ? scope : null;
}
