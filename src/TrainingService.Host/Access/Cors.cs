using Microsoft.Net.Http.Headers;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Access;

/// <summary>
/// Whose pages may call the service from a browser (Fetch standard, CORS): nobody's, but those of the origins that are named. They bring a
/// key of their own; what a browser would add by itself (cookies, passwords that it asked for) is not taken from them.
/// </summary>
public sealed class Cors
{
    public const string Setting = "TRAINING_CORS_ORIGINS";

    private static readonly TimeSpan PreflightKept = TimeSpan.FromHours(1);

    private readonly HashSet<string> _origins;

    private Cors(IEnumerable<string> origins) => _origins = new(origins, StringComparer.OrdinalIgnoreCase);

    public static Cors Read(IConfiguration configuration) => new((configuration[Setting] ?? "")
        .Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(OriginOf));

    public bool IsOff => _origins.Count == 0;

    /// <summary>Whether a page of this origin may ask for changes, and not the browser does in its place.</summary>
    public bool MayChange(HttpRequest request) => request.Headers.Origin is [{ } origin] && _origins.Contains(origin)
        && (request.Headers[KeyAuthentication.Header].Count > 0
            || request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            || request.Headers.Authorization.Count == 0 && request.Headers.Cookie.Count == 0);

    public static void Add(WebApplicationBuilder builder)
    {
        var cors = Read(builder.Configuration);
        builder.Services.AddSingleton(cors);
        if (!cors.IsOff)
            builder.Services.AddCors(options => options.AddDefaultPolicy(policy => policy.WithOrigins([.. cors._origins])
                .WithMethods("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
                .WithHeaders(HeaderNames.Authorization, KeyAuthentication.Header, HeaderNames.ContentType, HeaderNames.Accept,
                    HeaderNames.IfMatch, HeaderNames.IfNoneMatch, "Idempotency-Key", HeaderNames.TraceParent, HeaderNames.TraceState)
                .WithExposedHeaders(HeaderNames.Location, HeaderNames.ETag, HeaderNames.RetryAfter, "RateLimit", "RateLimit-Policy",
                    "Idempotency-Replayed", HeaderNames.ContentDisposition, HeaderNames.WWWAuthenticate, HeaderNames.Allow,
                    HeaderNames.TraceParent)
                .SetPreflightMaxAge(PreflightKept)));
    }

    private static string OriginOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var origin) && origin.Scheme is "https" or "http" && origin.PathAndQuery == "/"
            && origin.UserInfo.Length == 0 ? origin.GetLeftPart(UriPartial.Authority)
            : throw new StartRefusedException($"{Setting} must name origins such as https://lab.example.org, without a path, not "
                + $"'{text}'.");
}
