namespace TrainingService.Host.Datasets;

/// <summary>
/// What is held of data sets' rows, up to so many bytes: tables as they are stored, and the splits of seeds that are made of them, which
/// are quick to make again and so get less. What is being made counts from its beginning. What was used least recently goes first; what
/// somebody still uses then is found again, so that there is never a second copy of it. Two callers with the same key wait for one
/// computation; a failed one is not kept.
/// </summary>
/// <param name="maxBytes">Of all.</param>
/// <param name="maxMade">Of what was made of something else.</param>
public sealed class RowCache(long maxBytes, long maxMade = RowCache.MostMade)
{
    private const long MostBytes = 2_000_000_000, MostMade = 6_000_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<object, Entry> _entries = [];
    private long _clock, _total, _made;

    /// <summary>A quarter of what the process may use, at most 2 GB.</summary>
    public RowCache() : this(StandardBytes) { }

    /// <inheritdoc cref="RowCache()"/>
    public static long StandardBytes => Math.Min(MostBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <param name="key">Equal for equal rows.</param>
    /// <param name="bytes">That it will take.</param>
    /// <param name="make">Called unless there is one.</param>
    /// <param name="of">Key of what it is made of and keeps in memory, which is used with it.</param>
    public T GetOrAdd<T>(object key, long bytes, Func<T> make, object? of = null) where T : class
    {
        Entry? entry;
        Lazy<object> made;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry))
                _entries.Add(key, entry = new(bytes, of));
            Touch(entry);
            if (entry.Made is null)
            {
                entry.Made = entry.Released?.TryGetTarget(out var used) == true ? new(used) : new(make);
                Count(entry, 1);
                Evict(key, of);
            }
            made = entry.Made;
        }
        try
        {
            return (T)made.Value;
        }
        catch
        {
            lock (_lock)
                if (_entries.GetValueOrDefault(key) == entry && entry.Made == made)
                {
                    Count(entry, -1);
                    _entries.Remove(key);
                }
            throw;
        }
    }

    /// <summary>What is there of a key; null if nothing is.</summary>
    public T? Find<T>(object key) where T : class
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var entry) || entry.Made is not { IsValueCreated: true } made)
                return null;
            Touch(entry);
            return (T)made.Value;
        }
    }

    /// <summary>Lets go of all; whoever uses it keeps it.</summary>
    public void Clear()
    {
        lock (_lock)
            foreach (var entry in _entries.Values)
                Release(entry);
    }

    private void Touch(Entry entry)
    {
        entry.LastUse = ++_clock;
        if (entry.Of is { } of && _entries.TryGetValue(of, out var below))
            below.LastUse = ++_clock;
    }

    private void Evict(object key, object? of)
    {
        if (_total <= maxBytes && _made <= maxMade)
            return;
        // some more at once, since all have to be looked at
        long least = _total > maxBytes ? maxBytes - maxBytes / 8 : maxBytes, leastMade = maxMade - maxMade / 8;
        foreach (var (other, entry) in _entries.OrderBy(pair => pair.Value.LastUse).ToArray())
        {
            if ((_total > least || entry.Of is not null && _made > leastMade) && !other.Equals(key) && !other.Equals(of))
                Release(entry);
            if (entry.Made is null && entry.Released?.TryGetTarget(out _) != true)
                _entries.Remove(other);
        }
    }

    private void Release(Entry entry)
    {
        if (entry.Made is not { IsValueCreated: true } made)
            return;
        (entry.Made, entry.Released) = (null, new(made.Value));
        Count(entry, -1);
    }

    private void Count(Entry entry, int sign)
    {
        _total += sign * entry.Bytes;
        _made += entry.Of is null ? 0 : sign * entry.Bytes;
    }

    private sealed class Entry(long bytes, object? of)
    {
        public long Bytes => bytes;
        public object? Of => of;
        public Lazy<object>? Made { get; set; }
        public WeakReference<object>? Released { get; set; }
        public long LastUse { get; set; }
    }
}
