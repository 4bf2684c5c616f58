using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace TrainingService.Host.Tests.Events;

/// <summary>An event as a reader gets it.</summary>
public sealed record Told(string Type, string Id, string Data)
{
    public JsonElement Json => JsonDocument.Parse(Data).RootElement;

    public string Status => Json.GetProperty("status").GetString()!;
}

public static class EventReader
{
    /// <summary>What is told after this event, until the stream ends.</summary>
    public static async IAsyncEnumerable<Told> ReadAsync(this HttpClient http, string path, string? after = null)
    {
        using var response = await http.OpenAsync(path, after);
        await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(TestContext.Current.CancellationToken))
            yield return new(item.EventType, item.EventId ?? "", item.Data);
    }

    public static async Task<IReadOnlyList<Told>> ReadAllAsync(this HttpClient http, string path, string? after = null)
    {
        var all = new List<Told>();
        await foreach (var told in http.ReadAsync(path, after))
            all.Add(told);
        return all;
    }

    /// <summary>The answer as soon as it begins.</summary>
    public static async Task<HttpResponseMessage> OpenAsync(this HttpClient http, string path, string? after = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        if (after is not null)
            request.Headers.Add("Last-Event-ID", after);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        return response;
    }

    public static string Events(this Guid job) => $"/api/v1/jobs/{job}/events";

    /// <summary>All rows of metrics that are stored, as events have them, in the order in which they are told.</summary>
    public static async Task<IReadOnlyList<string>> StoredRowsAsync(this HttpClient http, Guid job)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/jobs/{job}/metrics", UriKind.Relative));
        request.Headers.Accept.Add(new("application/x-ndjson"));
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var lines = (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.OrderBy(line => line.Contains("\"test\"", StringComparison.Ordinal))];
    }

    public static IEnumerable<string> Rows(this IEnumerable<Told> events) =>
        events.Where(told => told.Type == "metrics").Select(told => told.Data);
}
