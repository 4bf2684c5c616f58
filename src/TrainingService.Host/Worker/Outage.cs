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
}
