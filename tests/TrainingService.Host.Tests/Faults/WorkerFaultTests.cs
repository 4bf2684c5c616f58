using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>An API as a process of its own, on a database of its own; the tests add the workers.</summary>
public sealed class ApiWithoutWorkers(Service service) : IAsyncLifetime
{
    public string Database { get; private set; } = "";
    public HostProcess? Api { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (service.IsMissing)
            return;
        Database = await service.CreateMigratedDatabaseAsync();
        Api = await HostProcess.StartAsync("api", Database);
    }

    public async ValueTask DisposeAsync()
    {
        if (Api is null)
            return;
        await Api.DisposeAsync();
        await service.Postgres.DropDatabaseAsync(Database);
    }
}

/// <summary>Processes die and the database goes away.</summary>
[Trait("Category", "Slow")]
public sealed class WorkerFaultTests(Service service, ApiWithoutWorkers api) : IClassFixture<ApiWithoutWorkers>, IAsyncDisposable
{
    private readonly List<HostProcess> _workers = [];
    private readonly HttpClient _http = service.Present(api.Api).Http;

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result is TestResult.Failed)
            foreach (var worker in _workers)
                TestContext.Current.TestOutputHelper?.WriteLine(worker.Log);
        foreach (var worker in _workers)
            await worker.DisposeAsync();
    }

    [Fact]
    public async Task When_a_worker_is_killed_another_finishes_its_job_and_no_metric_is_lost_or_doubled()
    {
        var undisturbed = await StartWorkerAsync();
        var reference = await _http.SubmitAsync(Client.Seconds);
        Assert.Equal("succeeded", (await _http.WaitForEndAsync(reference)).Status());

        var id = await _http.SubmitAsync(Client.Seconds);
        await _http.WaitForStartAsync(id);
        await undisturbed.KillAsync();
        await StartWorkerAsync();
        var job = await _http.WaitForEndAsync(id);
        Assert.Equal(("succeeded", 2), (job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.Equal(await CurvesAsync(reference), await CurvesAsync(id));
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_gives_its_job_back_at_once()
    {
        // A lease that no test would wait for: only the release can hand the job over.
        var first = await StartWorkerAsync(leaseSeconds: 3600);
        var id = await _http.SubmitAsync(Client.Seconds);
        await _http.WaitForStartAsync(id);
        var exitCode = await first.TerminateAsync();
        Assert.True(exitCode is 0 or 143, $"exit code {exitCode}");
        Assert.Equal("queued", (await _http.GetJobAsync(id)).Status());

        await StartWorkerAsync(leaseSeconds: 3600);
        var job = await _http.WaitForEndAsync(id);
        Assert.Equal(("succeeded", 2), (job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.Equal(0, (await ReadAsync(id)).Crashes);
    }

    [Fact]
    public async Task A_job_that_kills_its_process_three_times_fails()
    {
        var id = await _http.SubmitAsync(Client.Hours);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var worker = await StartWorkerAsync();
            await _http.WaitForAsync(id, job => job.GetProperty("attempt").GetInt32() == attempt && job.Status() == "running");
            await worker.KillAsync();
        }
        await StartWorkerAsync();
        var job = await _http.WaitForEndAsync(id);
        Assert.Equal(("failed", "crash_loop", 3), (job.Status(), job.ErrorCode(), job.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public async Task A_job_canceled_while_its_worker_dies_ends_canceled()
    {
        var worker = await StartWorkerAsync();
        var id = await _http.SubmitAsync(Client.Hours);
        await _http.WaitForStepAsync(id);
        await worker.KillAsync();
        await CancelAsync(id);
        await StartWorkerAsync();
        Assert.Equal("canceled", (await _http.WaitForEndAsync(id)).Status());
    }

    [Fact]
    public async Task A_job_canceled_in_the_queue_never_runs()
    {
        var id = await _http.SubmitAsync();
        await CancelAsync(id);
        var later = await _http.SubmitAsync();
        await StartWorkerAsync();
        await _http.WaitForEndAsync(later);
        var job = await _http.GetJobAsync(id);
        Assert.Equal(("canceled", 0), (job.Status(), job.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public async Task Jobs_of_two_workers_each_run_once()
    {
        await StartWorkerAsync();
        await StartWorkerAsync();
        var ids = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => _http.SubmitAsync()));
        foreach (var id in ids)
            Assert.Equal(("succeeded", 1), ((await _http.WaitForEndAsync(id)).Status(), (await ReadAsync(id)).Attempt));
    }

    [Fact]
    public async Task A_job_survives_a_restart_of_postgres()
    {
        await using var server = await PostgresServer.StartPrivateAsync();
        var database = await server.CreateDatabaseAsync();
        await HostProcess.MigrateAsync(database);
        await using var host = await HostProcess.StartAsync("all", database);
        var id = await host.Http.SubmitAsync(Client.Seconds);
        await host.Http.WaitForStartAsync(id);

        await server.StopAsync();
        using (var away = await host.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken))
            Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, away.StatusCode);
        await server.StartAgainAsync();

        var job = await host.Http.WaitForEndAsync(id);
        Assert.Equal("succeeded", job.Status());
        await using var db = Service.Context(database);
        var steps = await db.Layers.Where(r => r.JobId == id && r.Layer == 0).OrderBy(r => r.Step).Select(r => r.Step).ToListAsync(TestContext.Current.CancellationToken);
        var last = job.GetProperty("progress").GetProperty("steps").GetInt64();
        Assert.Equal(Enumerable.Range(0, (int)last).Where(s => s % 100 == 0).Select(s => (long)s).Append(last), steps);
    }

    private async Task<HostProcess> StartWorkerAsync(int leaseSeconds = 4)
    {
        var worker = await HostProcess.StartAsync("worker", api.Database, new Dictionary<string, string?> { ["TRAINING_LEASE_SECONDS"] = $"{leaseSeconds}" });
        _workers.Add(worker);
        return worker;
    }

    private async Task CancelAsync(Guid id)
    {
        using var answer = await _http.PostAsync(new Uri($"/api/v1/jobs/{id}/cancel", UriKind.Relative), null);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
    }

    private async Task<Job> ReadAsync(Guid id)
    {
        await using var db = Service.Context(api.Database);
        return await db.Jobs.SingleAsync(j => j.Id == id);
    }

    private async Task<(string Metrics, string Layers)> CurvesAsync(Guid id) =>
        (await _http.GetStringAsync($"/api/v1/jobs/{id}/metrics?maxPoints=1000000"), await _http.GetStringAsync($"/api/v1/jobs/{id}/layers?maxPoints=1000000"));
}
