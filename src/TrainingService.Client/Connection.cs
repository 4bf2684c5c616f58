using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace TrainingService.Client;

/// <summary>Sends requests, again where that makes sense, and reads answers.</summary>
internal sealed class Connection(HttpClient http, TrainingClientOptions options)
{
    private const string IdempotencyKey = "Idempotency-Key";

    /// <summary>An answer without a body.</summary>
    public async Task SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        using var answer = await AskAsync(new(method, path) { Body = body }, cancellation).ConfigureAwait(false);
    }

    /// <summary>An answer as JSON.</summary>
    public async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        using var answer = await AskAsync(new(method, path) { Body = body }, cancellation).ConfigureAwait(false);
        return await ReadAsync<T>(answer, cancellation).ConfigureAwait(false);
    }

    /// <summary>An answer as text.</summary>
    public async Task<string> TextAsync(string path, string mediaType, CancellationToken cancellation)
    {
        using var answer = await AskAsync(new(HttpMethod.Get, path) { Accept = mediaType }, cancellation).ConfigureAwait(false);
        return await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>An answer's bytes as they arrive; to be disposed of.</summary>
    public async Task<Stream> StreamAsync(string path, string mediaType, CancellationToken cancellation)
    {
        var answer = await AskAsync(new(HttpMethod.Get, path) { Accept = mediaType }, cancellation).ConfigureAwait(false);
        return await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Events as they arrive; null if the service has none to give, or none now. To be disposed of.</summary>
    public async Task<Stream?> EventsAsync(string path, CancellationToken cancellation)
    {
        using var message = Message(new(HttpMethod.Get, path) { Accept = "text/event-stream" }, null);
        HttpResponseMessage answer;
        try
        {
            answer = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            // what is asked next is asked again and again
            return Stream.Null;
        }
        if (answer.StatusCode == HttpStatusCode.OK && answer.Content.Headers.ContentType?.MediaType == "text/event-stream")
            return await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        answer.Dispose();
        return null;
    }

    /// <summary>A form, whose files are read once; so it is not sent again.</summary>
    public async Task<T> SendFormAsync<T>(HttpMethod method, string path, MultipartFormDataContent form, CancellationToken cancellation)
    {
        using var answer = await AskAsync(new(method, path) { Form = form }, cancellation).ConfigureAwait(false);
        return await ReadAsync<T>(answer, cancellation).ConfigureAwait(false);
    }

    /// <summary>What there is now, if it is not what <paramref name="seen"/> stands for, and when to look again.</summary>
    public async Task<(T? Value, string? Tag, TimeSpan? Again)> LookAsync<T>(string path, string? seen, CancellationToken cancellation)
        where T : class
    {
        using var answer = await AskAsync(new(HttpMethod.Get, path) { Seen = seen }, cancellation).ConfigureAwait(false);
        var again = Delay(answer.Headers.RetryAfter);
        return answer.StatusCode == HttpStatusCode.NotModified ? (null, seen, again)
            : (await ReadAsync<T>(answer, cancellation).ConfigureAwait(false), answer.Headers.ETag?.ToString(), again);
    }

    private async Task<HttpResponseMessage> AskAsync(Request request, CancellationToken cancellation)
    {
        // The same in all tries: what the first one did, the others find done.
        var key = request.Method == HttpMethod.Post ? Guid.NewGuid().ToString() : null;
        for (var attempt = 0; ; attempt++)
        {
            HttpResponseMessage answer;
            try
            {
                using var message = Message(request, key);
                answer = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException) when (attempt < options.Retries && request.Form is null)
            {
                await Task.Delay(Wait(attempt, null), cancellation).ConfigureAwait(false);
                continue;
            }
            if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotModified)
                return answer;
            using (answer)
            {
                var problem = await TrainingProblemException.ReadAsync(answer, cancellation).ConfigureAwait(false);
                var mayPass = answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
                    || problem.Type == ProblemTypes.IdempotencyKeyInFlight;
                if (!mayPass || attempt >= options.Retries || request.Form is not null)
                    throw problem;
                await Task.Delay(Wait(attempt, Delay(answer.Headers.RetryAfter)), cancellation).ConfigureAwait(false);
            }
        }
    }

    private HttpRequestMessage Message(Request request, string? key)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(request.Path, UriKind.Relative));
        if (options.ApiKey is { Length: > 0 } secret)
            message.Headers.Add("X-Api-Key", secret);
        if (key is not null)
            message.Headers.Add(IdempotencyKey, key);
        if (request.Accept is { } accept)
            message.Headers.Accept.Add(new(accept));
        if (request.Seen is { } seen)
            message.Headers.TryAddWithoutValidation("If-None-Match", seen);
        if (request.Form is { } form)
            message.Content = form;
        else if (request.Body is { } body)
            message.Content = JsonContent.Create(body, body.GetType(), options: ClientJson.Options);
        return message;
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, CancellationToken cancellation) =>
        await answer.Content.ReadFromJsonAsync<T>(ClientJson.Options, cancellation).ConfigureAwait(false)
            ?? throw new JsonException($"The answer to {answer.RequestMessage?.RequestUri} is JSON's null.");

    /// <summary>
    /// As long as the service asks for; else a fifth of a second, and twice that each time. Never at the same moment as others.
    /// </summary>
    private TimeSpan Wait(int attempt, TimeSpan? asked)
    {
        var wait = asked ?? TimeSpan.FromMilliseconds(200 * Math.Pow(2, attempt));
        return TimeSpan.FromTicks(Math.Min((wait * (1 + Random.Shared.NextDouble() / 4)).Ticks, options.LongestDelay.Ticks));
    }

    private static TimeSpan? Delay(RetryConditionHeaderValue? after) => after switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date - DateTimeOffset.UtcNow is { Ticks: > 0 } delta => delta,
        _ => null,
    };

    private sealed record Request(HttpMethod Method, string Path)
    {
        public object? Body { get; init; }
        public MultipartFormDataContent? Form { get; init; }
        public string? Accept { get; init; }
        public string? Seen { get; init; }
    }
}

/// <summary>Puts values into addresses.</summary>
internal static class Address
{
    public static string Of(object value) => Uri.EscapeDataString(Text(value));

    public static string With(string path, params (string Name, object? Value)[] query)
    {
        var given = query.Where(part => part.Value is not null)
            .SelectMany(part => part.Value is IEnumerable<string> many
                ? many.Select(value => (part.Name, Value: value)) : [(part.Name, Text(part.Value!))])
            .Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value)}").ToList();
        return given.Count == 0 ? path : $"{path}?{string.Join('&', given)}";
    }

    private static string Text(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        DateTimeOffset time => time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture),
        Enum word => JsonNamingPolicy.CamelCase.ConvertName(word.ToString()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
