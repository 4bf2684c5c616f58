using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>A kind of problem: <c>Type</c> is stable, clients may branch on it.</summary>
public sealed record ProblemKind(string Type, int Status, string Title);

/// <summary>Thrown where no result can be returned: while binding a request.</summary>
public sealed class ProblemException(ProblemHttpResult problem) : Exception(problem.ProblemDetails.Detail)
{
    public ProblemDetails Problem => problem.ProblemDetails;
}

/// <summary>Shows a problem to a person; false where the request is not one for a page.</summary>
public delegate Task<bool> ShowProblem(HttpContext http, ProblemDetails problem);

/// <summary>
/// All errors leave as RFC 9457 problem details, whatever the request's Accept header says; but where a page was asked for, as a page.
/// </summary>
public static partial class Problems
{
    public const string MediaType = "application/problem+json";

    private const string RetryAfter = "retryAfter";

    private static readonly ProblemKind Validation = Kind("validation", 400, "The request breaks rules");
    private static readonly ProblemKind MalformedJson = Kind("malformed-json", 400, "The body is not valid JSON");
    private static readonly ProblemKind ConflictKind = Kind("conflict", 409, "Not in this state");
    private static readonly ProblemKind KeyReused = Kind("idempotency-key-reused", 422, "The Idempotency-Key was used for another request");
    private static readonly ProblemKind KeyInFlight =
        Kind("idempotency-key-in-flight", 409, "The first request with this Idempotency-Key is still running");

    private static readonly ProblemKind IssuerAway = Kind("issuer-unavailable", 503, "The issuer of tokens is unavailable");

    /// <summary>Kinds that a status code alone tells.</summary>
    private static readonly Dictionary<int, ProblemKind> ByStatus = new ProblemKind[]
    {
        Kind("bad-request", 400, "The request can't be understood"),
        Kind("unauthorized", 401, "An access key is needed"),
        Kind("forbidden", 403, "Not allowed"),
        Kind("not-found", 404, "Not found"),
        Kind("method-not-allowed", 405, "Method not allowed"),
        Kind("not-acceptable", 406, "Not acceptable"),
        ConflictKind,
        Kind("gone", 410, "No longer kept"),
        Kind("precondition-failed", 412, "It has changed since"),
        Kind("too-large", 413, "The body is too large"),
        Kind("unsupported-media-type", 415, "Unsupported media type"),
        Kind("misdirected", 421, "Not the name of this service"),
        Kind("too-many", 429, "Too many at once"),
        Kind("internal-error", 500, "The service failed"),
        Kind("unavailable", 503, "The database is unavailable"),
    }.ToDictionary(kind => kind.Status);

    public static IReadOnlyList<ProblemKind> Kinds { get; } =
        [Validation, MalformedJson, KeyReused, KeyInFlight, IssuerAway, .. ByStatus.Values];

    public static ProblemHttpResult Invalid(IReadOnlyCollection<SpecError> errors) => Make(Validation, errors.First() switch
    {
        _ when errors.Count > 1 => $"{errors.Count} rules are broken; see errors.",
        { Pointer: "" } error => error.Message,
        var error => $"{error.Pointer}: {error.Message}",
    }, errors);

    public static ProblemHttpResult Invalid(string pointer, string message) => Invalid([new(pointer, message)]);

    public static ProblemHttpResult Malformed(string reason) =>
        Make(MalformedJson, $"The body is not valid JSON: {reason}.", [new("", reason)]);

    public static ProblemHttpResult Unauthorized(string detail) => Make(ByStatus[401], detail);

    public static ProblemHttpResult Forbidden(string detail) => Make(ByStatus[403], detail);

    public static ProblemHttpResult Misdirected(string detail) => Make(ByStatus[421], detail);

    public static ProblemHttpResult NotFound(string detail) => Make(ByStatus[404], detail);

    public static ProblemHttpResult Conflict(string detail) => Make(ConflictKind, detail);

