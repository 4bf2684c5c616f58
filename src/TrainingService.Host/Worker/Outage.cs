using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>
/// How someone who can't do without the database tries again while it is away: at intervals that double from half a second.
/// </summary>
/// <param name="longest">The longest interval; well below the lease, which has to be renewed soon after.</param>
public sealed class Outage(TimeSpan longest)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(500);

    /// <summary>Tries that failed since the last one that did not.</summary>
    public int Failures { get; private set; }

    /// <summary>Until the next try; zero while nothing is wrong.</summary>
    public TimeSpan Pause { get; private set; }

    /// <summary>A try failed. True if it is worth a line in the log, as the 1st, 2nd, 4th, 8th, ... is.</summary>
    public bool Fail()
    {
        Failures++;
        Pause = Pause == TimeSpan.Zero ? First : 2 * Pause;
        if (Pause > longest)
            Pause = longest;
        return int.IsPow2(Failures);
    }

    public void End() => (Failures, Pause) = (0, TimeSpan.Zero);

    /// <summary>Reads from the database, and while it is away tries again.</summary>
    /// <exception cref="OperationCanceledException">It was to stop before the database was back.</exception>
    public T Through<T>(Func<T> read, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var value = read();
                End();
                return value;
            }
            catch (Exception e) when (Database.IsOutage(e))
            {
                Fail();
                stop.WaitHandle.WaitOne(Pause);
                stop.ThrowIfCancellationRequested();
            }
        }
    }
}
