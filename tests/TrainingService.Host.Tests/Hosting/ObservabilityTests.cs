using System.Globalization;
using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Hosting;

/// <summary>What a service exports of itself.</summary>
public sealed partial class ObservabilityTests(Service service) : IAsyncLifetime
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Caller = "b7ad6b7169203331";

    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task A_trace_leads_from_the_callers_through_the_queue_to_the_epochs()
    {
        await using var collector = await Collector.StartAsync();
        await using var api = await HostProcess.StartAsync("api", _database, collector.Environment);
        await using var worker = await HostProcess.StartAsync("worker", _database, collector.Environment);
        await api.Http.PostJob("""{"dataset": "iris", "model": {"hiddenLayers": [8]}, "training": {"epochs": 3}}""",
            ("traceparent", $"00-{Trace}-{Caller}-01"));
        await UntilAsync(() => Spans("epoch").Count == 3 && Spans("run").Count == 1 && Spans("POST /api/v1/jobs/").Count == 1, worker);
        var request = Assert.Single(Spans("POST /api/v1/jobs/"));
        Assert.Equal(Caller, request.Parent);
        Assert.Equal(request.Id, Assert.Single(Spans("queue")).Parent);
        var run = Assert.Single(Spans("run"));
        Assert.Equal(request.Id, run.Parent);
        Assert.All(Spans("epoch"), epoch => Assert.Equal(run.Id, epoch.Parent));

        // of a sweep's cells the request is known, too
        await api.Http.PostSweep($$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""",
            ("traceparent", $"00-{Trace}-{Caller}-01"));
        await UntilAsync(() => Spans("run").Count == 5 && Spans("POST /api/v1/sweeps/").Count == 1, worker);
        var sweep = Assert.Single(Spans("POST /api/v1/sweeps/"));
        Assert.Equal(4, Spans("run").Count(cell => cell.Parent == sweep.Id));
        Assert.Equal(3, Spans("epoch").Count);
        await UntilAsync(() => collector.Metrics.ContainsKey("training.run.duration"), worker);
        Assert.DoesNotContain(collector.Spans, span => span.Name.Contains("/health", StringComparison.Ordinal));

        List<Span> Spans(string name) => [.. collector.Spans.Where(span => span.Trace == Trace && span.Name == name)];
    }

    [Fact]
    public async Task Prometheus_is_told_what_waits_runs_and_ended()
    {
        await using var api = await HostProcess.StartAsync("api", _database);
        await using var worker = await HostProcess.StartAsync("worker", _database,
            new Dictionary<string, string?> { ["TRAINING_WORKERS"] = "1" });
        await api.Http.WaitForEndAsync(await api.Http.SubmitAsync());
        await api.Http.WaitForStartAsync(await api.Http.SubmitAsync(Client.Hours));
        for (var more = 0; more < 3; more++)
            await api.Http.SubmitAsync();
        var metrics = await ReadAsync(api.Http);
        Assert.Equal(3, metrics["""training_jobs_queued{priority="normal"}"""]);
        Assert.Equal(1, metrics["""training_jobs_running{priority="normal"}"""]);
        Assert.Equal((0, 1), (metrics["""training_jobs_queued{priority="high"}"""], metrics["training_database_up"]));
        Assert.InRange(metrics["""training_queue_oldest_seconds{priority="normal"}"""], 0.0001, 60);
        Assert.True(metrics.Keys.Any(name => name.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal)
            && name.Contains("/api/v1/jobs", StringComparison.Ordinal)), string.Join('\n', metrics.Keys));
        Assert.DoesNotContain(metrics.Keys, name => name.Contains("/health", StringComparison.Ordinal));
        Assert.Contains(metrics.Keys, name => name.StartsWith("db_client_connection_count{", StringComparison.Ordinal)
            && name.Contains("\"training\"", StringComparison.Ordinal));
        var trained = await ReadAsync(worker.Http);
        Assert.Equal(1, trained["""training_run_duration_seconds_count{status="succeeded"}"""]);
        Assert.InRange(trained["training_samples_total"], 1000, 1e12);
        Assert.InRange(trained["training_writer_lag_seconds"], 0, 60);
    }

    /// <summary>Each would cost more than what an idle service does, and hide those that mean something.</summary>
    [Fact]
    public async Task Nobody_throws_while_nothing_is_done()
    {
        await using var host = await HostProcess.StartAsync("all", _database);
        var before = await ThrownAsync();
        await Task.Delay(TimeSpan.FromSeconds(3.5), Cancellation);
        Assert.Equal(before, await ThrownAsync());

        async Task<double> ThrownAsync() => (await ReadAsync(host.Http))
            .Where(each => each.Key.StartsWith("dotnet_exceptions_total{", StringComparison.Ordinal)
                && (each.Key.Contains("Npgsql", StringComparison.Ordinal) || each.Key.Contains("Socket", StringComparison.Ordinal)))
            .Sum(each => each.Value);
    }

    /// <summary>Values by their names and labels, as Prometheus would read them.</summary>
    public static async Task<Dictionary<string, double>> ReadAsync(HttpClient http)
    {
        var text = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancellation);
        return Scope().Replace(text, "").Replace(",}", "}", StringComparison.Ordinal).Replace("{}", "", StringComparison.Ordinal)
            .Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => (Name: line[..line.LastIndexOf(' ')], Line: line))
            .GroupBy(each => each.Name, each => each.Line[each.Name.Length..])
            .ToDictionary(same => same.Key, same => double.Parse(same.Last(), CultureInfo.InvariantCulture));
    }

    private static async Task UntilAsync(Func<bool> there, HostProcess host)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(60); !there(); await Task.Delay(20, Cancellation))
            Assert.True(DateTime.UtcNow < limit, host.Log);
    }

    [GeneratedRegex("""otel_scope_\w+="[^"]*",?""")]
    private static partial Regex Scope();
}