    public static ProblemHttpResult Gone(string detail) => Make(ByStatus[410], detail);

    public static ProblemHttpResult PreconditionFailed(string detail) => Make(ByStatus[412], detail);

    /// <summary>Whether a token is right can't be known.</summary>
    public static ProblemHttpResult IssuerUnavailable() => Make(IssuerAway,
        "Whether this token is valid can't be known now: its issuer does not tell its keys. Access keys are taken as ever.");

    public static ProblemHttpResult Unavailable(string detail) => Make(ByStatus[503], detail);

    /// <summary>What may be asked again in a while.</summary>
    /// <param name="detail">Which limit, and how far one is beyond it.</param>
    /// <param name="retryAfter">Seconds.</param>
    public static ProblemHttpResult TooMany(string detail, int retryAfter = 10)
    {
        var problem = Make(ByStatus[429], detail);
        problem.ProblemDetails.Extensions[RetryAfter] = retryAfter;
        return problem;
    }

    public static ProblemHttpResult NotAcceptable(HttpRequest request, params IReadOnlyList<string> offered) =>
        Make(ByStatus[406], $"This comes as {string.Join(", ", offered.SkipLast(1))} or {offered[^1]}; "
            + $"'{request.Headers.Accept}' is not supported.");

    public static ProblemHttpResult UnsupportedMediaType(string detail) => Make(ByStatus[415], detail);

    public static ProblemHttpResult TooLarge(int bytes = JsonBody.MaxBytes) => TooLarge($"The body may have at most {bytes} bytes here.");

    public static ProblemHttpResult TooLarge(string detail) => Make(ByStatus[413], detail);

    public static ProblemHttpResult IdempotencyKeyReused() => Make(KeyReused,
        "A request with the same Idempotency-Key but another method, path or body was answered in the last 24 "
        + "hours. Use a new key for a new request.");

    public static ProblemHttpResult IdempotencyKeyInFlight() =>
        Make(KeyInFlight, "Repeat the request in a moment to get the first one's answer.");

    public static void AddProblems(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddSingleton<IProblemDetailsWriter, Writer>();
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<Handler>();
    }

