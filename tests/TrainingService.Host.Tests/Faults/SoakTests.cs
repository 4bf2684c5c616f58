using System.Globalization;
using Npgsql;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>Thousands of jobs, one after another: nothing but the jobs' own rows may grow.</summary>
[Trait("Category", "Soak")]
public sealed class SoakTests(Service service)
{
    private const int Rounds = 10, Jobs = 500, Clients = 8;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What is measured after a round.</summary>
    /// <param name="MemoryMb">Resident, of the process.</param>
    /// <param name="Connections">To the database.</param>
    /// <param name="Threads">Of the process.</param>
    /// <param name="Handles">Open files and sockets of the process.</param>
    /// <param name="JobRows">Rows of jobs and of what they measured.</param>
    /// <param name="JobKb">Size of those tables with their indexes.</param>
    /// <param name="QueueRows">Rows in the queue, its locks and servers.</param>
    private sealed record Figures(double MemoryMb, long Connections, int Threads, int Handles, long JobRows, double JobKb, long QueueRows);

    [Fact]
    public async Task After_5000_jobs_memory_connections_and_the_queue_are_as_after_1000()
    {
        var database = await service.CreateMigratedDatabaseAsync();
        await using var host = await HostProcess.StartAsync("all", database);
        var rounds = new List<Figures>();
        for (var round = 1; round <= Rounds; round++)
        {
            var began = DateTime.UtcNow;
            await Parallel.ForEachAsync(Enumerable.Range(0, Jobs),
                new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = Cancellation },
                async (_, _) => await host.Http.SubmitAsync());
            await using var connection = new NpgsqlConnection(
                new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(Cancellation);
            while (await AskAsync(connection, "SELECT count(*) FROM jobs WHERE status <> 'succeeded'") > 0)
                await Task.Delay(100, Cancellation);
            rounds.Add(await MeasureAsync(host, connection));
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{round * Jobs} jobs, {Jobs / (DateTime.UtcNow - began).TotalSeconds:F0} a second: {rounds[^1]}"));
        }
        var (early, late) = (rounds[1], rounds[^1]);
        Assert.InRange(late.MemoryMb, 0, 1.25 * early.MemoryMb);
        Assert.InRange(late.Connections, 0, 30);
        Assert.InRange(late.Threads, 0, early.Threads + 10);
        Assert.InRange(late.Handles, 0, early.Handles + 30);
        Assert.InRange(late.QueueRows, 0, 20);
        // as many rows a job, and each as large
        Assert.Equal((double)early.JobRows / (2 * Jobs), (double)late.JobRows / (Rounds * Jobs));
        Assert.InRange(late.JobKb / late.JobRows, 0, 1.1 * early.JobKb / early.JobRows);
        await service.Postgres.DropDatabaseAsync(database);
    }

    private static async Task<Figures> MeasureAsync(HostProcess host, NpgsqlConnection connection)
    {
        var status = await File.ReadAllLinesAsync($"/proc/{host.Id}/status", Cancellation);
        return new(Of("VmRSS:") / 1024.0,
            await AskAsync(connection, """
                SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                """),
            Of("Threads:"), Directory.GetFiles($"/proc/{host.Id}/fd").Length,
            await AskAsync(connection, """
                SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_metrics) + (SELECT count(*) FROM job_layers)
                    + (SELECT count(*) FROM job_units)
                """),
            await AskAsync(connection, """
                SELECT sum(pg_total_relation_size(name::regclass))::bigint
                FROM unnest(ARRAY['jobs', 'job_metrics', 'job_layers', 'job_units']) AS name
                """) / 1024.0,
            await AskAsync(connection, """
                SELECT (SELECT count(*) FROM hangfire.jobqueue) + (SELECT count(*) FROM hangfire.lock)
                    + (SELECT count(*) FROM hangfire.server)
                """));

        int Of(string name) => int.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..]
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }

    private static async Task<long> AskAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation) is long count ? count : throw new InvalidOperationException(sql);
    }
}
