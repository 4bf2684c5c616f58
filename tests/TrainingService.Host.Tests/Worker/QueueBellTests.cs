using System.Globalization;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>How workers hear of what other processes put into the queue.</summary>
public sealed class QueueBellTests(Service service)
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    /// <summary>By itself the worker would look again in an hour.</summary>
    [Theory]
    [InlineData("normal")]
    [InlineData("b-normal")]
    public async Task A_worker_looks_when_another_process_rings_and_serves_queues_of_earlier_versions(string queue)
    {
        var database = await service.CreateMigratedDatabaseAsync();
        await using (var source = NpgsqlDataSource.Create(database))
        {
            var options = new PostgreSqlStorageOptions { PrepareSchemaIfNecessary = false, QueuePollInterval = TimeSpan.FromHours(1) };
            var storage = new PostgreSqlStorage(new NpgsqlConnectionFactory(database, options), options);
            using var bell = new QueueBell(source, storage, new(1, 1, TimeSpan.FromSeconds(30)), NullLogger<QueueBell>.Instance);
            await bell.StartAsync(_cancellation);
            await WaitUntilItListensAsync(source);
            var fetched = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            var worker = new Thread(() => fetched.SetResult(Fetch(storage))) { IsBackground = true };
            worker.Start();
            // it has looked in vain
            while (!worker.ThreadState.HasFlag(ThreadState.WaitSleepJoin))
                await Task.Delay(100, _cancellation);

            await using var enqueue = source.CreateCommand($$"""
                WITH made AS (INSERT INTO hangfire.job (invocationdata, arguments, createdat) VALUES ('{}', '[]', now()) RETURNING id)
                INSERT INTO hangfire.jobqueue (jobid, queue) SELECT id, '{{queue}}' FROM made RETURNING jobid
                """);
            var id = Convert.ToString(await enqueue.ExecuteScalarAsync(_cancellation), CultureInfo.InvariantCulture);
            QueueBell.Ring(source);
            Assert.Equal(id, await fetched.Task.WaitAsync(TimeSpan.FromMinutes(1), _cancellation));
            await bell.StopAsync(_cancellation);
        }
        NpgsqlConnection.ClearAllPools();
        await service.Postgres.DropDatabaseAsync(database);
    }

    private string Fetch(PostgreSqlStorage storage)
    {
        using var connection = storage.GetConnection();
        using var job = connection.FetchNextJob(Waker.Served, _cancellation);
        return job.JobId;
    }

    private async Task WaitUntilItListensAsync(NpgsqlDataSource source)
    {
        await using var query = source.CreateCommand(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle')");
        while (await query.ExecuteScalarAsync(_cancellation) is not true)
            await Task.Delay(10, _cancellation);
    }
}
