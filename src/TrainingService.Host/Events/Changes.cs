using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Events;

/// <summary>
/// Tells those who look at a job or a sweep that it may have changed, by notifications of Postgres on one connection, which is open only as
/// long as somebody looks. The tables are the truth, and are looked at without it, too: what is lost here costs one interval.
/// </summary>
/// <remarks>
/// A trigger of the table sends a notification with each statement that changes jobs or sweeps (<c>Data/Migrations</c>), and one more, on a
/// channel of its own, if they have ended by it; of new ones those tell who wake workers.
/// </remarks>
public sealed class Changes(NpgsqlDataSource source, DatabasePulse pulse, ILogger<Changes> log) : IDisposable
{
    private const string Channel = "training_events", Ends = "training_ends";
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<Action<bool>>> _topics = [];
    private CancellationTokenSource? _listening;
    private volatile bool _hears;

    /// <summary>Between two looks of those who hear nothing: seldom while notifications arrive.</summary>
    public TimeSpan Interval => TimeSpan.FromSeconds(_hears ? 5 : 1);

    /// <summary>Has <paramref name="wake"/> called, which must not wait, whenever something of the topic may have changed.</summary>
    /// <param name="topic">The sweep, of a job that is a sweep's, too; else the job; <see cref="Guid.Empty"/> for all.</param>
    /// <param name="wake">Called on any thread; with true if a job that is none of a sweep's, or a sweep, has ended.</param>
    public void Listen(Guid topic, Action<bool> wake)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(topic, out var wakes))
                _topics.Add(topic, wakes = []);
            wakes.Add(wake);
            if (_listening is not null)
                return;
            _listening = new();
            var end = _listening.Token;
            using var none = ExecutionContext.SuppressFlow();
            _ = Task.Run(() => HearAsync(end));
        }
    }

    public void Leave(Guid topic, Action<bool> wake)
    {
        lock (_lock)
        {
            if (_topics[topic] is var wakes && wakes.Remove(wake) && wakes.Count == 0)
                _topics.Remove(topic);
            if (_topics.Count > 0)
                return;
            Dispose();
            _listening = null;
        }
    }

    public void Dispose()
    {
        _listening?.Cancel();
        _listening?.Dispose();
    }

    private async Task HearAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
            try
            {
                await using var connection = source.CreateConnection();
                pulse.Watch(connection);
                await pulse.OpenAsync(connection, end);
                connection.Notification += (_, notification) =>
                    Wake(notification.Channel == WakeUps.Bell ? $"{Guid.Empty}" : notification.Payload, notification.Channel == Ends);
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}; LISTEN {Ends}; LISTEN {WakeUps.Bell}", connection))
                    await listen.ExecuteNonQueryAsync(end);
                _hears = true;
                // whatever came before
                Wake(null, false);
                while (true)
                    await connection.WaitAsync(end);
            }
            catch (Exception e) when (!end.IsCancellationRequested)
            {
                if (!Database.IsOutage(e))
                    log.LogWarning(e, "Nobody tells of changes ({Message}); listening again.", e.GetBaseException().Message);
                await Task.Delay(AfterFailure, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception)
            {
                // nobody looks any more
            }
            finally
            {
                _hears = false;
            }
    }

    private void Wake(string? payload, bool isEnd)
    {
        Action<bool>[] wakes;
        lock (_lock)
            wakes = payload is null ? [.. _topics.Values.SelectMany(each => each)]
                : Guid.TryParse(payload, out var topic)
                    ? [.. _topics.GetValueOrDefault(topic) ?? [],
                        .. topic == Guid.Empty ? [] : _topics.GetValueOrDefault(Guid.Empty) ?? []] : [];
        foreach (var wake in wakes)
            wake(isEnd);
    }
}