    public static void UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages(
            async context => await Write(context.HttpContext, new() { Status = context.HttpContext.Response.StatusCode }));
    }

    private static ProblemKind Kind(string name, int status, string title) => new($"urn:training-service:problem:{name}", status, title);

    private static ProblemHttpResult Make(ProblemKind kind, string detail, IEnumerable<SpecError>? errors = null)
    {
        var problem = new ProblemDetails { Type = kind.Type, Title = kind.Title, Status = kind.Status, Detail = detail };
        if (errors is not null)
            problem.Extensions["errors"] = errors.GroupBy(e => e.Pointer)
                .ToDictionary(g => g.Key, g => g.Select(e => e.Message).Distinct().ToArray());
        return TypedResults.Problem(problem);
    }

    private static async Task Write(HttpContext http, ProblemDetails problem)
    {
        var status = problem.Status ?? 500;
        if (!Kinds.Any(kind => kind.Type == problem.Type))
        {
            var kind = ByStatus.GetValueOrDefault(status) ?? ByStatus[status < 500 ? 400 : 500];
            (problem.Type, problem.Title) = (kind.Type, kind.Title);
        }
        problem.Detail ??= DetailOf(http, status);
        problem.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? http.TraceIdentifier;
        // what is no refusal is told where it is caught; what the caller sent is not for the log
        if (status < 500)
            http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Problems)).LogInformation(
                "{Method} {Path} is refused: {Status} {Problem}.", http.Request.Method, http.Request.Path, status,
                problem.Type?[(problem.Type.LastIndexOf(':') + 1)..]);
        http.Response.StatusCode = status;
        // stands in the header alone
        var wait = problem.Extensions.Remove(RetryAfter, out var seconds) ? seconds : null;
        if (status is 429 or 503 || problem.Type == KeyInFlight.Type)
            http.Response.Headers.RetryAfter = $"{wait ?? (status == 503 ? 2 : 1)}";
        if (http.RequestServices.GetService<ShowProblem>() is not { } show || !await show(http, problem))
            await http.Response.WriteAsJsonAsync(problem, problem.GetType(), Json.Options, MediaType);
    }

    private static string? DetailOf(HttpContext http, int status) => status switch
    {
        404 when NoId(http.Request.Path) is { } text =>
            $"'{Characters.Shorten(text, 100)}' is no id: ids are UUIDs, such as 01a20db1-0f1a-7205-a312-26defe202782.",
        404 => $"There is nothing at '{http.Request.Path}'; /openapi/v1.json lists what there is.",
        405 => $"{http.Request.Method} is not supported here; allowed: {http.Response.Headers.Allow}.",
        406 => $"None of the media types in '{http.Request.Headers.Accept}' is available here.",
        413 => TooLarge().ProblemDetails.Detail,
        415 => SentAs(http.Request),
        _ => ByStatus.GetValueOrDefault(status)?.Title ?? "The request failed",
    };

    /// <summary>What to do with a body of another media type.</summary>
    public static string SentAs(HttpRequest request) => request.ContentType is not { Length: > 0 } given
        ? "The body came without a Content-Type; JSON is sent as 'application/json'."
        : $"The body can't be sent as '{Characters.Shorten(given, 100)}' here; JSON is sent as 'application/json'"
            + (given.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
                ? ": curl, which says otherwise by itself, needs -H 'Content-Type: application/json'." : ".");

    /// <summary>What stands where an id belongs, and is none.</summary>
    private static string? NoId(PathString path) =>
        path.Value?.Split('/') is ["", "api", "v1", "jobs" or "sweeps", { Length: > 0 } id, ..] && !Guid.TryParse(id, out _) ? id : null;

    private sealed class Writer : IProblemDetailsWriter
    {
        public bool CanWrite(ProblemDetailsContext context) => true;

        public async ValueTask WriteAsync(ProblemDetailsContext context) => await Write(context.HttpContext, context.ProblemDetails);
    }

    private sealed class Handler(ILogger<Handler> log) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken cancellation)
        {
            var problem = exception switch
            {
                ProblemException known => known.Problem,
                BadHttpRequestException { StatusCode: 400 } bad => BindingFailure().Match(bad.Message) is { Success: true } failure
                    ? Invalid($"/{JsonNamingPolicy.CamelCase.ConvertName(failure.Groups["name"].Value)}",
                        $"'{failure.Groups["value"]}' is not a valid {TypeName(failure.Groups["type"].Value)}").ProblemDetails
                    : new() { Status = 400, Detail = bad.Message },
                BadHttpRequestException bad => new() { Status = bad.StatusCode },
                _ => new() { Status = 500, Detail = "An unexpected error; the service's log has it under this traceId." },
            };
            if (problem.Status == 503)
                log.LogWarning("{Method} {Path}: {Reason}", http.Request.Method, http.Request.Path, problem.Detail);
            else if (problem.Status == 500)
                log.LogError(exception, "{Method} {Path} failed", http.Request.Method, http.Request.Path);
            await Write(http, problem);
            return true;
        }

        private static string TypeName(string type) => type.TrimEnd('?') switch
        {
            "int" or "long" => "integer",
            "double" => "number",
            "bool" => "boolean (true or false)",
            "Guid" => "id (UUID)",
            "DateTimeOffset" => "time (ISO 8601, as 2026-01-31T12:00:00Z)",
            var other => other,
        };
    }

    // The text of ASP.NET's minimal APIs where a route or query value doesn't fit its parameter.
    [GeneratedRegex("""^Failed to bind parameter "(?:Nullable<)?(?<type>[^ >]+)>? (?<name>\w+)" from "(?<value>.*)"\.$""",
        RegexOptions.Singleline)]
    private static partial Regex BindingFailure();
}
