using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Net.Sockets;
using System.Reflection;
using Npgsql;

namespace TrainingService.Host.Data;

/// <summary>
/// Whether Postgres answers. A connection of its own asks it once a second, and notices at once when the server dies. Whoever waits for
/// a database that fell silent is told so within <see cref="Silence"/>; without it a stalled network would hold requests for minutes.
/// </summary>
public sealed class DatabasePulse(NpgsqlDataSource source, NpgsqlConnectionStringBuilder settings, DatabaseClock clock,
    ILogger<DatabasePulse> log) : BackgroundService
{
    public const string Away = "Postgres does not answer.";

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1), Again = TimeSpan.FromMilliseconds(200);

    /// <summary>Without an answer for so long, the database counts as lost.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);

    /// <summary>How long a refusal of one statement stands for others to come.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _own = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(settings.ConnectionString)
    {
        Pooling = false,
        Timeout = (int)Silence.TotalSeconds,
        CommandTimeout = 0,
    }.ConnectionString)
    {
        Name = "training.pulse",
    }.Build();

    // To stop a statement Npgsql first asks Postgres to do so, over another connection, and waits for that, too: where the network is
    // silent for ever (seen with 10.0.3). It hands out neither the socket nor a way to give a connection up at once.
    private static readonly PropertyInfo Connector =
        typeof(NpgsqlConnection).GetProperty("Connector", BindingFlags.Instance | BindingFlags.NonPublic)
        ?? throw new MissingMemberException(nameof(NpgsqlConnection), "Connector");
    private static readonly FieldInfo Socket =
        Connector.PropertyType.GetField("_socket", BindingFlags.Instance | BindingFlags.NonPublic)
        ?? throw new MissingMemberException("NpgsqlConnector", "_socket");

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private CancellationTokenSource _life = new();
    private (string Problem, long At)? _refusal;
    private TaskCompletionSource _back = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _lost, _readOnly;

    /// <summary>Postgres can't be reached now: whoever wants it need not try.</summary>
    public bool IsLost => _lost;

    /// <summary>Why nothing can be stored at present, a sentence; null if nothing is known to be wrong.</summary>
    public string? Problem
    {
        get
        {
            lock (_lock)
                return _lost ? Away
                    : _readOnly ? OutageSentences.ReadOnly
                    : _refusal is { } refusal && Stopwatch.GetElapsedTime(refusal.At) < Remembered ? refusal.Problem
                    : null;
        }
    }

    /// <summary>
    /// Whether Postgres can be reached, or is back when it is next tried: whoever asks just after its return isn't refused any more.
    /// </summary>
    public async ValueTask<bool> AnswersAsync(CancellationToken cancellation)
    {
        if (!_lost)
            return true;
        Task back;
        lock (_lock)
            back = _back.Task;
        return await Task.WhenAny(back, Task.Delay(2 * Again, cancellation)) == back;
    }

    /// <summary>Canceled if Postgres is lost or when it next is, too; to be disposed of by the caller.</summary>
    public CancellationTokenSource EndsWithLife(CancellationToken cancellation)
    {
        lock (_lock)
            return CancellationTokenSource.CreateLinkedTokenSource(cancellation, _lost ? new(true) : _life.Token);
    }

    /// <summary>Waits for its turn in the pool and for Postgres, as long as it answers.</summary>
    public async Task OpenAsync(DbConnection connection, CancellationToken cancellation)
    {
        using var either = EndsWithLife(cancellation);
        try
        {
            await connection.OpenAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Lost();
        }
    }

    /// <summary>As if it had been tried, which is no use and would take a while.</summary>
    public static NpgsqlException Lost() => new(Away, new TimeoutException());

    /// <summary>
    /// From now on, whenever Postgres is lost while the connection is open, whoever waits for it gets an exception at once.
    /// </summary>
    public void Watch(NpgsqlConnection connection)
    {
        CancellationTokenRegistration watching = default;
        connection.StateChange += (_, change) =>
        {
            watching.Unregister();
            lock (_lock)
                watching = change.CurrentState is not ConnectionState.Open ? default
                    : (_lost ? new(true) : _life.Token).UnsafeRegister(_ => Cut(connection), null);
        };
    }

    /// <summary>Postgres refused something because of the state that it is in.</summary>
    public void Note(Exception outage)
    {
        if (Database.SqlState(outage) is PostgresErrorCodes.DiskFull)
            lock (_lock)
                _refusal = (OutageSentences.DiskFull, Stopwatch.GetTimestamp());
        // Connections to a server that lost its role stay with it: others may find the one that has it now.
        if (Database.SqlState(outage) is PostgresErrorCodes.ReadOnlySqlTransaction)
            source.Clear();
    }

    /// <summary>Whoever starts later knows the time.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        await Task.WhenAny(_first.Task, Task.Delay(2 * Silence, cancellationToken));
    }

    public override void Dispose()
    {
        _life.Dispose();
        _own.Dispose();
        base.Dispose();
    }

    // On a thread of its own, since each beat would wake half a dozen of the pool's, and an idle service does little else.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.Factory.StartNew(() => Live(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Live(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var connected = false;
            using var connection = _own.CreateConnection();
            using var stopped = stop.Register(() => Cut(connection));
            using var silent = new Timer(_ =>
            {
                connected = false;
                Cut(connection);
            });
            try
            {
                connection.Open();
                do
                {
                    silent.Change(Silence, Timeout.InfiniteTimeSpan);
                    Ask(connection);
                    silent.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    connected = true;
                    // not NpgsqlConnection.Wait, whose every beat ends in exceptions
                    SocketOf(connection)?.Poll(Beat, SelectMode.SelectRead);
                }
                // A server that may not write will not become the one that may.
                while (!_readOnly && !stop.IsCancellationRequested);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // What has died is not the only one.
                source.Clear();
                // An end is followed by another try; silence, or a refusal to connect, is not.
                if (Database.SqlState(e) is PostgresErrorCodes.TooManyConnections)
                    stop.WaitHandle.WaitOne(Beat);
                else if (!connected)
                    Lose(e, stop);
            }
        }
    }

    private void Ask(NpgsqlConnection connection)
    {
        using var ask = new NpgsqlCommand("SELECT clock_timestamp(), current_setting('transaction_read_only')::bool", connection);
        var asked = Stopwatch.GetTimestamp();
        using var answer = ask.ExecuteReader();
        answer.Read();
        clock.Set(answer.GetFieldValue<DateTimeOffset>(0), asked, Stopwatch.GetTimestamp());
        var readOnly = answer.GetBoolean(1);
        if (readOnly != _readOnly)
        {
            log.LogWarning("Postgres {State}.", readOnly ? "is read-only" : "can be written to again");
            source.Clear();
        }
        _readOnly = readOnly;
        if (_lost)
        {
            log.LogInformation("Postgres answers again.");
            MakeThreads(-settings.MaxPoolSize);
        }
        lock (_lock)
        {
            _lost = false;
            _back.TrySetResult();
        }
        _first.TrySetResult();
    }

    /// <summary>
    /// Whether a connection that nothing was asked of has something to read all the same: its end, most often. A look at the socket,
    /// without a round trip.
    /// </summary>
    public static bool HasNews(NpgsqlConnection connection) => SocketOf(connection) is { } socket && socket.Poll(0, SelectMode.SelectRead);

    private static void Cut(NpgsqlConnection connection) => SocketOf(connection)?.Dispose();

    private static Socket? SocketOf(NpgsqlConnection connection) =>
        Connector.GetValue(connection) is { } connector ? Socket.GetValue(connector) as Socket : null;

    /// <summary>
    /// For as long as Postgres is lost, each connection whose statement was just being stopped may hold a thread of the pool; others must
    /// go on. At other times more threads than cores would only take turns.
    /// </summary>
    private static void MakeThreads(int more)
    {
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(workers + more, ports);
    }

    private void Lose(Exception why, CancellationToken stop)
    {
        if (!_lost)
        {
            log.LogWarning("Postgres does not answer: {Reason}", why.GetBaseException().Message);
            MakeThreads(settings.MaxPoolSize);
            CancellationTokenSource ended;
            lock (_lock)
            {
                _lost = true;
                (ended, _life, _back) = (_life, new(), new(TaskCreationOptions.RunContinuationsAsynchronously));
            }
            ended.Cancel();
            ended.Dispose();
        }
        stop.WaitHandle.WaitOne(Again);
    }
}
