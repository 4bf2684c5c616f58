using Hangfire.Server;

namespace TrainingService.Host.Worker;

/// <summary>
/// Work that this process begins by itself as soon as it knows that a job waits. Hangfire's entry for it, which shows it and wakes other
/// processes, takes ten milliseconds and more to be made and fetched: as long as a small job. A worker that fetches one joins what began
/// ahead, so that no more is done at once than there are workers.
/// </summary>
public sealed class HeadStart(WorkerOptions options, IHostApplicationLifetime lifetime)
{
    private readonly Lock _lock = new();
    // not joined yet
    private readonly List<(HangfireEntry Entry, Task Work)> _ahead = [];
    private int _workers;

    /// <summary>Begins it, and tells its end; null if no slot is free, or the process shuts down: what waits is for others then.</summary>
    public Task? TryBegin(Func<HangfireEntry, Task> work)
    {
        lock (_lock)
        {
            if (_workers + _ahead.Count >= options.Workers || lifetime.ApplicationStopping.IsCancellationRequested)
                return null;
            var entry = new HangfireEntry();
            var begun = Task.Run(async () =>
            {
                try
                {
                    await work(entry);
                }
                finally
                {
                    lock (_lock)
                        _ahead.RemoveAll(ahead => ahead.Entry == entry);
                }
            });
            _ahead.Add((entry, begun));
            return begun;
        }
    }

    /// <summary>
    /// What a worker of Hangfire's does with an entry: sees to the end what began ahead, if something did, and then its own work, since
    /// what waits by now may have come as the other ended.
    /// </summary>
    public async Task WorkAsync(Func<HangfireEntry, Task> work, PerformContext? context, CancellationToken abort)
    {
        var own = new HangfireEntry();
        own.Join(context, abort);
        try
        {
            if (Join(context, abort) is { } begun)
                await begun;
            if (!own.IsDeleted())
                await work(own);
        }
        finally
        {
            lock (_lock)
                _workers--;
        }
    }

    /// <summary>Until all has ended that nobody joined, or nobody waits for it any more.</summary>
    public async Task EndAsync(CancellationToken cancellation)
    {
        Task[] ahead;
        lock (_lock)
            ahead = [.. _ahead.Select(ahead => ahead.Work)];
        await Task.WhenAll(ahead).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task? Join(PerformContext? context, CancellationToken abort)
    {
        lock (_lock)
        {
            _workers++;
            if (_ahead is not [var (entry, work), ..])
                return null;
            _ahead.RemoveAt(0);
            entry.Join(context, abort);
            return work;
        }
    }
}
