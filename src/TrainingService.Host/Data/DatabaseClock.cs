using System.Diagnostics;

namespace TrainingService.Host.Data;

/// <summary>
/// The database's time, which all processes share whatever their own clocks say: its time when it was last asked, and what has passed
/// since then by a clock that nobody sets.
/// </summary>
public sealed class DatabaseClock : TimeProvider
{
    /// <summary>Two clocks drift apart by less than this between two answers.</summary>
    private static readonly TimeSpan Drift = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private (DateTimeOffset Time, long At)? _known;
    private TimeSpan _error = TimeSpan.MaxValue;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _known is { } known ? known.Time + Stopwatch.GetElapsedTime(known.At) : base.GetUtcNow();
    }

    /// <summary>The database said that it was <paramref name="time"/>, some time between two readings of <see cref="Stopwatch"/>.</summary>
    public void Set(DateTimeOffset time, long asked, long answered)
    {
        var error = Stopwatch.GetElapsedTime(asked, answered) / 2;
        var middle = asked + (answered - asked) / 2;
        lock (_lock)
        {
            // The quickest answer is the most exact one, so it stays until another can't be true beside it.
            if (_known is { } known && error >= _error
                && (known.Time + Stopwatch.GetElapsedTime(known.At, middle) - time).Duration() <= error + _error + Drift)
                return;
            (_known, _error) = ((time, middle), error);
        }
    }
}
