using System.Diagnostics;
using System.Net.Sockets;
using Npgsql;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Uploads;

namespace TrainingService.Host.Tests.Faults;

/// <summary>An API on a Postgres of its own, with a network between them that can fail.</summary>
public sealed class ApiBehindProxy(Service service) : IAsyncLifetime
{
    private PostgresServer? _postgres;
    private FaultyProxy? _proxy;
    private HostProcess? _api;

    public PostgresServer Postgres => _postgres!;
    public FaultyProxy Proxy => _proxy!;
    public HttpClient Http => service.Present(_api).Http;
    public string Log => _api!.Log;

    /// <summary>Straight to the server.</summary>
    public string Database { get; private set; } = "";

    /// <summary>A job that stays queued.</summary>
    public Guid Job { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (service.IsMissing)
            return;
        _postgres = await PostgresServer.StartPrivateAsync();
        Database = await _postgres.CreateDatabaseAsync();
        await HostProcess.MigrateAsync(Database);
        _proxy = new(Database);
        _api = await HostProcess.StartAsync("api", _proxy.ConnectionString);
        Job = await Http.SubmitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_api is not null)
            await _api.DisposeAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }
}

/// <summary>What the API answers while its database fails in one way or another, and once it is back.</summary>
[Trait("Category", "Slow")]
public sealed class DatabaseFaultTests(ApiBehindProxy api) : IClassFixture<ApiBehindProxy>, IDisposable
{
    private const string Body = """{"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}}""";

    /// <summary>Five seconds are promised; without that promise it would be fifteen or thirty.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Http { get; } = api.Http;

    /// <summary>Reads, writes and health.</summary>
    private (string Method, string Path, string? Body)[] Requests =>
    [
        ("GET", "/api/v1/jobs", null), ("GET", $"/api/v1/jobs/{api.Job}", null), ("GET", $"/api/v1/jobs/{api.Job}/metrics", null),
        ("GET", "/api/v1/sweeps", null), ("GET", "/api/v1/datasets", null), ("GET", "/api/v1/models", null),
        ("POST", "/api/v1/jobs", Body), ("POST", $"/api/v1/jobs/{api.Job}/cancel", null), ("DELETE", $"/api/v1/jobs/{api.Job}", null),
        ("POST", "/api/v1/sweeps", $$"""{"base": {{Body}}, "arms": [{"name": "a"}], "seedCount": 2}"""),
        ("GET", "/health/ready", null), ("GET", "/hangfire", null),
    ];

    /// <summary>A test that failed leaves the network as it should be.</summary>
    public void Dispose() => api.Proxy.Mode = ProxyMode.Forward;

    [Fact]
    public async Task While_the_network_is_silent_all_ends_with_503_and_goes_on_once_it_speaks()
    {
        api.Proxy.Mode = ProxyMode.BlackHole;
        // at once, by connections that wait in the pool, and again by those that don't come about
        await AllAreUnavailableAsync();
        await AllAreUnavailableAsync();
        Assert.Equal(200, (await Http.GetAnswer("/health/live")).Status);
        Assert.Equal(200, (await Http.GetAnswer("/api/v1/activations")).Status);
        api.Proxy.Mode = ProxyMode.Forward;
        await RecoversAsync();
    }

