namespace TrainingService.Host.Models;

/// <summary>
/// Nets that were asked lately, up to so many bytes; what was used least recently goes first, once nobody uses it. A net is asked by one
/// caller at a time.
/// </summary>
public sealed class ModelCache(ModelLimits limits) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Job, string Sha256), Entry> _entries = [];
    private long _clock;

    /// <summary>Nets in memory.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _entries.Count;
        }
    }

    /// <summary>What a net at hand was made of; null if it isn't there.</summary>
    public ModelSource? Find(Guid job, string sha256)
    {
        lock (_lock)
            return _entries.GetValueOrDefault((job, sha256))?.Model is { IsValueCreated: true, Value.IsCompletedSuccessfully: true } model
                ? model.Value.Result.Source : null;
    }

    /// <summary>Answers by the source's net, which is loaded unless it is at hand; a failed load is not kept.</summary>
    public async Task<T> UseAsync<T>(ModelSource source, Func<Task<LoadedModel>> load, Func<LoadedModel, T> use)
    {
        var key = (source.JobId, source.Sha256);
        Entry? entry;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry))
                _entries.Add(key, entry = new(new(load)));
            (entry.LastUse, entry.Users) = (++_clock, entry.Users + 1);
        }
        try
        {
            var model = await entry.Model.Value;
            await entry.Turn.WaitAsync();
            try
            {
                return use(model);
            }
            finally
            {
                entry.Turn.Release();
            }
        }
        catch when (!entry.Model.Value.IsCompletedSuccessfully)
        {
            lock (_lock)
                if (_entries.GetValueOrDefault(key) == entry)
                    _entries.Remove(key);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                entry.Users--;
                Evict();
            }
        }
    }

    private void Evict()
    {
        var loaded = _entries.Where(pair => pair.Value.Model.Value.IsCompletedSuccessfully).OrderByDescending(pair => pair.Value.LastUse)
            .ToArray();
        var total = 0L;
        foreach (var (key, entry) in loaded)
        {
            total += entry.Model.Value.Result.Bytes;
            if (total <= limits.CacheBytes || entry.Users > 0)
                continue;
            _entries.Remove(key);
            entry.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var entry in _entries.Values)
            entry.Dispose();
    }

    private sealed class Entry(Lazy<Task<LoadedModel>> model) : IDisposable
    {
        public Lazy<Task<LoadedModel>> Model => model;
        public SemaphoreSlim Turn { get; } = new(1);
        public long LastUse { get; set; }
        public int Users { get; set; }

        public void Dispose()
        {
            Turn.Dispose();
            if (model.IsValueCreated && model.Value.IsCompletedSuccessfully)
                model.Value.Result.Dispose();
        }
    }
}
