using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>
/// Has this process' workers look into Hangfire's queue as soon as any process has put something into it, by a notification of Postgres on
/// one connection; by themselves they look seldom. A notification that is lost costs one such interval.
/// </summary>
public sealed class QueueBell : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;
    private readonly PostgreSqlJobQueue _queue;
    private readonly WorkerOptions _options;
    private readonly ILogger<QueueBell> _log;

    /// <param name="source">Where it listens.</param>
    /// <param name="storage">Hangfire's, whose workers have not begun yet.</param>
    /// <param name="options">How many there are.</param>
    /// <param name="log">Where it says that it can't listen.</param>
    public QueueBell(NpgsqlDataSource source, JobStorage storage, WorkerOptions options, ILogger<QueueBell> log)
    {
        var postgres = (PostgreSqlStorage)storage;
        (_source, _queue, _options, _log) = (source, new(postgres), options, log);
        postgres.QueueProviders.Add(new OneQueue(_queue, postgres.QueueProviders.GetProvider(Waker.Queues[0])), Waker.Served);
    }

    /// <summary>Tells all processes; what was put into the queue is committed.</summary>
    public static void Ring(NpgsqlDataSource source)
    {
        using var notify = source.CreateCommand($"NOTIFY {WakeUps.Bell}");
        notify.ExecuteNonQuery();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
            try
            {
                await using var connection = await _source.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, _) => Wake();
                await using (var listen = new NpgsqlCommand($"LISTEN {WakeUps.Bell}", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                // whatever came before
                Wake();
                while (true)
                    await connection.WaitAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _log.LogWarning(Database.IsOutage(e) ? null : e, "Nobody tells of new jobs ({Message}); listening again.",
                    e.GetBaseException().Message);
                await Task.Delay(AfterFailure, stoppingToken);
            }
    }

    /// <summary>All who wait, since more than one entry may be there.</summary>
    private void Wake()
    {
        for (var worker = 0; worker < _options.Workers; worker++)
            _queue.FetchNextJob();
    }

    /// <summary>
    /// Hangfire's own provider makes a queue for each worker that waits, whose signal nobody else could give (1.21.1): only entries that
    /// this very process makes would be seen before the next look.
    /// </summary>
    private sealed class OneQueue(PostgreSqlJobQueue queue, IPersistentJobQueueProvider provider)
        : IPersistentJobQueueProvider, IPersistentJobQueueMonitoringApi
    {
        private readonly IPersistentJobQueueMonitoringApi _monitoring = provider.GetJobQueueMonitoringApi();

        public IPersistentJobQueue GetJobQueue() => queue;

        public IPersistentJobQueueMonitoringApi GetJobQueueMonitoringApi() => this;

        // the other provider tells of all
        public IEnumerable<string> GetQueues() => [];

        public IEnumerable<long> GetEnqueuedJobIds(string queue, int from, int perPage) =>
            _monitoring.GetEnqueuedJobIds(queue, from, perPage);

        public IEnumerable<long> GetFetchedJobIds(string queue, int from, int perPage) =>
            _monitoring.GetFetchedJobIds(queue, from, perPage);

        public EnqueuedAndFetchedCountDto GetEnqueuedAndFetchedCount(string queue) => _monitoring.GetEnqueuedAndFetchedCount(queue);
    }
}
