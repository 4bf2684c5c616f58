using System.Threading.Channels;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Jobs;

/// <summary>That a job waits for a worker, or without an id so many of a sweep.</summary>
/// <param name="Id">The job's.</param>
/// <param name="Priority">As it is stored.</param>
/// <param name="Jobs">How many wait.</param>
/// <param name="Begun">The process that was told began it, and has Hangfire show it.</param>
public readonly record struct WakeUp(Guid? Id, short Priority, int Jobs = 1, bool Begun = false);

/// <summary>Called after a job came to its end, so that the sweep it belongs to, if any, goes on.</summary>
public delegate Task JobEnded(Guid? sweepId, CancellationToken cancellation);

/// <summary>
/// Wake-ups on their way from requests to the workers' queue; whoever stores a queued row adds one after the commit.
/// Adding neither waits nor throws. What is lost here, because too many wait or the process dies, the workers' reconciler finds:
/// the truth about a job is its row.
/// </summary>
public sealed partial class WakeUps(ILogger<WakeUps> log)
{
    /// <summary>Postgres' channel on which it is told that there are new jobs.</summary>
    public const string Bell = "training_queue";

    private const int Capacity = 20_000;

    /// <summary>As workers take them: by priority, then by age.</summary>
    private static readonly Comparer<WakeUp> Order = Comparer<WakeUp>.Create((a, b) =>
        (a.Priority, a.Id ?? default).CompareTo((b.Priority, b.Id ?? default)));

    private readonly Channel<WakeUp> _waiting =
        Channel.CreateUnboundedPrioritized(new UnboundedPrioritizedChannelOptions<WakeUp> { Comparer = Order });

    public void Add(Job job)
    {
        using (log.BeginScope(new LogScope(job.Id, job.SweepId, Traces.IdOf(job.Traceparent ?? job.Template?.Traceparent))))
            TellWait(job.Id, job.Priority, job.Attempt);
        Add(new WakeUp(job.Id, job.Priority));
    }

    /// <summary>Jobs of one sweep.</summary>
    public void Add(IReadOnlyCollection<Job> jobs)
    {
        if (jobs.Count == 0)
            return;
        var first = jobs.First();
        using (log.BeginScope(new LogScope(null, first.SweepId, Traces.IdOf(first.Template?.Traceparent))))
            TellWaits(jobs.Count, first.SweepId, first.Priority);
        Add(new WakeUp(null, first.Priority, jobs.Count));
    }

    /// <summary>
    /// Begins what waits at once, in this very process; false if others are to be woken for it. Neither waits nor throws. Null before the
    /// process can.
    /// </summary>
    public Func<WakeUp, bool>? Begin { private get; set; }

    public void Add(WakeUp wakeUp)
    {
        // what begins here is no part of the request
        using var apart = ExecutionContext.SuppressFlow();
        if (Begin?.Invoke(wakeUp) != true && _waiting.Reader.Count < Capacity)
            _waiting.Writer.TryWrite(wakeUp);
    }

    /// <summary>The next one, as soon as there is one; null once <see cref="Close"/> was called and none is left.</summary>
    public async Task<WakeUp?> NextAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync())
            if (_waiting.Reader.TryRead(out var next))
                return next;
        return null;
    }

    [LoggerMessage(LogLevel.Information, "Job {Job} waits with priority {Priority}, after {Attempts} attempts.")]
    private partial void TellWait(Guid job, short priority, int attempts);

    [LoggerMessage(LogLevel.Information, "{Jobs} jobs of sweep {Sweep} wait with priority {Priority}.")]
    private partial void TellWaits(int jobs, Guid? sweep, short priority);

    /// <summary>Takes no more.</summary>
    public void Close() => _waiting.Writer.TryComplete();
}
