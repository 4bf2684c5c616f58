using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Npgsql;
using TrainingService.Host.Access;
using TrainingService.Host.Events;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Events;

/// <summary>Processes die, readers are many or stall, and Postgres goes away, while a job is told.</summary>
public sealed class EventFaultTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length";

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    /// <summary>The first process trains, too: what it has measured and not stored is measured again by the second.</summary>
    [Fact, Trait("Category", "Slow")]
    public async Task When_the_process_is_killed_another_one_goes_on_without_gap_or_repetition()
    {
        var environment = new Dictionary<string, string?> { ["TRAINING_LEASE_SECONDS"] = "2" };
        var events = new List<Told>();
        Guid id;
        await using (var first = await HostProcess.StartAsync("all", _database, environment))
        {
            id = await first.Http.SubmitAsync(Client.Hours, everySteps: 10);
            try
            {
                await foreach (var told in first.Http.ReadAsync(id.Events()))
                {
                    events.Add(told);
                    if (events.Count == 300)
                        await first.KillAsync();
                }
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                // cut off
            }
        }
        var told1 = events.Count;
        await using var second = await HostProcess.StartAsync("all", _database, environment);
        await foreach (var told in second.Http.ReadAsync(id.Events(), events[^1].Id))
        {
            events.Add(told);
            if (events.Count == told1 + 300)
                Assert.Equal(202, (await second.Http.Send("POST", $"/api/v1/jobs/{id}/cancel")).Status);
        }
        Assert.Equal(await second.Http.StoredRowsAsync(id), events.Rows());
        Assert.Equal(events.Count, events.Select(told => told.Id).Distinct().Count());
        var findings = events.Where(told => told.Type == "finding").ToList();
        Assert.Equal(findings.Count, findings.Select(told => told.Data).Distinct().Count());
        Assert.Equal((string[])["0 queued", "1 running"], Statuses(events).Take(2));
        Assert.Equal("2 canceled", Statuses(events).Last());
    }

    [Fact]
    public async Task Two_hundred_readers_cost_Postgres_what_one_costs()
    {
        await using var host = await HostProcess.StartAsync("api", _database);
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(change: job => (job.Status, job.Attempt, job.StartedAt) =
            (JobStatus.Running, 1, DateTimeOffset.UtcNow));
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1000 }) { BaseAddress = host.Http.BaseAddress };
        var readers = Enumerable.Range(0, 200).Select(_ => http.ReadAllAsync(id.Events())).ToList();
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        var before = await TransactionsAsync(connection);
        for (var step = 1; step <= 20; step++)
        {
            await ExecuteAsync(connection, $"""
                INSERT INTO job_metrics (job_id, step, split, epoch, loss) VALUES ('{id}', {step}, 0, 0, 0.5);
                UPDATE jobs SET step = {step} WHERE id = '{id}'
                """);
            await Task.Delay(120, TestContext.Current.CancellationToken);
        }
        await ExecuteAsync(connection, $"UPDATE jobs SET status = 'succeeded', finished_at = now() WHERE id = '{id}'");
        var all = await Task.WhenAll(readers);
        Assert.All(all, events => Assert.Equal(20, events.Rows().Distinct().Count()));
        Assert.All(all, events => Assert.Equal("done", events[^1].Type));
        // a look by each reader as it comes, and then by all together
        Assert.InRange(await TransactionsAsync(connection) - before, 1, 600);
    }

    [Fact, Trait("Category", "Slow")]
    public async Task A_reader_that_stalls_costs_no_memory_and_misses_nothing()
    {
        const int Steps = 8_000, Stalled = 200;
        await using var host = await HostProcess.StartAsync("api", _database);
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(change: job => (job.Status, job.Attempt, job.StartedAt) =
            (JobStatus.Running, 1, DateTimeOffset.UtcNow));
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync(connection, "INSERT INTO job_metrics (job_id, step, split, epoch, loss, accuracy, learning_rate) "
            + $"SELECT '{id}', step, 0, step / 100.0, 1.0 / step, 0.5, 0.05 FROM generate_series(1, {Steps}) step");
        var stalled = new List<Socket>();
        for (var i = 0; i < Stalled; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = i == 0 ? 65_536 : 4096 };
            await socket.ConnectAsync(host.Http.BaseAddress!.Host, host.Http.BaseAddress.Port, TestContext.Current.CancellationToken);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {id.Events()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
                TestContext.Current.CancellationToken);
            stalled.Add(socket);
        }
        var before = Memory(host.Id);
        var reader = host.Http.ReadAllAsync(id.Events());
        await Task.Delay(500, TestContext.Current.CancellationToken);
        await ExecuteAsync(connection, $"UPDATE jobs SET status = 'succeeded', finished_at = now() WHERE id = '{id}'");
        var rows = (await reader).Rows().ToList();
        Assert.Equal(Steps, rows.Count);
        Assert.Equal(Enumerable.Range(1, Steps), rows.Select(row => JsonDocument.Parse(row).RootElement.GetProperty("step").GetInt32()));
        // all of it, for each of them, would be some 275 MB
        Assert.InRange(Memory(host.Id) - before, long.MinValue, 150_000_000);

        // what the one that stalled read no further than this, it reads now
        using var late = new StreamReader(new NetworkStream(stalled[0], ownsSocket: true));
        var steps = new List<int>();
        while (await late.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && line != "event: done")
            if (line.StartsWith("data: {\"step\":", StringComparison.Ordinal) && line.Contains("\"split\"", StringComparison.Ordinal))
                steps.Add(int.Parse(line["data: {\"step\":".Length..].Split(',')[0], CultureInfo.InvariantCulture));
        Assert.Equal(Enumerable.Range(1, Steps), steps);
        stalled.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task A_stream_lives_as_long_as_its_key_and_its_process_and_there_are_so_many()
    {
        await using var host = await HostProcess.StartAsync("api", _database, new Dictionary<string, string?>
        {
            [AccessSettings.AdminKey] = AdminKey,
            [EventStreams.HeartbeatSetting] = "1",
            [EventStreams.MostSetting] = "9",
        });
        var admin = ("X-Api-Key", AdminKey);
        var id = Guid.Parse((await host.Http.PostJob("""{"dataset": "digits"}""", admin)).Id);
        var made = await host.Http.Send("POST", "/api/v1/keys", """{"name": "page", "owner": "admin", "scopes": ["read"]}""", admin);
        var key = ("X-Api-Key", made["key"].GetString()!);
        using var first = await host.Http.OpenAsync(id.Events(), null, key);
        using var second = await host.Http.OpenAsync(id.Events(), null, admin);
        using var third = await host.Http.OpenAsync(id.Events(), null, admin);
        var refused = await host.Http.GetAnswer(id.Events(), admin);
        refused.MustBeProblem(429, "too-many");
        Assert.Contains(EventStreams.MostSetting, refused["detail"].GetString(), StringComparison.Ordinal);

        using var opened = new StreamReader(await first.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        using var stays = new StreamReader(await second.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Equal(204, (await host.Http.Send("DELETE", $"/api/v1/keys/{made.Id}", null, admin)).Status);
        await opened.ReadToEndAsync(TestContext.Current.CancellationToken);
        await UntilAsync(stays, line => line == ":");
        var ended = stays.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await host.TerminateAsync());
        await ended;
    }

    [Fact]
    public async Task While_Postgres_is_away_the_stream_stays_and_goes_on_afterwards()
    {
        await using var proxy = new FaultyProxy(_database);
        await using var host = await HostProcess.StartAsync("api", proxy.ConnectionString,
            new Dictionary<string, string?> { [EventStreams.HeartbeatSetting] = "1" });
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(change: job => (job.Status, job.Attempt, job.StartedAt) =
            (JobStatus.Running, 1, DateTimeOffset.UtcNow));
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        using var response = await host.Http.OpenAsync(id.Events());
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        await UntilAsync(reader, line => line == "event: progress");
        proxy.Mode = ProxyMode.Drop;
        await ExecuteAsync(connection, $"UPDATE jobs SET step = 1 WHERE id = '{id}'");
        await UntilAsync(reader, line => line == ":");
        Assert.Equal(503, (await host.Http.GetAnswer($"/api/v1/jobs/{id}")).Status);
        proxy.Mode = ProxyMode.Forward;
        await UntilAsync(reader, line => line.StartsWith("data: {\"epoch\":0,\"epochs\":1,\"step\":1,", StringComparison.Ordinal));
        await ExecuteAsync(connection, $"UPDATE jobs SET status = 'failed', error_code = 'timeout', finished_at = now() WHERE id = '{id}'");
        await UntilAsync(reader, line => line == "event: done");
    }

    private static async Task UntilAsync(StreamReader reader, Func<string, bool> isIt)
    {
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            if (isIt(line))
                return;
        Assert.Fail("The stream ended.");
    }

    private static IEnumerable<string> Statuses(IEnumerable<Told> events) =>
        events.Where(told => told.Type == "status").Select(told => $"{told.Json.GetProperty("attempt")} {told.Status}");

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<long> TransactionsAsync(NpgsqlConnection connection)
    {
        // what the others did is told within a second
        await Task.Delay(1100, TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()", connection);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    /// <summary>Resident, in bytes.</summary>
    private static long Memory(int process) => Environment.SystemPageSize
        * long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture);
}
