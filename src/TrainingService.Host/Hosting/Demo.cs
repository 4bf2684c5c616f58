using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace TrainingService.Host.Hosting;

/// <summary>
/// Trains a sample network through the public HTTP API and shows what came of it: the first thing a new user sees.
/// Knows no more than a client does.
/// </summary>
public sealed class Demo(HttpClient http, Uri service, IAnsiConsole console)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // "NaN" and "Infinity" arrive as strings.
    private static readonly JsonSerializerOptions JsonOptions =
        new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private static readonly object Sample = new
    {
        name = "sample: digits, leaky ReLU, Kaiming",
        dataset = "digits",
        model = new { hiddenLayers = new[] { 512, 256 }, activation = "leaky_relu", initializer = "kaiming_normal", dropout = 0.3 },
        training = new
        {
            epochs = 100,
            batchSize = 32,
            seed = 1,
            optimizer = new { name = "sgd", learningRate = 0.02, momentum = 0.9, weightDecay = 1e-4 },
        },
        diagnostics = new { everySteps = 50 },
    };

    public static async Task<int> Run(Uri service)
    {
        using var http = new HttpClient { BaseAddress = service, Timeout = TimeSpan.FromSeconds(10) };
        // deploy/run.sh leaves us no input, which says nothing about who sees the output.
        var console =
            AnsiConsole.Create(new() { Interactive = Console.IsOutputRedirected ? InteractionSupport.No : InteractionSupport.Yes });
        try
        {
            return await new Demo(http, service, console).Run();
        }
        catch (Exception e) when (e is DemoException or HttpRequestException or OperationCanceledException or JsonException)
        {
            await Console.Error.WriteLineAsync($"The sample did not get through on {service}: {e.Message}");
            return 1;
        }
    }

    private async Task<int> Run()
    {
        await UntilReady();
        var (job, location) = await Submit();
        job = await Follow(job, location);
        if (job is not { Status: "succeeded", Result: { } result })
            throw new DemoException(
                $"job {job.Id} ended as {job.Status}{(job.Error is { } error ? $" ({error.Code}): {error.Message}" : "")}");
        DemoReport.Write(console, result, (await Get<DemoLayers>($"{location}/layers")).Layers);
        Addresses(location);
        return 0;
    }

    private async Task UntilReady()
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

    private async Task<(DemoJob Job, string Location)> Submit()
    {
        using var response = await http.PostAsJsonAsync("/api/v1/jobs", Sample);
        return response is { StatusCode: HttpStatusCode.Accepted, Headers.Location: { } location }
            ? (await Read<DemoJob>(response), location.ToString())
            : throw await Refused(response);
    }

    private Task<DemoJob> Follow(DemoJob job, string location) => console.Profile.Capabilities.Interactive
        ? console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("digits, leaky ReLU, Kaiming", maxValue: 1);
                return await Poll(job, location, now =>
                {
                    bar.Description = Markup.Escape(Describe(now));
                    bar.Value = now.Status == "succeeded" ? 1 : now.Progress?.Fraction ?? 0;
                });
            })
        : Poll(job, location, now => console.WriteLine(Describe(now)));

    private async Task<DemoJob> Poll(DemoJob job, string location, Action<DemoJob> show)
    {
        for (var shown = ""; ; await Task.Delay(200))
        {
            if (Describe(job) is var now && now != shown)
                show(job);
            shown = now;
            if (job.Status is "succeeded" or "failed" or "canceled")
                return job;
            job = await Get<DemoJob>(location);
        }
    }

    private static string Describe(DemoJob job) =>
        job is { Status: "running", Progress: { } progress }
            ? $"training digits: epoch {progress.Epoch} of {progress.Epochs}"
            : $"training digits: {job.Status}";

    private void Addresses(string location)
    {
        // Past the console, which would break a long line in two.
        var plain = console.Profile.Out.Writer;
        plain.WriteLine();
        foreach (var (name, path) in new[]
        {
            ("Swagger UI", "/swagger"), ("The job", location), ("Its layers", $"{location}/layers"), ("Hangfire dashboard", "/hangfire"),
        })
            plain.WriteLine($"{name,-20}{new Uri(service, path)}");
    }

    private async Task<T> Get<T>(string path)
    {
        using var response = await http.GetAsync(path);
        return response.IsSuccessStatusCode ? await Read<T>(response) : throw await Refused(response);
    }

    private static async Task<T> Read<T>(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<T>(JsonOptions)
        ?? throw new DemoException($"{response.RequestMessage?.RequestUri} answered with nothing");

    private static async Task<DemoException> Refused(HttpResponseMessage response) =>
        new($"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath} answered {(int)response.StatusCode}: "
            + $"{await response.Content.ReadAsStringAsync()}");
}

/// <summary>Why the sample did not come through, in one sentence.</summary>
public sealed class DemoException(string message) : Exception(message);
