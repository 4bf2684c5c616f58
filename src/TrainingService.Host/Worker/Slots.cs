using System.Threading.Channels;

namespace TrainingService.Host.Worker;

/// <summary>
/// How many of this process' training slots are taken and how much of its memory, and whether it has stopped taking jobs though some wait.
/// <para>
/// Runs together never need more than the process has, as estimated. A job that has its turn and doesn't fit yet is not overtaken for ever:
/// what was begun before it ends some time, and what is begun after it must leave it room.
/// </para>
/// </summary>
public sealed class Slots(WorkerOptions options, TimeProvider clock)
{
    /// <summary>Time for the reconciler to wake for what was lost, twice.</summary>
    private readonly TimeSpan _patience = 2 * options.Lease;
    private readonly Lock _lock = new();
    private readonly List<(IReadOnlyList<Lease> Leases, long Bytes, long Take, long Began)> _held = [];
    // holds whoever claims; needs no disposal, as a semaphore does
    private readonly Channel<bool> _claims = Channel.CreateBounded<bool>(1);
    private double _pace = 1;
    private int _waits;
    private (Guid Id, long Bytes, long Take)? _awaited;
    private int _taken;
    private long _takes;
    private DateTimeOffset? _idleSince, _asked, _freeSince;

    /// <summary>Since when none has been taken; null while one is, or if none ever was.</summary>
    public DateTimeOffset? FreeSince
    {
        get
        {
            lock (_lock)
                return _freeSince;
        }
    }

    /// <summary>How many are free, and how often one was taken.</summary>
    public (int Free, long Taken) State
    {
        get
        {
            lock (_lock)
                return (options.Workers - _taken, _takes);
        }
    }

    /// <summary>The jobs that this process runs, or is about to.</summary>
    public Guid[] Held
    {
        get
        {
            lock (_lock)
                return [.. _held.SelectMany(held => held.Leases).Select(lease => lease.Id)];
        }
    }

    /// <summary>
    /// Seconds, one or more, that an estimated second of short runs took here of late. Estimates know neither the machine nor what else
    /// runs on it.
    /// </summary>
    public double Pace
    {
        get
        {
            lock (_lock)
                return _pace;
        }
    }

    /// <summary>Bytes that a job may need to be taken now, though another one waits for memory.</summary>
    public long Room
    {
        get
        {
            lock (_lock)
            {
                var free = options.Memory - _held.Sum(held => held.Bytes);
                return _awaited is not { } awaited ? free : Math.Min(free,
                    options.Memory - awaited.Bytes - _held.Where(held => held.Take > awaited.Take).Sum(held => held.Bytes));
            }
        }
    }

    /// <summary>Whether all that this process could ever take may be taken now.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _held.Count == 0;
        }
    }

    /// <summary>The job that waits for memory, once there is enough.</summary>
    public Guid? Due
    {
        get
        {
            lock (_lock)
                return _awaited is { } awaited && awaited.Bytes <= options.Memory - _held.Sum(held => held.Bytes) ? awaited.Id : null;
        }
    }

    /// <summary>Keeps room for a job whose turn it is, and which doesn't fit yet; for none if it is null.</summary>
    public void Await((Guid Id, long Bytes)? job)
    {
        lock (_lock)
            if (job?.Id != _awaited?.Id)
                _awaited = job is { } next ? (next.Id, next.Bytes, _takes) : null;
    }

    /// <summary>
    /// Takes what a claim answers, if it answers something. Claims of this process go one after another, since what one may claim depends
    /// on what the one before it did.
    /// </summary>
    public async Task<IReadOnlyList<Lease>> TakeAsync(Func<Task<IReadOnlyList<Lease>>> claim)
    {
        await _claims.Writer.WriteAsync(true);
        try
        {
            var leases = await claim();
            if (leases.Count > 0)
                Take(leases);
            return leases;
        }
        finally
        {
            _claims.Reader.TryRead(out _);
        }
    }

    /// <summary>One slot at a time waits for memory; false if another one does, and this one has nothing to do.</summary>
    public bool TryWait() => Interlocked.Exchange(ref _waits, 1) == 0;

    /// <summary>No longer waits.</summary>
    public void EndWait() => Volatile.Write(ref _waits, 0);

    /// <summary>The last groups count most: what a new process compiles, or a neighbour takes, passes.</summary>
    private void Learn(double pace)
    {
        if (double.IsFinite(pace))
            _pace = Math.Clamp((_pace + pace) / 2, 1, 8);
    }

    public void Take(IReadOnlyList<Lease> leases)
    {
        lock (_lock)
        {
            if (leases.Any(lease => lease.Id == _awaited?.Id))
                _awaited = null;
            // of a group one at a time is run
            _held.Add((leases, leases.Count == 0 ? 0 : leases.Max(lease => lease.MemoryBytes), ++_takes, clock.GetTimestamp()));
        }
        Change(1);
    }

    public void Free(IReadOnlyList<Lease> leases)
    {
        lock (_lock)
            if (_held.FindIndex(held => ReferenceEquals(held.Leases, leases)) is >= 0 and var at)
            {
                if (leases.Count > 1)
                    Learn(clock.GetElapsedTime(_held[at].Began).TotalSeconds / leases.Sum(lease => lease.Cost));
                _held.RemoveAt(at);
            }
        Change(-1);
    }

    /// <summary>
    /// What is wrong if, at every time it was asked for two leases now, jobs waited while slots were free, and none was taken or became
    /// free; else null. To be asked at least that often.
    /// </summary>
    public string? FindStall(bool jobsWait)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            var askedLately = now - _asked <= _patience;
            _asked = now;
            if (!jobsWait || _taken >= options.Workers)
            {
                _idleSince = null;
                return null;
            }
            var since = askedLately ? _idleSince ?? now : now;
            _idleSince = since;
            return now - since < _patience ? null
                : $"Jobs wait and {options.Workers - _taken} of {options.Workers} slots are free, "
                    + $"but none was taken for {(int)(now - since).TotalSeconds} s.";
        }
    }

    private void Change(int by)
    {
        lock (_lock)
        {
            _taken += by;
            _idleSince = null;
            _freeSince = _taken == 0 ? clock.GetUtcNow() : null;
        }
    }
}