    /// <summary>To stop a statement holds a thread for as long as the network is silent, or Postgres is not yet known to be lost.</summary>
    [Fact]
    public async Task Callers_who_leave_while_the_network_is_silent_hold_up_nobody()
    {
        const string List = "/api/v1/jobs?limit=1";
        int Losses() => api.Log.Split("Postgres does not answer").Length;
        for (var tries = 0; ; tries++)
        {
            // a connection for each of those who leave
            await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Http.GetAnswer(List)));
            var losses = Losses();
            api.Proxy.Mode = ProxyMode.BlackHole;
            using (var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(200)))
                await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Assert.ThrowsAnyAsync<OperationCanceledException>(
                    () => Http.GetAsync(new Uri(List, UriKind.Relative), leaving.Token))));
            await Task.Delay(200, Cancellation);
            var inTime = Losses() == losses;
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Http.GetAnswer("/health/live")));
            var isLost = Losses() > losses;
            api.Proxy.Mode = ProxyMode.Forward;
            await RecoversAsync();
            Assert.All(answers, answer => Assert.Equal(200, answer.Status));
            if (inTime)
            {
                Assert.False(isLost, "Those who ask for nothing of Postgres were answered only once it was given up.");
                return;
            }
            Assert.True(tries < 5, "This machine is too slow for its two seconds.");
        }
    }

    [Fact]
    public async Task A_statement_that_waits_when_the_network_falls_silent_is_given_up()
    {
        await using var hold = await ConnectAsync();
        await ExecuteAsync(hold, "BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE");
        var waiting = Requests.Take(3).Concat(Requests.Skip(6).Take(3)).Select(AskAsync).ToArray();
        await WaitAsync("SELECT count(*) >= 6 FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass");
        api.Proxy.Mode = ProxyMode.BlackHole;
        await MustBeUnavailable(waiting);
        api.Proxy.Mode = ProxyMode.Forward;
        await ExecuteAsync(hold, "ROLLBACK");
        await RecoversAsync();
    }

    /// <summary>More rows than what lies between the database and the client holds.</summary>
    [Theory]
    [InlineData("text/csv")]
    [InlineData("application/x-ndjson")]
    public async Task A_long_answer_that_is_under_way_when_the_network_falls_silent_is_broken_off(string mediaType)
    {
        await using (var test = await ConnectAsync())
            await ExecuteAsync(test, $"""
                INSERT INTO job_metrics (job_id, step, split, epoch, loss, accuracy, gradient_norm)
                SELECT '{api.Job}', n, 0, 0, random(), random(), random() FROM generate_series(1, 200000) n ON CONFLICT DO NOTHING
                """);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                // what it has room for is not asked for again
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1 << 16 };
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var http = new HttpClient(handler) { BaseAddress = Http.BaseAddress };
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"/api/v1/jobs/{api.Job}/metrics", UriKind.Relative));
        request.Headers.Accept.Add(new(mediaType));
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal(200, (int)answer.StatusCode);
        await using var body = await answer.Content.ReadAsStreamAsync(Cancellation);
        await body.ReadExactlyAsync(new byte[1000], Cancellation);
        api.Proxy.Mode = ProxyMode.BlackHole;
        var took = Stopwatch.StartNew();
        var rest = body.CopyToAsync(Stream.Null, Cancellation);
        Assert.True(await Task.WhenAny(rest, Task.Delay(4 * Soon, Cancellation)) == rest, "The answer hangs.");
        await Assert.ThrowsAnyAsync<IOException>(() => rest);
        Assert.True(took.Elapsed < Soon, $"It took {took.Elapsed}.");
        api.Proxy.Mode = ProxyMode.Forward;
        await RecoversAsync();
    }

    [Fact]
    public async Task Of_an_upload_that_is_being_stored_when_the_network_falls_silent_nothing_is()
    {
        await using var hold = await ConnectAsync();
        await ExecuteAsync(hold, "BEGIN; LOCK TABLE dataset_chunks IN EXCLUSIVE MODE");
        var took = Stopwatch.StartNew();
        var sent = UploadAsync();
        await WaitAsync("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'dataset_chunks'::regclass");
        api.Proxy.Mode = ProxyMode.BlackHole;
        Assert.True(await Task.WhenAny(sent, Task.Delay(4 * Soon, Cancellation)) == sent, "The upload hangs.");
        MustBeUnavailable((await sent, took.Elapsed, "POST /api/v1/datasets"));
        api.Proxy.Mode = ProxyMode.Forward;
        await ExecuteAsync(hold, "ROLLBACK");
        await RecoversAsync();
        await WaitAsync("SELECT count(*) = 0 FROM pg_locks WHERE relation = 'dataset_chunks'::regclass");
        await WaitAsync("SELECT (SELECT count(*) FROM dataset_contents) + (SELECT count(*) FROM dataset_chunks) = 0");
        Assert.Equal(404, (await Http.GetAnswer("/api/v1/datasets/cut")).Status);
        var again = await UploadAsync();
        Assert.True(again.Status == 201, again.Text);
        using var deleted = await Http.DeleteAsync(new Uri("/api/v1/datasets/cut", UriKind.Relative), Cancellation);
        Assert.True(deleted.IsSuccessStatusCode);

        Task<Answer> UploadAsync() =>
            Http.Upload("/api/v1/datasets", UploadClient.Flowers(300), ("name", "cut"), ("target", "kind"));
    }

    [Fact]
    public async Task While_connections_are_reset_all_ends_with_503()
    {
        api.Proxy.Mode = ProxyMode.Drop;
        await AllAreUnavailableAsync();
        api.Proxy.Mode = ProxyMode.Forward;
        await RecoversAsync();
    }

    [Fact]
    public async Task While_Postgres_restarts_all_ends_with_503_and_what_was_accepted_is_kept()
    {
        await RecoversAsync();
        var before = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Http.PostJob(Body)));
        await api.Postgres.StopAsync();
        await AllAreUnavailableAsync();
        await api.Postgres.StartAgainAsync();
        await RecoversAsync();
        foreach (var job in before.Where(answer => answer.Status == 202))
            Assert.Equal(200, (await Http.GetAnswer($"/api/v1/jobs/{job.Id}")).Status);
    }

    [Fact]
    public async Task No_request_pays_for_a_backend_that_ended()
    {
        await RecoversAsync();
        for (var round = 0; round < 3; round++)
        {
            // all that the pool can hold
            await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Http.GetAnswer("/api/v1/jobs?limit=1")));
            await using (var test = await ConnectAsync())
                await ExecuteAsync(test, """
                    SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
                    """);
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => i % 2 == 0
                ? Http.GetAnswer("/api/v1/jobs?limit=1") : Http.PostJob(Body)));
            Assert.All(answers, answer => Assert.True(answer.Status is 200 or 202, answer.Text));
        }
    }

    [Fact]
    public async Task A_read_only_server_answers_reads_and_tells_that_it_is_read_only()
    {
        await SetAsync("default_transaction_read_only = on", "SELECT current_setting('default_transaction_read_only') = 'on'");
        try
        {
            // as after a failover, when what was open is closed
            await WaitForReadinessAsync(503, "read-only");
            Assert.Equal(200, (await Http.GetAnswer("/api/v1/jobs?limit=1")).Status);
            var post = await AskAsync(("POST", "/api/v1/jobs", Body));
            MustBeUnavailable(post);
            Assert.Contains("read-only", post.Answer["detail"].GetString(), StringComparison.Ordinal);
            MustBeUnavailable(await AskAsync(("POST", $"/api/v1/jobs/{api.Job}/cancel", null)));
        }
        finally
        {
            await SetAsync("default_transaction_read_only = off", "SELECT current_setting('default_transaction_read_only') = 'off'");
        }
        await RecoversAsync();
    }

    [Fact]
    public async Task A_full_disk_is_503_and_makes_the_service_not_ready()
    {
        await using var test = await ConnectAsync();
        await ExecuteAsync(test, """
            CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$;
            CREATE TRIGGER fill BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION fill();
            """);
        var post = await AskAsync(("POST", "/api/v1/jobs", Body));
        MustBeUnavailable(post);
        Assert.Contains("full", post.Answer["detail"].GetString(), StringComparison.Ordinal);
        await WaitForReadinessAsync(503, "full");
        Assert.Equal(200, (await Http.GetAnswer("/api/v1/jobs?limit=1")).Status);
        await ExecuteAsync(test, "DROP TRIGGER fill ON jobs; DROP FUNCTION fill");
        await RecoversAsync();
    }

    [Fact]
    public async Task Without_a_connection_left_all_ends_with_503()
    {
        await using var test = await ConnectAsync();
        await ExecuteAsync(test, """
            CREATE ROLE few LOGIN CONNECTION LIMIT 3;
            DO $$ BEGIN EXECUTE format('GRANT ALL ON DATABASE %I TO few', current_database()); END $$;
            GRANT ALL ON SCHEMA public, hangfire TO few; GRANT ALL ON ALL TABLES IN SCHEMA public, hangfire TO few;
            """);
        await using var host = await HostProcess.StartAsync("api",
            new NpgsqlConnectionStringBuilder(api.Database) { Username = "few" }.ConnectionString);
        await ExecuteAsync(test, "ALTER ROLE few CONNECTION LIMIT 0");
        await ExecuteAsync(test, """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'few' AND query NOT LIKE '%clock_timestamp%'
            """);
        foreach (var request in Requests.SkipLast(1))
            MustBeUnavailable(await AskAsync(host.Http, request));
        await ExecuteAsync(test, "ALTER ROLE few CONNECTION LIMIT 30");
        for (var limit = Stopwatch.StartNew(); ; await Task.Delay(50, Cancellation))
        {
            if (await AskAsync(host.Http, ("POST", "/api/v1/jobs", Body)) is { Answer.Status: 202 })
                break;
            Assert.True(limit.Elapsed < Soon, host.Log);
        }
    }

    private static async Task MustBeUnavailable(IEnumerable<Task<(Answer Answer, TimeSpan Took, string Request)>> asked)
    {
        var all = asked.ToArray();
        await Task.WhenAll(all).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Multiple([.. all.Select(each => (Action)(() => MustBeUnavailable(each.GetAwaiter().GetResult())))]);
    }

    private static void MustBeUnavailable((Answer Answer, TimeSpan Took, string Request) asked)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{asked.Took.TotalSeconds:F2} s {asked.Answer.Status} {asked.Request}");
        Assert.True(asked.Answer.Status == 503, $"{asked.Request}: {asked.Answer.Status} {asked.Answer.Text}");
        asked.Answer.MustBeProblem(503, "unavailable");
        Assert.NotNull(asked.Answer.Headers.RetryAfter);
        Assert.True(asked.Took < Soon, $"{asked.Request} took {asked.Took}");
    }

    private Task<(Answer Answer, TimeSpan Took, string Request)> AskAsync((string Method, string Path, string? Body) request) =>
        AskAsync(Http, request);

    private static async Task<(Answer Answer, TimeSpan Took, string Request)> AskAsync(HttpClient http,
        (string Method, string Path, string? Body) request)
    {
        var took = Stopwatch.StartNew();
        var sent = http.Send(request.Method, request.Path, request.Body);
        var name = $"{request.Method} {request.Path}";
        Assert.True(await Task.WhenAny(sent, Task.Delay(4 * Soon, Cancellation)) == sent, $"{name} hangs");
        return (await sent, took.Elapsed, name);
    }

    private async Task AllAreUnavailableAsync()
    {
        await MustBeUnavailable(Requests.Select(AskAsync));
    }

    /// <summary>Three seconds are promised.</summary>
    private async Task RecoversAsync()
    {
        var took = Stopwatch.StartNew();
        while ((await Http.GetAnswer("/health/ready")).Status != 200 || (await Http.PostJob(Body)).Status != 202)
        {
            Assert.True(took.Elapsed < Soon, api.Log);
            await Task.Delay(50, Cancellation);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"back after {took.Elapsed.TotalSeconds:F2} s");
        // and not by chance
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Http.GetAnswer("/api/v1/jobs?limit=1"))),
            answer => Assert.Equal(200, answer.Status));
    }

    private async Task WaitForReadinessAsync(int status, string word)
    {
        for (var limit = Stopwatch.StartNew(); ; await Task.Delay(50, Cancellation))
        {
            var answer = await Http.GetAnswer("/health/ready");
            if (answer.Status == status && answer.Text.Contains(word, StringComparison.Ordinal))
                return;
            Assert.True(limit.Elapsed < Soon, answer.Text);
        }
    }

    private async Task SetAsync(string setting, string holds)
    {
        // neither in a transaction nor by one that may not write
        await using var test = await ConnectAsync("-c default_transaction_read_only=off");
        await ExecuteAsync(test, $"ALTER SYSTEM SET {setting}");
        await ExecuteAsync(test, "SELECT pg_reload_conf()");
        await WaitAsync(holds);
        await ExecuteAsync(test, """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            """);
    }

    private async Task<NpgsqlConnection> ConnectAsync(string? options = null)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(api.Database) { Pooling = false, Options = options }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task WaitAsync(string sql)
    {
        for (var limit = Stopwatch.StartNew(); ; await Task.Delay(20, Cancellation))
        {
            await using var test = await ConnectAsync();
            await using var command = new NpgsqlCommand(sql, test);
            if (await command.ExecuteScalarAsync(Cancellation) is true)
                return;
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(1), sql);
        }
    }
}
