using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>What tests of sweeps do over HTTP, in a line each.</summary>
public static class SweepClient
{
    public const string Root = "/api/v1/sweeps";

    /// <summary>A job of a few milliseconds.</summary>
    public const string Tiny = """{"dataset": "iris", "model": {"hiddenLayers": [8]}, "training": {"epochs": 2}}""";

    /// <summary>A job that ends only if it is stopped.</summary>
    public const string Endless = """{"dataset": "digits", "model": {"hiddenLayers": [256, 256]}, "training": {"epochs": 100000}}""";

    public const string ReluAndTanh =
        """[{"name": "relu", "patch": {"model": {"activation": "relu"}}}, {"name": "tanh", "patch": {"model": {"activation": "tanh"}}}]""";

    public static Task<Answer> PostSweep(this HttpClient http, string json, params (string Name, string Value)[] headers) =>
        http.Send("POST", Root, json, headers);

    /// <summary>Submits a sweep that is accepted; answers its id.</summary>
    public static async Task<string> SubmitSweep(this HttpClient http, string json)
    {
        var answer = await http.PostSweep(json);
        Assert.True(answer.Status == 202, answer.Text);
        return answer.Id;
    }

    public static Task<Answer> GetSweep(this HttpClient http, string id) => http.GetAnswer($"{Root}/{id}");

    public static async Task<JsonElement> GetReport(this HttpClient http, string id)
    {
        var answer = await http.GetAnswer($"{Root}/{id}/report");
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Json;
    }

    /// <summary>Waits for what is sure to come; the limit only ends a broken test.</summary>
    public static async Task<JsonElement> WaitForSweep(this HttpClient http, string id, Func<JsonElement, bool> state)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(3); ; await Task.Delay(25))
        {
            var sweep = (await http.GetSweep(id)).Json;
            if (state(sweep))
                return sweep;
            if (DateTime.UtcNow > limit)
                throw new TimeoutException($"Waited in vain; the sweep is {sweep}");
        }
    }

    public static Task<JsonElement> WaitForSweepEnd(this HttpClient http, string id) =>
        http.WaitForSweep(id, sweep => sweep.GetProperty("finishedAt").ValueKind != JsonValueKind.Null);

    public static async Task<IReadOnlyList<JsonElement>> SweepJobs(this HttpClient http, string id, string query = "") =>
        [.. (await http.GetAnswer($"{Root}/{id}/jobs?limit=500&fields=spec{query}"))["items"].EnumerateArray()];

    public static int Count(this JsonElement sweep, string status) => sweep.GetProperty("counts").GetProperty(status).GetInt32();

    public static int Int(this JsonElement item, string property) => item.GetProperty(property).GetInt32();

    public static string Text(this JsonElement item, string property) => item.GetProperty(property).GetString()!;

    public static IReadOnlyList<JsonElement> List(this JsonElement item, string property) =>
        [.. item.GetProperty(property).EnumerateArray()];
}
