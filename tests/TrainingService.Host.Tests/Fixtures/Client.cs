using System.Net.Http.Json;
using System.Text.Json;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>What most tests do over HTTP, in a line each.</summary>
public static class Client
{
    /// <summary>About a second of training, more on a busy machine: long enough to interfere with.</summary>
    public const int Seconds = 60;

    /// <summary>Never ends by itself within a test.</summary>
    public const int Hours = 100_000;

    /// <summary>Submits a job that is accepted; answers its id. As short as can be unless it gets more epochs.</summary>
    public static async Task<Guid> SubmitAsync(this HttpClient http, int epochs = 1,
        int everySteps = 100, int timeoutSeconds = 3600, double learningRate = 0.05)
    {
        var width = epochs < Seconds ? 16 : 256;
        using var answer = await http.PostAsJsonAsync("/api/v1/jobs", new
        {
            dataset = new { name = "digits" },
            model = new { hiddenLayers = (int[])[width, width] },
            training = new { epochs, optimizer = new { name = "sgd", learningRate } },
            diagnostics = new { everySteps },
            timeoutSeconds,
        });
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == System.Net.HttpStatusCode.Accepted, body);
        return JsonSerializer.Deserialize<JsonElement>(body).GetProperty("id").GetGuid();
    }

    public static Task<JsonElement> GetJobAsync(this HttpClient http, Guid id) => http.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{id}");

    /// <summary>Waits for what is sure to come; the limit only ends a broken test.</summary>
    public static async Task<JsonElement> WaitForAsync(this HttpClient http, Guid id, Func<JsonElement, bool> state)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(3); ; await Task.Delay(20))
        {
            var job = await http.GetJobAsync(id);
            if (state(job))
                return job;
            if (DateTime.UtcNow > limit)
                throw new TimeoutException($"Waited in vain; the job is {job}");
        }
    }

    public static Task<JsonElement> WaitForEndAsync(this HttpClient http, Guid id) =>
        http.WaitForAsync(id, job => job.Status() is "succeeded" or "failed" or "canceled");

    public static Task<JsonElement> WaitForStartAsync(this HttpClient http, Guid id) =>
        http.WaitForAsync(id, job => job.Status() is not "queued");

    /// <summary>Waits until the job is in the middle of its training and has told so.</summary>
    public static Task<JsonElement> WaitForStepAsync(this HttpClient http, Guid id) =>
        http.WaitForAsync(id, job => job.Status() is not "queued" && job.GetProperty("progress").GetProperty("step").GetInt64() > 0);

    public static string Status(this JsonElement job) => job.GetProperty("status").GetString()!;

    public static long Step(this JsonElement job) => job.GetProperty("progress").GetProperty("step").GetInt64();

    public static string? ErrorCode(this JsonElement job) =>
        job.GetProperty("error") is { ValueKind: JsonValueKind.Object } error ? error.GetProperty("code").GetString() : null;
}
