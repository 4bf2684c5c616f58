using System.Net;
using System.Text.Json;

namespace TrainingService.Client;

/// <summary>The service refused a request, or failed: its problem details (RFC 9457).</summary>
public sealed class TrainingProblemException : Exception
{
    private static readonly Dictionary<string, IReadOnlyList<string>> NoErrors = [];

    internal TrainingProblemException(HttpStatusCode status, ProblemDetails problem) : base(Words(problem))
    {
        (Status, Type, Title, Detail, TraceId) = (status, problem.Type ?? "about:blank", problem.Title ?? "", problem.Detail ?? "",
            problem.TraceId);
        Errors = problem.Errors ?? NoErrors;
    }

    /// <summary>The HTTP status.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>The kind of the problem, to branch on: one of <see cref="ProblemTypes"/>.</summary>
    public string Type { get; }

    /// <summary>The kind in words.</summary>
    public string Title { get; }

    /// <summary>What went wrong here.</summary>
    public string Detail { get; }

    /// <summary>By which the service's log has it.</summary>
    public string? TraceId { get; }

    /// <summary>Messages by JSON pointer into the request; none unless <see cref="IsInvalid"/>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Errors { get; }

    /// <summary>Whether the request breaks rules, which <see cref="Errors"/> tells.</summary>
    public bool IsInvalid => Type == ProblemTypes.Validation;

    /// <summary>Whether there is no such thing.</summary>
    public bool IsNotFound => Status == HttpStatusCode.NotFound;

    /// <summary>Whether it can't be done in the state that the resource is in.</summary>
    public bool IsConflict => Status == HttpStatusCode.Conflict;

    internal static async Task<TrainingProblemException> ReadAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        ProblemDetails? problem = null;
        try
        {
            var text = await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            problem = JsonSerializer.Deserialize<ProblemDetails>(text, ClientJson.Options);
        }
        catch (JsonException)
        {
            // something between here and the service answered
        }
        return new(answer.StatusCode, problem ?? new() { Detail = $"{(int)answer.StatusCode} {answer.ReasonPhrase}" });
    }

    private static string Words(ProblemDetails problem) => problem.Errors is { Count: > 1 } errors
        ? string.Join(" ", errors.SelectMany(place => place.Value.Select(message => $"{place.Key}: {message}.")))
        : problem.Detail ?? problem.Title ?? "The request failed.";
}
