namespace TrainingService.Host.Worker;

/// <summary>How many of this process' training slots are taken, and whether it has stopped taking jobs though some wait.</summary>
public sealed class Slots(WorkerOptions options, TimeProvider clock)
{
    /// <summary>Time for the reconciler to wake for what was lost, twice.</summary>
    private readonly TimeSpan _patience = 2 * options.Lease;
    private readonly Lock _lock = new();
    private readonly List<IReadOnlyList<Lease>> _held = [];
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
                return [.. _held.SelectMany(leases => leases).Select(lease => lease.Id)];
        }
    }

    public void Take(IReadOnlyList<Lease> leases)
    {
        lock (_lock)
        {
            _held.Add(leases);
            _takes++;
        }
        Change(1);
    }

    public void Free(IReadOnlyList<Lease> leases)
    {
        lock (_lock)
            _held.Remove(leases);
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
