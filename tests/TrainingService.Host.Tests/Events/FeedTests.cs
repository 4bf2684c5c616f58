using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Events;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Events;

public sealed class FeedTests(Service service) : IAsyncLifetime
{
    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    /// <summary>Whoever waits for an end waits for nothing else; of all that happens before, one look in so long is enough.</summary>
    [Theory]
    [InlineData("jobs")]
    [InlineData("sweeps")]
    public async Task What_has_ended_is_looked_at_at_once_and_what_has_changed_when_it_is_time(string table)
    {
        await using var source = NpgsqlDataSource.Create(_database);
        using var pulse = new DatabasePulse(source, new(_database), new(), NullLogger<DatabasePulse>.Instance);
        using var changes = new Changes(source, pulse, NullLogger<Changes>.Instance);
        var looks = 0;
        var feeds = new Feeds<string>(changes, (_, _, _) => Task.FromResult($"look {++looks}"), NullLogger.Instance, TimeSpan.FromHours(1));
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(change: job => (job.Status, job.Attempt) = (JobStatus.Running, 1));
        if (table == "sweeps")
            await ExecuteAsync($"""
                INSERT INTO sweeps (id, status, spec, extended, created_at)
                VALUES ('{id}', 'running', jsonb_build_object(), false, now())
                """);
        // as long as it hears nothing
        var unheard = changes.Interval;
        using var following = feeds.Follow(id, id);
        while (following.Now.Value is null || changes.Interval == unheard)
            await Task.Delay(10, TestContext.Current.CancellationToken);

        var next = following.Now.Next;
        await ExecuteAsync($"UPDATE {table} SET name = 'another' WHERE id = '{id}'");
        await ExecuteAsync($"UPDATE {table} SET status = 'succeeded', finished_at = now() WHERE id = '{id}'");
        await next.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.Equal("look 2", following.Now.Value);

        async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }
}
