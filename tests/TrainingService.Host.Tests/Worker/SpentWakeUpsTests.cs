using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>What becomes of entries in Hangfire's queue whose jobs no longer wait.</summary>
public sealed class SpentWakeUpsTests(Service service) : IAsyncLifetime
{
    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task They_go_at_once_with_all_that_is_theirs_and_those_of_jobs_that_wait_stay()
    {
        await using var api = await HostProcess.StartAsync("api", _database);
        var waits = await api.Http.SubmitAsync();
        for (var i = 0; i < 3; i++)
            await api.Http.PostJob("""{"dataset": "iris", "labels": {"is": "spent"}}""");
        await api.Http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 3}""");
        await using var db = Service.Context(_database);
        async Task<List<string>> EntriesAsync() => await db.Database.SqlQuery<string>($"""
            SELECT queue || coalesce(wake.arguments ->> 0, '') AS "Value"
            FROM hangfire.jobqueue entry LEFT JOIN hangfire.job wake ON wake.id = entry.jobid
            """).ToListAsync(Cancellation);
        for (var limit = DateTime.UtcNow.AddMinutes(1); (await EntriesAsync()).Count < 5; await Task.Delay(20, Cancellation))
            Assert.True(DateTime.UtcNow < limit);
        Assert.Equal(3, (await api.Http.Send("POST", "/api/v1/jobs/bulk",
            """{"filter": {"label": ["is=spent"]}, "action": "cancel"}"""))["changed"].GetInt32());

        Assert.Equal(3, await SpentWakeUps.DropAsync(new LeaseTests.Factory(_database), Cancellation));
        var left = await EntriesAsync();
        Assert.Equal(2, left.Count);
        Assert.Contains($"normal\"{waits}\"", left);
        Assert.Contains(left, entry => entry.StartsWith("low", StringComparison.Ordinal));
        Assert.Equal([2, 2], await db.Database.SqlQuery<int>($"""
            SELECT count(*)::int AS "Value" FROM hangfire.job UNION ALL SELECT count(*)::int FROM hangfire.state
            """).ToListAsync(Cancellation));
    }
}
