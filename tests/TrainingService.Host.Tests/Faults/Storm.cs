using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Npgsql;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>
/// An API and three workers, each started again whenever it ends, as a container is, behind a network that fails, on a Postgres that
/// restarts; while clients submit jobs, something happens every two to four seconds.
/// </summary>
/// <param name="server">Whose cluster is stopped and started.</param>
/// <param name="database">Of which one database is used, migrated.</param>
/// <param name="seed">Of all that happens: what, when, to whom.</param>
/// <param name="tell">Hears of it.</param>
public sealed class Storm(PostgresServer server, string database, int seed, Action<string> tell) : IAsyncDisposable
{
    private const int LeaseSeconds = 4;
    private const int Workers = 3;

    private readonly FaultyProxy _network = new(database);
    private readonly Random _random = new(seed);
    private readonly CancellationTokenSource _over = new();
    private readonly int _port = PostgresServer.FreePort();
    private readonly List<Kept> _kept = [];
    private readonly List<Task> _effects = [];
    private readonly Dictionary<Guid, int> _deaths = [];
    private HttpClient? _http;

    /// <summary>How often a worker was killed, or frozen, that held a job: the third time may make a <c>crash_loop</c> of it.</summary>
    public IReadOnlyDictionary<Guid, int> Deaths => _deaths;

    /// <summary>Of the API, whichever process that is.</summary>
    public HttpClient Http => _http ??= new()
    {
        BaseAddress = new($"http://127.0.0.1:{_port}"),
        Timeout = TimeSpan.FromSeconds(20),
    };

    private string Database => new NpgsqlConnectionStringBuilder(_network.ConnectionString) { Timeout = 5 }.ConnectionString;

