using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Worker;

public sealed class RunTests(Service service)
{
    [Fact]
    public async Task A_job_runs_from_post_to_result_with_its_metrics_in_the_tables()
    {
        var id = await service.Http.SubmitAsync(epochs: 3, everySteps: 10);
        var job = await service.Http.WaitForEndAsync(id);
        Assert.Equal(("succeeded", 1), (job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.Equal(1, job.GetProperty("progress").GetProperty("fraction").GetDouble());
        Assert.Equal(64, job.GetProperty("result").GetProperty("weightsSha256").GetString()!.Length);

        var steps = job.GetProperty("progress").GetProperty("steps").GetInt64();
        await using var db = service.NewDbContext();
        var measured = await db.Layers.Where(r => r.JobId == id && r.Layer == 2).OrderBy(r => r.Step)
            .Select(r => r.Step).ToListAsync(TestContext.Current.CancellationToken);
        var expected = Enumerable.Range(0, (int)steps).Where(s => s % 10 == 0).Select(s => (long)s).Append(steps);
        Assert.Equal(expected, measured);
        Assert.True(await db.Metrics.AnyAsync(m => m.JobId == id && m.Step == steps, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_queued_row_that_the_queue_has_lost_is_found_and_run()
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync();
        Assert.Equal("succeeded", (await service.Http.WaitForEndAsync(id)).Status());
    }

    [Fact]
    public async Task A_running_job_stops_in_mid_epoch_when_it_is_canceled_and_keeps_its_metrics()
    {
        var id = await service.Http.SubmitAsync(Client.Hours);
        await service.Http.WaitForStepAsync(id);
        using var answer = await service.Http.PostAsync(new Uri($"/api/v1/jobs/{id}/cancel", UriKind.Relative),
            null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var job = await service.Http.WaitForEndAsync(id);
        Assert.Equal(("canceled", JsonValueKind.Null), (job.Status(), job.GetProperty("result").ValueKind));
        await using var db = service.NewDbContext();
        Assert.True(await db.Layers.AnyAsync(r => r.JobId == id, TestContext.Current.CancellationToken));
        Assert.Null((await db.Jobs.SingleAsync(j => j.Id == id, TestContext.Current.CancellationToken)).LeaseOwner);
    }

    [Fact]
    public async Task A_running_job_whose_wake_up_is_deleted_on_the_dashboard_stops_and_is_canceled()
    {
        var storage = new PostgreSqlStorage(new NpgsqlConnectionFactory(service.ConnectionString, new()),
            new() { PrepareSchemaIfNecessary = false });
        // one that another test's wake-up came upon first is tried anew
        for (string? wakeUp = null; wakeUp is null;)
        {
            var id = await service.Http.SubmitAsync(Client.Hours);
            await service.Http.WaitForStepAsync(id);
            wakeUp = storage.GetMonitoringApi().ProcessingJobs(0, 1000).SingleOrDefault(job => job.Value.Job.Args[0] is Guid of && of == id)
                .Key;
            if (wakeUp is not null)
                Assert.True(new BackgroundJobClient(storage).Delete(wakeUp));
            else
                await service.Http.PostAsync(new Uri($"/api/v1/jobs/{id}/cancel", UriKind.Relative), null,
                    TestContext.Current.CancellationToken);
            var job = await service.Http.WaitForEndAsync(id);
            Assert.Equal(("canceled", null), (job.Status(), job.ErrorCode()));
        }
    }

    [Fact]
    public async Task A_job_that_takes_longer_than_its_timeout_fails_and_keeps_its_metrics()
    {
        // on a machine that is busy enough any time may pass before the first measurement
        for (var (seconds, measured) = (1, 0); measured == 0; seconds *= 2)
        {
            var id = await service.Http.SubmitAsync(Client.Hours, timeoutSeconds: seconds);
            var job = await service.Http.WaitForEndAsync(id);
            Assert.Equal(("failed", "timeout"), (job.Status(), job.ErrorCode()));
            var metrics = await service.Http.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{id}/metrics",
                TestContext.Current.CancellationToken);
            measured = metrics.GetProperty("series").GetArrayLength();
            Assert.InRange(seconds, 1, 64);
        }
    }

    [Fact]
    public async Task A_job_that_diverges_fails_and_keeps_its_result_and_metrics()
    {
        var id = await service.Http.SubmitAsync(epochs: 5, everySteps: 1, learningRate: 1e30);
        var job = await service.Http.WaitForEndAsync(id);
        Assert.Equal(("failed", "diverged"), (job.Status(), job.ErrorCode()));
        Assert.NotEqual(JsonValueKind.Null, job.GetProperty("result").GetProperty("divergence").ValueKind);
        var layers = await service.Http.GetStringAsync($"/api/v1/jobs/{id}/layers", TestContext.Current.CancellationToken);
        Assert.Contains("\"weightRms\":[[0,", layers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_whose_data_set_is_gone_fails_with_a_sentence()
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync(dataset: "gone");
        var job = await service.Http.WaitForEndAsync(id);
        Assert.Equal(("failed", "dataset_unavailable"), (job.Status(), job.ErrorCode()));
        var message = job.GetProperty("error").GetProperty("message").GetString();
        Assert.Contains("gone", message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
    }
}
