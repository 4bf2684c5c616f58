using System.Collections.Concurrent;
using System.Diagnostics;

namespace TrainingService.Host.Telemetry;

/// <summary>How long the one that waits longest has waited.</summary>
public sealed class Lag
{
    private readonly ConcurrentDictionary<Wait, bool> _waits = new();

    public double Seconds => _waits.Keys.Select(wait => Stopwatch.GetElapsedTime(wait.Since).TotalSeconds).DefaultIfEmpty().Max();

    /// <summary>One that waits from now on, until it is disposed of.</summary>
    public Wait Begin()
    {
        var wait = new Wait(this);
        _waits[wait] = true;
        return wait;
    }

    public sealed class Wait(Lag lag) : IDisposable
    {
        private long _since = Stopwatch.GetTimestamp();

        public long Since => Volatile.Read(ref _since);

        /// <summary>What it waited for has come; it waits for the next.</summary>
        public void Restart() => Volatile.Write(ref _since, Stopwatch.GetTimestamp());

        public void Dispose() => lag._waits.TryRemove(this, out _);
    }
}
