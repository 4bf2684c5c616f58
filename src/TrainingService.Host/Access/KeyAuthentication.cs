using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

/// <summary>
/// Who calls: by a key in <c>Authorization: Bearer</c>, in <c>X-Api-Key</c>, as the password of <c>Authorization: Basic</c>, which
/// browsers ask for, or in the cookie of those who have signed in on a page. Each request looks the key up, so that one which is revoked
/// is so everywhere at once. What has the form of a token is taken for one, where tokens are taken. Where access is open, anybody.
/// </summary>
public sealed class KeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder,
    AccessSettings access, IOptionsMonitor<JwtBearerOptions> issuers, IDbContextFactory<TrainingDbContext> databases, TimeProvider clock)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string Header = "X-Api-Key", Name = "Key", Cookie = "training_key";

    private const string Hint = "send it as 'Authorization: Bearer KEY' or as 'X-Api-Key: KEY'";

    /// <summary>How exactly it is known when a key was used last.</summary>
    private static readonly TimeSpan UseStep = TimeSpan.FromMinutes(1);

    private string _refusal = $"An access key is needed: {Hint}. Who runs the service gives one.";
    private bool _refused, _token;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // ASP.NET asks who calls even where that doesn't matter; the health of a busy service must not wait for a connection.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return AuthenticateResult.NoResult();
        var cancellation = Context.RequestAborted;
        if (await access.IsOpenAsync(cancellation))
            return Success(null, Scope.Admin);
        if (KeyOf(Request) is not { } key)
            return AuthenticateResult.NoResult();
        var hash = ApiKey.HashOf(key);
        if (access.IsAdminKey(hash))
            return Success("admin", Scope.Admin, "admin");
        if (access.Tokens is { } tokens && !key.StartsWith(ApiKey.Prefix, StringComparison.Ordinal) && key.Count(c => c == '.') == 2)
            return await TokenAsync(tokens, cancellation);
        await using var db = await databases.CreateDbContextAsync(cancellation);
        var (found, now) = (await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash, cancellation), clock.GetUtcNow());
        if (found is null)
            return Refuse("This access key is not known here.");
        if (found.RevokedAt is { } revoked)
            return Refuse($"This access key was revoked on {revoked:yyyy-MM-dd 'at' HH:mm} UTC.");
        if (found.ExpiresAt is { } expired && expired <= now)
            return Refuse($"This access key expired on {expired:yyyy-MM-dd 'at' HH:mm} UTC.");
        if (found.LastUsedAt is not { } used || now - used >= UseStep)
            await db.ApiKeys.Where(k => k.Id == found.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, now), cancellation);
        return Success(found.Owner, found.Scope, found.Id.ToString(), found.Name);
    }

    private async Task<AuthenticateResult> TokenAsync(TokenSettings tokens, CancellationToken cancellation)
    {
        try
        {
            // Kept for hours; asked for beforehand, so that an issuer which is away is not taken for a token which is wrong.
            if (issuers.Get(JwtBearerDefaults.AuthenticationScheme).ConfigurationManager is { } issuer)
                await issuer.GetConfigurationAsync(cancellation);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException)
        {
            Logger.LogWarning("The issuer of tokens at {Authority} can't be asked for its keys: {Reason}", tokens.Authority,
                e.GetBaseException().Message);
            throw new ProblemException(Problems.IssuerUnavailable());
        }
        _token = true;
        var token = await Context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        if (token is not { Succeeded: true, Principal: { } caller })
            return Refuse(tokens.RuleOf(token.Failure is AggregateException many ? many.InnerExceptions[0] : token.Failure));
        (var owner, var scope, var refusal) = tokens.Read(caller);
        // Who is known and may do nothing is answered otherwise than who is not known.
        (_refused, _refusal) = (refusal is not null, refusal ?? _refusal);
        return Success(owner, scope, $"token of {owner}");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // Only where people look with a browser, which would ask for a password otherwise whatever a page's script calls.
        Response.Headers.WWWAuthenticate = Request.Path.StartsWithSegments("/hangfire")
            ? "Basic realm=\"TrainingService: a key as the password\", charset=\"UTF-8\""
            : _refused ? "Bearer error=\"invalid_token\"" : "Bearer";
        return Problems.Unauthorized(_refusal).ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Problems.Forbidden(_refused ? _refusal
        : $"This access {(_token ? "token" : "key")} has the scope '{Json.NameOf(Caller.ScopeOf(Context.User) ?? Scope.Read)}'; "
        + $"{Request.Method} {Request.Path} needs '{Json.NameOf(ScopeRule.Needed(Context))}'.").ExecuteAsync(Context);

    private static string? KeyOf(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers[Header].Count == 0 && headers.Authorization.Count == 0)
            return request.Cookies[Cookie] is { Length: > 0 } kept ? kept : null;
        if (headers[Header].ToString() is { Length: > 0 } key)
            return key;
        var (scheme, value) = headers.Authorization.ToString().Split(' ', 2) is [var first, var rest] ? (first, rest.Trim()) : ("", "");
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            return value;
        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            return null;
        var login = new byte[value.Length];
        return Convert.TryFromBase64String(value, login, out var bytes)
            && Encoding.UTF8.GetString(login, 0, bytes).Split(':', 2) is [_, var password] ? password : null;
    }

    private AuthenticateResult Success(string? owner, Scope? scope, string? key = null, string? keyName = null) =>
        AuthenticateResult.Success(new(Caller.Of(owner, scope, Scheme.Name, key, keyName), Scheme.Name));

    private AuthenticateResult Refuse(string why)
    {
        _refused = true;
        return AuthenticateResult.Fail(_refusal = why);
    }
}
