using System.Diagnostics;
using TrainingService.Host.Data;

namespace TrainingService.Host.Events;

/// <summary>
/// What can be followed, each thing read once for all who follow it in this process, however many they are: at once when it may have
/// changed, and every few seconds without that.
/// </summary>
/// <param name="changes">Tell when.</param>
/// <param name="read">How it is now, the same object if that is as it was before. In nobody's eyes: who follows has to look whether they
/// may.</param>
/// <param name="log">Where it says that it can't be read.</param>
/// <param name="least">Between two looks, but for that at the end, which nobody is to wait for; by default a run that is written down as
/// fast as can be is read ten times a second. What takes long to read, such as a sweep of ten thousand cells, is read more seldom.</param>
public sealed class Feeds<T>(Changes changes, Func<Guid, T?, CancellationToken, Task<T>> read, ILogger log, TimeSpan? least = null)
    where T : class
{
    /// <summary>The part of the time that looks may take; once a second there is one, however long they are.</summary>
    private const double Share = 0.05;

    private readonly TimeSpan _least = least ?? TimeSpan.FromMilliseconds(100);
    private readonly Changes _changes = changes;
    private readonly Func<Guid, T?, CancellationToken, Task<T>> _read = read;
    private readonly ILogger _log = log;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Feed> _open = [];

    /// <summary>Until it is disposed of, this is followed.</summary>
    public Following Follow(Guid id, Guid topic)
    {
        lock (_lock)
        {
            if (!_open.TryGetValue(id, out var feed))
                _open.Add(id, feed = new(this, id, topic));
            feed.Followers++;
            return new(this, feed);
        }
    }

    private void Leave(Feed feed)
    {
        lock (_lock)
        {
            if (--feed.Followers > 0)
                return;
            _open.Remove(feed.Id);
        }
        feed.Dispose();
    }

    public sealed class Following(Feeds<T> feeds, Feed feed) : IDisposable
    {
        /// <summary>How it is, null as long as that isn't known; and what ends when it is otherwise.</summary>
        public (T? Value, Task Next) Now => feed.Now;

        public void Dispose() => feeds.Leave(feed);
    }

    public sealed class Feed : IDisposable
    {
        private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(500);

        private readonly Feeds<T> _feeds;
        private readonly Guid _topic;
        private readonly CancellationTokenSource _end = new();
        private volatile Known _known = new(null);
        private volatile TaskCompletionSource _woken = NewSignal(), _ended = NewSignal();

        public Feed(Feeds<T> feeds, Guid id, Guid topic)
        {
            (_feeds, Id, _topic) = (feeds, id, topic);
            feeds._changes.Listen(topic, Wake);
            var end = _end.Token;
            // not in the eyes of whoever came first
            using var none = ExecutionContext.SuppressFlow();
            _ = Task.Run(() => ReadAsync(end));
        }

        public Guid Id { get; }
        public int Followers { get; set; }
        public (T?, Task) Now => _known is var known ? (known.Value, known.Next.Task) : default;

        public void Dispose()
        {
            _feeds._changes.Leave(_topic, Wake);
            _end.Cancel();
            _end.Dispose();
        }

        private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private void Wake(bool isEnd)
        {
            // among all that can be followed something ends all the time
            if (isEnd && _topic != Guid.Empty)
                _ended.TrySetResult();
            _woken.TrySetResult();
        }

        private async Task ReadAsync(CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                var (began, pause, woken, ended) = (Stopwatch.GetTimestamp(), _feeds._least, NewSignal(), NewSignal());
                (_woken, _ended) = (woken, ended);
                try
                {
                    var value = await _feeds._read(Id, _known.Value, end);
                    if (!ReferenceEquals(value, _known.Value))
                    {
                        var before = _known;
                        _known = new(value);
                        before.Next.SetResult();
                    }
                    var fair = Stopwatch.GetElapsedTime(began).Ticks / Share;
                    pause = TimeSpan.FromTicks(Math.Max(pause.Ticks, (long)Math.Min(fair, TimeSpan.TicksPerSecond)));
                }
                catch (Exception e) when (!end.IsCancellationRequested)
                {
                    if (!Database.IsOutage(e))
                        _feeds._log.LogError(e, "{Id} can't be followed; trying again.", Id);
                    pause = AfterFailure;
                    woken.TrySetResult();
                }
                catch (Exception)
                {
                    return;
                }
                await ended.Task.WaitAsync(pause, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await woken.Task.WaitAsync(_feeds._changes.Interval, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        private sealed record Known(T? Value)
        {
            public TaskCompletionSource Next { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
