using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Faults;

/// <summary>A disk that is full for real.</summary>
[Trait("Category", "Slow")]
public sealed class FullDiskTests(Service service)
{
    private const string Body = """{"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}, "priority": "low"}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_it_is_full_nothing_is_accepted_or_half_stored_and_what_runs_goes_on_once_there_is_room()
    {
        _ = service.Postgres;
        if (!PostgresServer.MayMount())
            Assert.Skip("Only root, where mounting is allowed, can make a disk that is small.");
        await using var server = await PostgresServer.StartPrivateAsync(diskMb: 128);
        var database = await server.CreateDatabaseAsync();
        await HostProcess.MigrateAsync(database);
        await using var host = await HostProcess.StartAsync("all", database, new Dictionary<string, string?>
        {
            ["TRAINING_WORKERS"] = "1",
            ["TRAINING_LEASE_SECONDS"] = "4",
        });
        var running = await host.Http.SubmitAsync(Client.Hours, everySteps: 1);
        await host.Http.WaitForStepAsync(running);
        await using var db = Service.Context(database);
        // A log that could not go on would stop Postgres itself: this leaves it 16 MB.
        await db.Database.ExecuteSqlRawAsync("SELECT pg_switch_wal(); CREATE TABLE room (); CHECKPOINT", Cancellation);
        await server.FillDiskAsync();

        var (accepted, refused, key) = (0, (Answer?)null, "");
        for (; refused is null; accepted += refused is null ? 1 : 0)
        {
            key = $"{Guid.NewGuid():N}";
            var answer = await host.Http.PostJob(Body, ("Idempotency-Key", key));
            refused = answer.Status == 202 ? null : answer;
        }
        MustBeFull(refused);
        MustBeFull(await host.Http.PostSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 200}"""));
        await UntilAsync(async () => await host.Http.GetAnswer("/health/ready") is { Status: 503 } ready
            && ready.Text.Contains("full", StringComparison.Ordinal));
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs?limit=1")).Status);
        await UntilAsync(() => Task.FromResult(host.Log.Contains("could not be written", StringComparison.Ordinal)));
        Assert.Equal((0, 1 + accepted, accepted), (await db.Sweeps.CountAsync(Cancellation), await db.Jobs.CountAsync(Cancellation),
            await db.IdempotencyKeys.CountAsync(Cancellation)));

        var step = (await host.Http.GetJobAsync(running)).Step();
        server.FreeDisk();
        await UntilAsync(async () => (await host.Http.PostJob(Body, ("Idempotency-Key", key))).Status == 202);
        await UntilAsync(async () => (await host.Http.GetAnswer("/health/ready")).Status == 200);
        Assert.Equal(2 + accepted, await db.Jobs.CountAsync(Cancellation));
        var job = await host.Http.WaitForAsync(running, job => job.Step() > step);
        Assert.Equal(("running", 1), (job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.True(await db.Layers.AnyAsync(row => row.JobId == running && row.Step > step, Cancellation));
    }

    private static void MustBeFull(Answer answer)
    {
        answer.MustBeProblem(503, "unavailable");
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.Contains("full", answer["detail"].GetString(), StringComparison.Ordinal);
    }

    /// <summary>The limit only ends a broken test.</summary>
    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var limit = Stopwatch.StartNew(); !await holds(); await Task.Delay(50, Cancellation))
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(1));
    }
}
