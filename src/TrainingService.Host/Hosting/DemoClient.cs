using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TrainingService.Host.Hosting;

/// <summary>Talks to a service as any client does.</summary>
internal sealed class DemoClient(HttpClient http)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // "NaN" and "Infinity" arrive as strings.
    private static readonly JsonSerializerOptions JsonOptions =
        new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public async Task UntilReady()
    {
        var waited = Stopwatch.StartNew();
        for (; ; await Task.Delay(100))
        {
            var answer = "no connection";
            try
            {
                using var response = await http.GetAsync("/health/ready");
                if (response.IsSuccessStatusCode)
                    return;
                answer = $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
            }
            catch (HttpRequestException) { }
            if (waited.Elapsed > Patience)
                throw new DemoException($"not ready after {Patience.TotalSeconds:0} seconds ({answer})");
        }
    }

    public async Task<T> Get<T>(string path)
    {
        using var response = await http.GetAsync(path);
        return response.IsSuccessStatusCode ? await Read<T>(response) : throw await Refused(response);
    }

    /// <summary>Null where there is none.</summary>
    public async Task<T?> Find<T>(string path) where T : class
    {
        using var response = await http.GetAsync(path);
        return response.StatusCode == HttpStatusCode.NotFound ? null
            : response.IsSuccessStatusCode ? await Read<T>(response) : throw await Refused(response);
    }

    public async Task<(T Answer, string? Location)> Send<T>(HttpMethod method, string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await http.SendAsync(request);
        return response.IsSuccessStatusCode ? (await Read<T>(response), response.Headers.Location?.ToString())
            : throw await Refused(response);
    }

    public async Task<(T Answer, string Location)> Post<T>(string path, object body)
    {
        var (answer, location) = await Send<T>(HttpMethod.Post, path, JsonContent.Create(body));
        return (answer, location ?? throw new DemoException($"{path} answered without a Location"));
    }

    public async Task Download(string path, string file)
    {
        using var response = await http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        if (!response.IsSuccessStatusCode)
            throw await Refused(response);
        await using var target = File.Create(file);
        await response.Content.CopyToAsync(target);
    }

    private static async Task<T> Read<T>(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<T>(JsonOptions)
        ?? throw new DemoException($"{response.RequestMessage?.RequestUri} answered with nothing");

    private static async Task<DemoException> Refused(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        try
        {
            if (JsonSerializer.Deserialize<DemoProblem>(text, JsonOptions) is { Errors: { Count: > 0 } errors })
                return new(string.Join("; ", errors.Values.SelectMany(messages => messages)));
        }
        catch (JsonException) { }
        return new($"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath} answered "
            + $"{(int)response.StatusCode}: {text}");
    }

    private sealed record DemoProblem(IReadOnlyDictionary<string, string[]>? Errors);
}

/// <summary>Why the sample did not come through, in one sentence.</summary>
public sealed class DemoException(string message) : Exception(message);
