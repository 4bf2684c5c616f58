using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>Processes die and the database goes away.</summary>
[Trait("Category", "Slow")]
public sealed class WorkerFaultTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api), IClassFixture<ApiWithoutWorkers>
{
    [Fact]
    public async Task When_a_worker_is_killed_another_finishes_its_job_and_no_metric_is_lost_or_doubled()
    {
        var undisturbed = await StartWorkerAsync(leaseSeconds: 2);
        var reference = await Http.SubmitAsync(Client.Seconds);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(reference)).Status());

        var id = await Http.SubmitAsync(Client.Seconds);
        await Http.WaitForStartAsync(id);
        await undisturbed.KillAsync();
        await StartWorkerAsync(leaseSeconds: 2);
        var job = await Http.WaitForEndAsync(id);
        Assert.Equal(("succeeded", 2), (job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.Equal(await CurvesAsync(reference), await CurvesAsync(id));
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_gives_its_job_back_at_once()
    {
        // A lease that no test would wait for: only the release can hand the job over.
        var first = await StartWorkerAsync(leaseSeconds: 3600);
        var id = await Http.SubmitAsync(Client.Seconds);
        await Http.WaitForStartAsync(id);
        var exitCode = await first.TerminateAsync();
        Assert.True(exitCode is 0 or 143, $"exit code {exitCode}");
        Assert.Equal("queued", (await Http.GetJobAsync(id)).Status());

        await StartWorkerAsync(leaseSeconds: 3600);
        var job = await Http.WaitForEndAsync(id);
        Assert.Equal(("succeeded", 2), (job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.Equal(0, (await ReadAsync(id)).Crashes);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_while_the_database_is_away_gives_its_job_back_once_it_is_there()
    {
        await using var network = NewNetwork();
        var worker = await StartWorkerAsync(leaseSeconds: 3600, network: network);
        var id = await Http.SubmitAsync(Client.Hours);
        await Http.WaitForStartAsync(id);
        network.Mode = ProxyMode.Drop;
        var end = worker.TerminateAsync();
        for (var limit = DateTime.UtcNow.AddSeconds(30); !worker.Log.Contains("its end could not be written", StringComparison.Ordinal);)
        {
            Assert.True(DateTime.UtcNow < limit, worker.Log);
            await Task.Delay(20, Cancellation);
        }
        network.Mode = ProxyMode.Forward;
        Assert.True(await end is 0 or 143);
        var job = await ReadAsync(id);
        Assert.Equal((JobStatus.Queued, 0), (job.Status, job.Crashes));
        await CancelAsync(id);
    }

    [Fact]
    public async Task A_job_that_kills_its_process_three_times_fails()
    {
        var id = await Http.SubmitAsync(Client.Hours);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var worker = await StartWorkerAsync(leaseSeconds: 2);
            await Http.WaitForAsync(id, job => job.GetProperty("attempt").GetInt32() == attempt && job.Status() == "running");
            await worker.KillAsync();
        }
        await StartWorkerAsync(leaseSeconds: 2);
        var job = await Http.WaitForEndAsync(id);
        Assert.Equal(("failed", "crash_loop", 3), (job.Status(), job.ErrorCode(), job.GetProperty("attempt").GetInt32()));
    }

    /// <summary>Twice before, and now: deaths count only where the job got no further.</summary>
    [Theory]
    [InlineData(true, "succeeded", null)]
    [InlineData(false, "failed", "crash_loop")]
    public async Task Deaths_between_which_a_job_got_further_are_no_loop(bool further, string status, string? error)
    {
        Guid id;
        await using (var db = NewDbContext())
        {
            id = await db.InsertJobAsync(change: job =>
            {
                (job.Status, job.Attempt, job.Crashes) = (JobStatus.Running, 3, 2);
                (job.LeaseOwner, job.StartedAt, job.LeaseUntil) =
                    ("dead", DateTimeOffset.UtcNow.AddMinutes(-2), DateTimeOffset.UtcNow.AddMinutes(-1));
            }, timeoutSeconds: 600);
            db.Checkpoints.Add(new()
            {
                JobId = id,
                Step = 3,
                Attempt = further ? 3 : 2,
                Rows = 1,
                EngineVersion = "",
                InstructionSet = "",
                CreatedAt = DateTimeOffset.UtcNow,
            });
            await db.SaveChangesAsync(Cancellation);
        }
        await StartWorkerAsync();
        var job = await Http.WaitForEndAsync(id);
        Assert.Equal((status, error), (job.Status(), job.ErrorCode()));
        var row = await ReadAsync(id);
        Assert.Equal(further ? 0 : 3, row.Crashes);
        // what the dead one ran counts towards the timeout
        Assert.InRange(row.RanSeconds, 50, 60);
    }

    [Fact]
    public async Task A_worker_that_slept_for_longer_than_its_lease_goes_on_with_its_own_job()
    {
        var worker = await StartWorkerAsync(leaseSeconds: 2);
        var id = await Http.SubmitAsync(Client.Hours);
        await Http.WaitForStepAsync(id);
        await worker.FreezeAsync();
        await using (var watch = await ConnectAsync())
            await WaitAsync(watch, $"SELECT lease_until < now() - interval '2 s' FROM jobs WHERE id = '{id}'");
        await worker.ThawAsync();
        await using (var watch = await ConnectAsync())
            await WaitAsync(watch, $"SELECT lease_until > now() FROM jobs WHERE id = '{id}'");
        var step = (await ReadAsync(id)).Step;
        await Http.WaitForAsync(id, job => job.Step() > step);
        var row = await ReadAsync(id);
        Assert.Equal((1, 0), (row.Attempt, row.Crashes));
        await CancelAsync(id);
        await Http.WaitForEndAsync(id);
    }

    [Fact]
    public async Task A_job_canceled_while_its_worker_dies_ends_canceled()
    {
        var worker = await StartWorkerAsync(leaseSeconds: 2);
        var id = await Http.SubmitAsync(Client.Hours);
        await Http.WaitForStepAsync(id);
        await worker.KillAsync();
        await CancelAsync(id);
        await StartWorkerAsync(leaseSeconds: 2);
        Assert.Equal("canceled", (await Http.WaitForEndAsync(id)).Status());
    }

    [Fact]
    public async Task A_job_canceled_in_the_queue_never_runs()
    {
        var id = await Http.SubmitAsync();
        await CancelAsync(id);
        var later = await Http.SubmitAsync();
        await StartWorkerAsync();
        await Http.WaitForEndAsync(later);
        var job = await Http.GetJobAsync(id);
        Assert.Equal(("canceled", 0), (job.Status(), job.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public async Task Jobs_of_two_workers_each_run_once()
    {
        await StartWorkerAsync();
        await StartWorkerAsync();
        var ids = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Http.SubmitAsync()));
        foreach (var id in ids)
            Assert.Equal(("succeeded", 1), ((await Http.WaitForEndAsync(id)).Status(), (await ReadAsync(id)).Attempt));
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
        while ((await host.Http.GetAnswer("/health/ready")).Status != 200)
            await Task.Delay(50, TestContext.Current.CancellationToken);

        var job = await host.Http.WaitForEndAsync(id);
        Assert.Equal("succeeded", job.Status());
        await using var db = Service.Context(database);
        var steps = await db.Layers.Where(r => r.JobId == id && r.Layer == 0).OrderBy(r => r.Step)
            .Select(r => r.Step).ToListAsync(TestContext.Current.CancellationToken);
        var last = job.GetProperty("progress").GetProperty("steps").GetInt64();
        Assert.Equal(Enumerable.Range(0, (int)last).Where(s => s % 100 == 0).Select(s => (long)s).Append(last), steps);
    }

    [Fact]
    public async Task Rows_that_wait_when_the_training_ends_with_the_disk_full_are_all_stored_and_the_log_stays_short()
    {
        await using var test = await ConnectAsync();
        await ExecuteAsync(test, """
            CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$;
            CREATE TRIGGER fill BEFORE INSERT ON job_layers FOR EACH ROW EXECUTE FUNCTION fill();
            """);
        var worker = await StartWorkerAsync();
        // Over 10,000 rows, what the writer takes at once, and fewer than would make the training wait for ever.
        var answer = await Http.PostJob("""
            {"dataset": "digits", "model": {"hiddenLayers": [8, 8]},
             "training": {"epochs": 160, "batchSize": 64}, "diagnostics": {"everySteps": 1, "evaluationRows": 64}}
            """);
        var id = Guid.Parse(answer.Id);
        for (var limit = DateTime.UtcNow.AddMinutes(2);
            !worker.Log.Contains("its end could not be written", StringComparison.Ordinal); await Task.Delay(100, Cancellation))
            Assert.True(DateTime.UtcNow < limit, worker.Log);
        await ExecuteAsync(test, "DROP TRIGGER fill ON job_layers; DROP FUNCTION fill");

        var job = await Http.WaitForEndAsync(id);
        await using var db = NewDbContext();
        var (metrics, layers) = (await db.Metrics.LongCountAsync(m => m.JobId == id, Cancellation),
            await db.Layers.LongCountAsync(l => l.JobId == id, Cancellation));
        Assert.Equal(("succeeded", metrics + layers), (job.Status(), job.GetProperty("result").GetProperty("storedRows").GetInt64()));
        Assert.Equal(3 * (job.GetProperty("progress").GetProperty("steps").GetInt64() + 1), layers);
        Assert.InRange(metrics + layers, 10_001, 20_000);
        Assert.InRange(worker.Log.Split('\n').Count(line => line.Contains("could not be written", StringComparison.Ordinal)), 1, 12);
        Assert.DoesNotContain("   at ", worker.Log, StringComparison.Ordinal);
    }

    private async Task<(string Metrics, string Layers)> CurvesAsync(Guid id) =>
        (await Http.GetStringAsync($"/api/v1/jobs/{id}/metrics?maxPoints=1000000"),
            await Http.GetStringAsync($"/api/v1/jobs/{id}/layers?maxPoints=1000000"));
}
