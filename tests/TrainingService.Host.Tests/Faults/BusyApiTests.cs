using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>Many requests at once.</summary>
[Trait("Category", "Slow")]
public sealed class BusyApiTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api), IClassFixture<ApiWithoutWorkers>
{
    private const string Body = """{"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}}""";

    [Fact]
    public async Task Jobs_are_accepted_while_the_queue_does_not_answer_and_get_into_it_later()
    {
        await using var test = await ConnectAsync();
        await ExecuteAsync(test, "BEGIN; LOCK TABLE hangfire.job IN EXCLUSIVE MODE");
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Http.PostJob(Body)));
        Assert.All(answers, answer => Assert.Equal(202, answer.Status));
        // The process answers all that time: nothing of it waits for the queue but what carries the wake-ups.
        Assert.Equal(200, (await Http.GetAnswer("/health/live")).Status);
        await WaitAsync(test, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'hangfire.job'::regclass");
        await ExecuteAsync(test, "ROLLBACK");
        await WaitAsync(test, "SELECT count(*) >= 96 FROM hangfire.jobqueue");
    }

    [Fact]
    public async Task They_leave_connections_for_the_workers()
    {
        const string Inserting = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client "
            + "backend' AND query LIKE 'INSERT INTO jobs%'";
        await using var hold = await ConnectAsync();
        await ExecuteAsync(hold, "BEGIN; LOCK TABLE jobs IN EXCLUSIVE MODE");
        // In a transaction Postgres would go on giving the sessions that there were when it was first asked for them.
        await using var test = await ConnectAsync();
        var answers = Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Http.PostJob(Body)));
        await WaitAsync(test, $"SELECT count(*) >= 30 {Inserting}");
        Assert.Equal(200, (await Http.GetAnswer("/health/live")).Status);
        await using (var count = new Npgsql.NpgsqlCommand($"SELECT count(*) {Inserting}", test))
            Assert.Equal(30L, await count.ExecuteScalarAsync(Cancellation));
        await ExecuteAsync(hold, "ROLLBACK");
        Assert.All(await answers, answer => Assert.Equal(202, answer.Status));
    }
}
