using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Access;

/// <summary>
/// Whose tokens (JWT, RFC 7519) are taken beside access keys, and what they allow: those of one issuer, which tells its own name and keys
/// (OpenID Connect Discovery 1.0), made for this service.
/// </summary>
public sealed class TokenSettings
{
    public const string AuthoritySetting = "TRAINING_JWT_AUTHORITY", AudienceSetting = "TRAINING_JWT_AUDIENCE",
        OwnerSetting = "TRAINING_JWT_OWNER_CLAIM", RolesSetting = "TRAINING_JWT_ROLES_CLAIM", ScopesSetting = "TRAINING_JWT_SCOPES";

    private const int LongestOwner = 100;

    /// <summary>What tells a secret key of the issuer's and a public one apart; without it the public one could sign as a secret.</summary>
    private static readonly string[] Signatures = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>How long a request waits for the issuer's keys, when they are asked for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private TokenSettings() { }

    public required Uri Authority { get; init; }
    public required string Audience { get; init; }
    public required string OwnerClaim { get; init; }
    public required string RolesClaim { get; init; }

    /// <summary>What a role allows.</summary>
    public required IReadOnlyDictionary<string, Scope> Scopes { get; init; }

    /// <summary>Null if no issuer is named.</summary>
    public static TokenSettings? Read(IConfiguration configuration)
    {
        if (Text(configuration, AuthoritySetting) is not { } authority)
            return new[] { AudienceSetting, OwnerSetting, RolesSetting, ScopesSetting }
                .FirstOrDefault(setting => Text(configuration, setting) is not null) is { } alone
                ? throw new StartRefusedException($"{alone} says something about tokens, but {AuthoritySetting} names no issuer of them.")
                : null;
        if (!Uri.TryCreate(authority, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            throw new StartRefusedException($"{AuthoritySetting} must be an address such as https://login.example.org/realms/ml, not "
                + $"'{authority}'.");
        if (address.Scheme == "http" && !address.IsLoopback)
            throw new StartRefusedException($"{AuthoritySetting} must be https, not '{authority}': whoever is between could give keys of "
                + "his own.");
        return new()
        {
            Authority = address,
            Audience = Text(configuration, AudienceSetting) ?? throw new StartRefusedException(
                $"{AudienceSetting} is needed with {AuthoritySetting}: the name by which tokens say that they are for this service."),
            OwnerClaim = Text(configuration, OwnerSetting) ?? "sub",
            RolesClaim = Text(configuration, RolesSetting) ?? "roles",
            Scopes = Text(configuration, ScopesSetting) is { } scopes ? ScopesOf(scopes)
                : Enum.GetValues<Scope>().ToDictionary(Json.NameOf, scope => scope),
        };
    }

    public void Configure(JwtBearerOptions options)
    {
        options.Authority = Authority.AbsoluteUri;
        options.RequireHttpsMetadata = !Authority.IsLoopback;
        options.BackchannelTimeout = Patience;
        // Claims keep the names that they have in the token.
        options.MapInboundClaims = false;
        options.TokenValidationParameters = new() { ValidAudience = Audience, ValidAlgorithms = Signatures };
    }

    /// <summary>What a token that is valid allows: whose it is and what they may do, or why they may nothing.</summary>
    public (string? Owner, Scope? Scope, string? Refusal) Read(ClaimsPrincipal token)
    {
        if (token.FindFirstValue(OwnerClaim) is not { Length: > 0 and <= LongestOwner } owner || owner is Owned.Nobodys
            || owner.Any(char.IsControl))
            return (null, null, $"This token does not tell whose it is: its claim '{OwnerClaim}' must be text of 1 to {LongestOwner} "
                + "characters.");
        // Some issuers give a list, others one text with blanks between, as scopes are (RFC 6749, 3.3).
        var allowed = token.FindAll(RolesClaim)
            .SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append(claim.Value))
            .Where(Scopes.ContainsKey).Select(role => (Scope?)Scopes[role]).Max();
        return (owner, allowed, allowed is not null ? null : $"This token allows nothing here: its claim '{RolesClaim}' has none of the "
            + $"roles {string.Join(", ", Scopes.Keys)}.");
    }

    /// <summary>The rule that a token breaks; nothing of the token itself.</summary>
    public string RuleOf(Exception? broken) => broken switch
    {
        SecurityTokenExpiredException expired => $"This token expired on {expired.Expires:yyyy-MM-dd 'at' HH:mm:ss} UTC.",
        SecurityTokenNoExpirationException => "This token never expires ('exp'), and such tokens are not taken.",
        SecurityTokenNotYetValidException early => $"This token is valid from {early.NotBefore:yyyy-MM-dd 'at' HH:mm:ss} UTC on only.",
        SecurityTokenInvalidAudienceException => $"This token is for somebody else: its audience ('aud') must be '{Audience}'.",
        SecurityTokenInvalidIssuerException => $"This token is of another issuer ('iss') than the one at {Authority}.",
        SecurityTokenSignatureKeyNotFoundException => $"This token is signed with none of the keys of the issuer at {Authority}.",
        SecurityTokenInvalidAlgorithmException => Algorithm,
        SecurityTokenInvalidSignatureException { InnerException: SecurityTokenInvalidAlgorithmException } => Algorithm,
        SecurityTokenInvalidSignatureException => "The signature of this token is missing or wrong.",
        _ => "This is no token that can be read: three parts with dots between, the first two of JSON as base64url (RFC 7519).",
    };

    private static string Algorithm => $"This token must be signed with one of {string.Join(", ", Signatures)} ('alg').";

    private static Dictionary<string, Scope> ScopesOf(string text)
    {
        var scopes = new Dictionary<string, Scope>();
        foreach (var part in text.Split([',', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            if (part.Split('=', StringSplitOptions.TrimEntries) is not [{ Length: > 0 } role, var name])
                throw new StartRefusedException($"{ScopesSetting} must be as 'student=read, researcher=submit, operator=admin': '{part}' "
                    + "is not.");
            else if (Enum.GetValues<Scope>().Where(scope => Json.NameOf(scope) == name).ToArray() is not [var scope])
                throw new StartRefusedException($"{ScopesSetting} has the unknown scope '{name}'; scopes are read, submit, admin"
                    + Names.DidYouMean(name, Enum.GetValues<Scope>().Select(Json.NameOf)));
            else if (!scopes.TryAdd(role, scope))
                throw new StartRefusedException($"{ScopesSetting} says twice what the role '{role}' may.");
        return scopes.Count > 0 ? scopes : throw new StartRefusedException($"{ScopesSetting} names no role.");
    }

    private static string? Text(IConfiguration configuration, string setting) =>
        configuration[setting]?.Trim() is { Length: > 0 } text ? text : null;
}
