using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>An answer, read to its end.</summary>
public sealed record Answer(int Status, string? MediaType, string Text, HttpResponseHeaders Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public JsonElement this[string property] => Json.GetProperty(property);

    public string Id => this["id"].GetString()!;

    public string? ETag => Headers.ETag?.ToString();

    /// <summary>Of a problem.</summary>
    public string Type => this["type"].GetString()!["urn:training-service:problem:".Length..];

    /// <summary>Of a problem: the first message at a place.</summary>
    public string Error(string pointer) => this["errors"].TryGetProperty(pointer, out var messages)
        ? messages[0].GetString()! : throw new InvalidOperationException($"No error at '{pointer}' in {Text}");

    public void MustBeProblem(int status, string type)
    {
        Assert.True(Status == status && MediaType == "application/problem+json" && Type == type, $"{Status} {MediaType} {Text}");
        Assert.Equal(status, this["status"].GetInt32());
        Assert.NotEmpty(this["traceId"].GetString()!);
        Assert.DoesNotContain("   at ", Text, StringComparison.Ordinal);
    }
}

public static class HttpClientExtensions
{
    public static Task<Answer> GetAnswer(this HttpClient http, string path, params (string Name, string Value)[] headers) =>
        http.Send("GET", path, null, headers);

    public static Task<Answer> PostJob(this HttpClient http, string json, params (string Name, string Value)[] headers) =>
        http.Send("POST", "/api/v1/jobs", json, headers);

    public static Task<Answer> Send(this HttpClient http, string method, string path,
        string? json = null, params (string Name, string Value)[] headers) =>
        http.Send(method, path, json is null ? null : Encoding.UTF8.GetBytes(json), "application/json", headers);

    public static async Task<Answer> Send(this HttpClient http, string method, string path, byte[]? body, string mediaType,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), new Uri(path, UriKind.Relative));
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        }
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        // of a stream of events, which may have no end, what comes first
        var text = response is { IsSuccessStatusCode: true, Content.Headers.ContentType.MediaType: "text/event-stream" }
            ? method == "HEAD" ? "" : await FirstEventAsync(response.Content)
            : await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, text, response.Headers);
    }

    private static async Task<string> FirstEventAsync(HttpContent content)
    {
        using var reader = new StreamReader(await content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        for (var text = new StringBuilder(); ; text.Append('\n'))
            if (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is not { } line
                || text.Append(line).ToString().Split('\n')[^1].StartsWith("data:", StringComparison.Ordinal))
                return text.ToString();
    }
}
