using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;
using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>
/// Has this process' workers look into Hangfire's queue as soon as any process has put something into it, by a notification of Postgres on
/// one connection; by themselves they look seldom. A notification that is lost costs one such interval.
/// </summary>
public sealed class QueueBell(NpgsqlDataSource source, JobStorage storage, WorkerOptions options, ILogger<QueueBell> log)
    : BackgroundService
{
    private const string Channel = "training_queue";
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>Tells all processes; what was put into the queue is committed.</summary>
    public static void Ring(NpgsqlDataSource source)
    {
        using var notify = source.CreateCommand($"NOTIFY {Channel}");
        notify.ExecuteNonQuery();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
            try
            {
                await using var connection = await source.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, _) => Wake();
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                // whatever came before
                Wake();
                while (true)
                    await connection.WaitAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogWarning(Database.IsOutage(e) ? null : e, "Nobody tells of new jobs ({Message}); listening again.",
                    e.GetBaseException().Message);
                await Task.Delay(AfterFailure, stoppingToken);
            }
    }

    /// <summary>All who wait, since more than one entry may be there.</summary>
    private void Wake()
    {
        if (((PostgreSqlStorage)storage).QueueProviders.GetProvider(Waker.Queues[0]).GetJobQueue() is not PostgreSqlJobQueue queue)
            return;
        for (var worker = 0; worker < options.Workers; worker++)
            queue.FetchNextJob();
    }
}
