using System.Text.Json;
using Spectre.Console;
using TrainingService.Host.Access;

namespace TrainingService.Host.Hosting;

/// <summary>
/// Trains a sample network through the public HTTP API and shows what came of it: the first thing a new user sees.
/// Knows no more than a client does.
/// </summary>
internal sealed class Demo(DemoClient client, Uri service, IAnsiConsole console)
{
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

    /// <param name="service">Where it is.</param>
    /// <param name="own">A file of one's own and its target; null for the sample.</param>
    public static async Task<int> Run(Uri service, (string File, string Target)? own = null)
    {
        using var http = new HttpClient
        {
            BaseAddress = service,
            Timeout = own is null ? TimeSpan.FromSeconds(10)
            : Timeout.InfiniteTimeSpan
        };
        if (Environment.GetEnvironmentVariable(AccessSettings.AdminKey) is { Length: > 0 } key)
            http.DefaultRequestHeaders.Add(KeyAuthentication.Header, key);
        // deploy/run.sh leaves us no input, which says nothing about who sees the output.
        var console =
            AnsiConsole.Create(new() { Interactive = Console.IsOutputRedirected ? InteractionSupport.No : InteractionSupport.Yes });
        try
        {
            var there = new DemoClient(http);
            return own is { } given ? await new OwnDataDemo(there, service, console, given.File, given.Target).Run()
                : await new Demo(there, service, console).Run();
        }
        catch (Exception e) when (e is DemoException or HttpRequestException or OperationCanceledException or JsonException or IOException)
        {
            await Console.Error.WriteLineAsync($"{(own is null ? "The sample" : own.Value.File)} did not get through on {service}: "
                + $"{e.Message}");
            return 1;
        }
    }

    private async Task<int> Run()
    {
        await client.UntilReady();
        var (job, location) = await client.Post<DemoJob>("/api/v1/jobs", Sample);
        job = await Follow(job, location);
        if (job is not { Status: "succeeded", Result: { } result })
            throw new DemoException(
                $"job {job.Id} ended as {job.Status}{(job.Error is { } error ? $" ({error.Code}): {error.Message}" : "")}");
        DemoReport.Write(console, result, (await client.Get<DemoLayers>($"{location}/layers")).Layers);
        Addresses(location);
        return 0;
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
            job = await client.Get<DemoJob>(location);
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
            ("Pages", "/"), ("The job, to look at", location.Replace("/api/v1", "", StringComparison.Ordinal)), ("The job", location),
            ("Its layers", $"{location}/layers"), ("Swagger UI", "/swagger"), ("Hangfire dashboard", "/hangfire"),
        })
            plain.WriteLine($"{name,-20}{new Uri(service, path)}");
    }
}
