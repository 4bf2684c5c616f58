using System.Text.Json;
using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Hosting;

/// <summary>What the log says of a job, from its POST to its end, and of a sweep.</summary>
public sealed partial class LogTests(Service service) : IAsyncLifetime
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Traceparent = $"00-{Trace}-b7ad6b7169203331-01";

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Each_event_is_an_object_with_its_time_job_sweep_and_trace()
    {
        await using var host = await HostProcess.StartAsync("all", _database,
            new Dictionary<string, string?> { ["TRAINING_LOG_FORMAT"] = "json" });
        var job = (await host.Http.PostJob("""{"name": "secret name", "dataset": "iris", "model": {"hiddenLayers": [8]}}""",
            ("traceparent", Traceparent))).Id;
        await host.Http.WaitForEndAsync(Guid.Parse(job));
        var sweep = (await host.Http.PostSweep(
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 20}""", ("traceparent", Traceparent))).Id;
        await host.Http.WaitForSweepEnd(sweep);
        (await host.Http.GetAnswer("/api/v1/jobs/nothing%0Ahere?a=secret")).MustBeProblem(404, "not-found");
        await host.TerminateAsync();

        var lines = host.Log.Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(lines, line => Assert.True(line.GetProperty("time").TryGetDateTimeOffset(out _)));
        var ofJob = lines.Where(line => Text(line, "job") == job).ToList();
        Assert.Equal(["Jobs.WakeUps", "Worker.JobRunner", "Worker.JobRunner"], ofJob.Select(line => Text(line, "category")));
        Assert.Equal("succeeded", Text(ofJob[2], "status"));
        var ofSweep = lines.Where(line => Text(line, "sweep") == sweep).ToList();
        Assert.All(ofJob.Concat(ofSweep), line => Assert.Equal((Trace, "info"), (Text(line, "trace"), Text(line, "level"))));
        // many runs, few lines
        Assert.InRange(ofSweep.Count, 3, 20);
        Assert.Equal(40, ofSweep.Sum(line => line.TryGetProperty("succeeded", out var runs) ? runs.GetInt32() : 0)
            + ofSweep.Count(line => Text(line, "status") == "succeeded"));
        Assert.Contains(lines, line => Text(line, "problem") == "not-found" && line.GetProperty("status").GetInt32() == 404);
        Assert.DoesNotContain("secret", host.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_people_it_is_a_line_each_too()
    {
        await using var host = await HostProcess.StartAsync("all", _database);
        await host.Http.PostJob("""{"dataset": "iris", "timeoutSeconds": 0}""", ("traceparent", Traceparent));
        await host.Http.GetAnswer("/api/v1/jobs/nothing%0Ahere");
        var id = await host.Http.SubmitAsync();
        await host.Http.WaitForEndAsync(id);
        await host.TerminateAsync();
        Assert.All(host.Log.Split('\n'), line => Assert.Matches(Line(), line));
        Assert.Contains(host.Log.Split('\n'), line =>
            line.Contains("POST /api/v1/jobs is refused: 400 validation.", StringComparison.Ordinal)
            && line.EndsWith($" trace={Trace}", StringComparison.Ordinal));
        Assert.Contains("GET /api/v1/jobs/nothing%0Ahere is refused", host.Log, StringComparison.Ordinal);
        Assert.Contains($"Job {id}, attempt 1, is succeeded", host.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_format_is_refused_at_the_start() => RoleTests.AssertRefused("TRAINING_LOG_FORMAT must be text or json",
        await HostProcess.RunAsync(["--role", "worker"], new Dictionary<string, string?>
        {
            ["ConnectionStrings__Training"] = _database,
            ["TRAINING_LOG_FORMAT"] = "xml",
        }));

    private static string? Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info |warn |error) [\w.]+: .+$")]
    private static partial Regex Line();
}