    /// <summary>Blows for so long, and then leaves all that runs running.</summary>
    /// <param name="time">For how long.</param>
    /// <param name="longestFreeze">Seconds for which a process may be stopped.</param>
    public async Task BlowAsync(TimeSpan time, int longestFreeze)
    {
        _kept.Add(new("api", Database, new() { ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_port}" }, tell, _over.Token));
        for (var worker = 0; worker < Workers; worker++)
            _kept.Add(new("worker", Database, new() { ["TRAINING_WORKERS"] = "1" }, tell, _over.Token));
        for (var end = DateTime.UtcNow + time; DateTime.UtcNow < end;)
        {
            await Task.Delay(_random.Next(2000, 4000), TestContext.Current.CancellationToken);
            await StrikeAsync(longestFreeze);
        }
        await Task.WhenAll(_effects);
        _network.Mode = ProxyMode.Forward;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        foreach (var kept in _kept)
            await kept.DisposeAsync();
        _http?.Dispose();
        await _network.DisposeAsync();
        _over.Dispose();
    }

    private async Task StrikeAsync(int longestFreeze)
    {
        var (whom, what) = (_kept[_random.Next(_kept.Count)], _random.Next(12));
        switch (what)
        {
            case < 3:
                Say($"kill -9 {whom.Role}");
                await whom.ActAsync(async process =>
                {
                    await CountAsync(process);
                    await process.KillAsync();
                });
                break;
            case < 5:
                Say($"SIGTERM to {whom.Role}");
                await whom.ActAsync(process => process.SignalAsync("TERM"));
                break;
            case < 7:
                var seconds = _random.Next(Math.Min(5, longestFreeze), longestFreeze + 1);
                Say($"SIGSTOP of {whom.Role} for {seconds} s");
                var frozen = whom.Process;
                await whom.ActAsync(async process =>
                {
                    await CountAsync(process);
                    await process.FreezeAsync();
                });
                Later(seconds, () => whom.ActAsync(process => process == frozen ? process.ThawAsync() : Task.CompletedTask));
                break;
            case < 8:
                Say("Postgres stops at once and starts again");
                await server.StopAtOnceAsync();
                await server.StartAgainAsync();
                break;
            case < 10:
                Say("half of the sessions of Postgres are ended");
                await EndSessionsAsync();
                break;
            default:
                var mode = what == 10 ? ProxyMode.Drop : ProxyMode.BlackHole;
                var lasts = _random.Next(2) == 0 ? LeaseSeconds / 2 : LeaseSeconds * 2;
                Say($"the network is in mode {mode} for {lasts} s");
                _network.Mode = mode;
                await Task.Delay(TimeSpan.FromSeconds(lasts), TestContext.Current.CancellationToken);
                _network.Mode = ProxyMode.Forward;
                break;
        }
    }

    private void Later(int seconds, Func<Task> effect) => _effects.Add(Task.Run(async () =>
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await effect();
    }));

    private async Task CountAsync(HostProcess process)
    {
        await using var connection = await ConnectAsync();
        await using var held = new NpgsqlCommand("SELECT id FROM jobs WHERE finished_at IS NULL AND lease_owner LIKE @owner", connection);
        held.Parameters.AddWithValue("owner", $"%:{process.Id}:%");
        await using var jobs = await held.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        while (await jobs.ReadAsync(TestContext.Current.CancellationToken))
            _deaths[jobs.GetGuid(0)] = _deaths.GetValueOrDefault(jobs.GetGuid(0)) + 1;
    }

    /// <summary>Past the network that fails.</summary>
    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    private async Task EndSessionsAsync()
    {
        await using var connection = await ConnectAsync();
        await using var end = new NpgsqlCommand("""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % 2 = @half
            """, connection);
        end.Parameters.AddWithValue("half", _random.Next(2));
        await end.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private void Say(string what) => tell($"{DateTime.UtcNow:mm:ss.f} {what}");

    /// <summary>
    /// As a client does that means it: with a key, again and again until it has an answer that isn't the fault of the weather.
    /// </summary>
    /// <returns>The id of what was accepted.</returns>
    public async Task<Guid> SubmitAsync(string path, string json)
    {
        var key = $"{Guid.NewGuid():N}";
        while (true)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
                request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
                request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
                using var answer = await Http.SendAsync(request, TestContext.Current.CancellationToken);
                var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if ((int)answer.StatusCode == 202)
                    return JsonDocument.Parse(text).RootElement.GetProperty("id").GetGuid();
                // 409: the first request with this key is still under way
                Assert.True((int)answer.StatusCode is 503 or 409, $"{(int)answer.StatusCode} {text}\n{_kept[0].Process.Log}");
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException
                && !TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                // the API is being started again
            }
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A process that is started again whenever it ends.</summary>
    private sealed class Kept : IAsyncDisposable
    {
        private readonly SemaphoreSlim _turn = new(1);
        private readonly Task _keeping;

        private readonly Action<string> _tell;

        public Kept(string role, string database, Dictionary<string, string?> environment, Action<string> tell, CancellationToken over)
        {
            _tell = tell;
            environment["TRAINING_LEASE_SECONDS"] = $"{LeaseSeconds}";
            environment["TRAINING_CHECKPOINT_SECONDS"] = "1";
            Role = role;
            Process = HostProcess.Launch(role, database, environment);
            _keeping = Task.Run(async () =>
            {
                for (; !over.IsCancellationRequested; await Process.WaitForExitAsync())
                    await ActAsync(async process =>
                    {
                        if (!process.HasExited)
                            return;
                        TellOfTakeovers();
                        await process.DisposeAsync();
                        Process = HostProcess.Launch(role, database, environment);
                    });
            }, CancellationToken.None);
        }

        public string Role { get; }

        public HostProcess Process { get; private set; }

        /// <summary>Does something to it, while it isn't changed for another.</summary>
        public async Task ActAsync(Func<HostProcess, Task> act)
        {
            await _turn.WaitAsync();
            try
            {
                await act(Process);
            }
            finally
            {
                _turn.Release();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await ActAsync(process => process.KillAsync());
            await _keeping;
            TellOfTakeovers();
            await Process.DisposeAsync();
            _turn.Dispose();
        }

        /// <summary>By which a job that ends as a crash loop can be followed.</summary>
        private void TellOfTakeovers()
        {
            foreach (var line in Process.Log.Split('\n').Where(line => line.Contains("fell silent", StringComparison.Ordinal)))
                _tell(line);
        }
    }
}
