using TrainingService.Engine.Data;

namespace TrainingService.Host.Datasets;

/// <summary>
/// Prepared data by key, up to so many bytes; what was used least recently goes first. The last one used always stays, whatever its size.
/// Two callers with the same key wait for one computation; a failed one is not kept.
/// </summary>
public sealed class PreparedCache(long maxBytes)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(DatasetSpec Spec, long Seed), Entry> _entries = [];
    private long _clock, _total;

    public TrainingData GetOrAdd(DatasetSpec spec, long seed, Func<TrainingData> prepare)
    {
        Entry? entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue((spec, seed), out entry))
                _entries.Add((spec, seed), entry = new(new(prepare)));
            entry.LastUse = ++_clock;
        }
        try
        {
            var data = entry.Data.Value;
            if (entry.Bytes == 0)
                lock (_lock)
                    // unless another has counted it, or it was let go meanwhile
                    if (entry.Bytes == 0 && _entries.GetValueOrDefault((spec, seed)) == entry)
                    {
                        _total += entry.Bytes = Bytes(data);
                        Evict();
                    }
            return data;
        }
        catch
        {
            lock (_lock)
                if (_entries.GetValueOrDefault((spec, seed)) == entry)
                    _entries.Remove((spec, seed));
            throw;
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _entries.Clear();
            _total = 0;
        }
    }

    private void Evict()
    {
        if (_total <= maxBytes)
            return;
        foreach (var (key, entry) in _entries.Where(pair => pair.Value.Bytes > 0).OrderBy(pair => pair.Value.LastUse).SkipLast(1).ToArray())
        {
            if (_total <= maxBytes)
                return;
            _total -= entry.Bytes;
            _entries.Remove(key);
        }
    }

    private static long Bytes(TrainingData data)
    {
        return Of(data.Train) + Of(data.Validation) + Of(data.Test);
        static long Of(DataSplit? split) => split == null ? 0 : 4L * (split.Features.Length + split.Labels.Length + split.Values.Length);
    }

    private sealed class Entry(Lazy<TrainingData> data)
    {
        public Lazy<TrainingData> Data => data;
        public long LastUse { get; set; }

        /// <summary>0 while it is being computed.</summary>
        public long Bytes { get; set; }
    }
}
