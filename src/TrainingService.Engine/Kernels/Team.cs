namespace TrainingService.Engine.Kernels;

/// <summary>
/// The threads of one run: the caller and its helpers share the indices of a piece of work in contiguous ranges. Which thread
/// does which range has no influence on the result, so neither has their number. Helpers spin for a while before they sleep:
/// pieces follow each other within microseconds.
/// </summary>
internal sealed class Team : IDisposable
{
    private const int Spins = 2_000;

    private readonly List<Thread> _helpers;
    private readonly object _sleep = new();
    private Action<int, int> _work = (_, _) => { };
    private int _count, _round, _unfinished, _sleeping;
    private volatile bool _closing;

    public Team(int threads)
    {
        Threads = threads;
        _helpers = new(threads - 1);
        try
        {
            for (var i = 1; i < threads; i++)
                _helpers.Add(Start(i));
        }
        catch
        {
            // the system may have no thread left
            Dispose();
            throw;
        }
    }

    public int Threads { get; }

    /// <summary>Calls <paramref name="work"/> with ranges (from, to) that together are 0..count; back when all are done.</summary>
    public void Split(int count, Action<int, int> work)
    {
        if (Threads == 1 || count == 1)
        {
            work(0, count);
            return;
        }
        _work = work;
        _count = count;
        Volatile.Write(ref _unfinished, Threads - 1);
        Interlocked.Increment(ref _round);
        Wake();
        Share(0, count, work);
        var spin = new SpinWait();
        while (Volatile.Read(ref _unfinished) > 0)
            spin.SpinOnce(sleep1Threshold: -1);
    }

    public void Dispose()
    {
        _closing = true;
        Interlocked.Increment(ref _round);
        Wake();
        foreach (var helper in _helpers)
            helper.Join();
    }

    private Thread Start(int index)
    {
        var helper = new Thread(() => Help(index)) { IsBackground = true, Name = $"training helper {index}" };
        helper.Start();
        return helper;
    }

    private void Share(int index, int count, Action<int, int> work)
    {
        int from = (int)((long)count * index / Threads), to = (int)((long)count * (index + 1) / Threads);
        if (from < to)
            work(from, to);
    }

    private void Help(int index)
    {
        for (var seen = 0; ;)
        {
            for (var i = 1; Volatile.Read(ref _round) == seen && i < Spins; i++)
                if (i % 64 > 0)
                    Thread.SpinWait(20);
                else
                    Thread.Yield();
            if (Volatile.Read(ref _round) == seen)
                Sleep(seen);
            seen++;
            if (_closing)
                return;
            Share(index, _count, _work);
            Interlocked.Decrement(ref _unfinished);
        }
    }

    private void Sleep(int seen)
    {
        lock (_sleep)
        {
            // announced before the last look at the round, which the caller advances before it looks for sleepers:
            // one of the two sees the other
            Interlocked.Increment(ref _sleeping);
            while (Volatile.Read(ref _round) == seen)
                Monitor.Wait(_sleep);
            _sleeping--;
        }
    }

    private void Wake()
    {
        if (Volatile.Read(ref _sleeping) == 0)
            return;
        lock (_sleep)
            Monitor.PulseAll(_sleep);
    }
}
