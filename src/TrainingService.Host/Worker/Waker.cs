using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>
/// Carries wake-ups into Hangfire's queue, wherever jobs are made, on threads of its own: Hangfire's client holds
/// its thread while Postgres answers.
/// </summary>
public sealed class Waker(WakeUps wakeUps, IBackgroundJobClient hangfire, JobStorage storage, NpgsqlDataSource source,
    IDbContextFactory<TrainingDbContext> databases, TimeProvider clock, ILogger<Waker> log, IServiceProvider services,
    HeadStart? headStart = null)
    : IHostedService
{
    private static readonly TimeSpan Known = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The index is the job's priority. Hangfire.PostgreSql takes entries in the order of their queues' names, whatever order a worker
    /// names them in (1.21.1); that does not matter, since whoever is woken takes what is most urgent (<see cref="JobRunner"/>).
    /// </summary>
    public static readonly string[] Queues = ["high", "normal", "low"];

    /// <summary>Those into which versions before this one put their entries, by priority as well.</summary>
    private static readonly string[] Former = ["a-high", "b-normal", "c-low"];

    /// <summary>All in which there may be entries.</summary>
    public static readonly string[] Served = [.. Queues, .. Former];

    private const int Threads = 4;

    /// <summary>What ends so soon nobody sees, and Hangfire isn't told of.</summary>
    private static readonly TimeSpan Unseen = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private (int Slots, long At)? _slots;
    private volatile bool _hurry;
    private readonly Lock _lock = new();
    private volatile Task _showing = Task.CompletedTask;
    private Task _carrying = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        wakeUps.Begin = Begin;
        _carrying = Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(Carry, TaskCreationOptions.LongRunning)));
        return Task.CompletedTask;
    }

    /// <summary>What waits is still carried, as long as the shutdown allows.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // what it gives back is to be carried, too
        if (headStart is not null)
            await headStart.EndAsync(cancellationToken);
        await _showing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        wakeUps.Close();
        await using var registration = cancellationToken.Register(() => _hurry = true);
        await _carrying;
    }

    /// <summary>Makes one entry in the queue. False if Postgres does not answer: the reconciler finds the job again.</summary>
    public bool Wake(WakeUp wakeUp)
    {
        try
        {
            // The queue is the job's own, so that a retry comes back to it and not to Hangfire's default one, where nobody listens.
            var queue = Queues[wakeUp.Priority];
            if (wakeUp.Id is { } id)
                Create(Hangfire.Common.Job.FromExpression<JobRunner>(runner => runner.RunAsync(id, null, CancellationToken.None), queue));
            else
                for (var more = Math.Min(wakeUp.Jobs, Slots()); more > 0; more--)
                    Create(Hangfire.Common.Job.FromExpression<JobRunner>(runner => runner.DrainAsync(null, CancellationToken.None), queue));
            QueueBell.Ring(source);
            return true;
        }
        catch (Exception e) when (e is BackgroundJobClientException || Database.IsOutage(e))
        {
            log.LogWarning(e, "Job {Job} could not be put into the queue at once; the reconciler will see to it.", wakeUp.Id);
            return false;
        }

        void Create(Hangfire.Common.Job job) => hangfire.Create(job, new EnqueuedState(job.Queue));
    }

    private Task DrainAsync(HangfireEntry entry) => ActivatorUtilities.CreateInstance<JobRunner>(services).DrainAsync(entry);

    /// <summary>Of all workers there are: to wake more would be for nothing, since each goes on until nothing waits.</summary>
    private int Slots()
    {
        if (_slots is not { } known || clock.GetElapsedTime(known.At) > Known)
            _slots = known = (Math.Max(1, storage.GetMonitoringApi().Servers().Sum(server => server.WorkersCount)), clock.GetTimestamp());
        return known.Slots;
    }

    private void Carry()
    {
        while (!_hurry && wakeUps.NextAsync().GetAwaiter().GetResult() is { } next)
            if (!Wake(next))
                Thread.Sleep(AfterFailure);
    }

    /// <summary>
    /// Begins a job at once if this process has a slot for it; Hangfire is told of it if it takes a while. Of a sweep, all processes are
    /// told at once.
    /// </summary>
    private bool Begin(WakeUp wakeUp)
    {
        if (wakeUp is not { Id: { } id, Begun: false } || headStart?.TryBegin(DrainAsync) is not { } begun)
            return false;
        lock (_lock)
            _showing = Task.WhenAll(_showing, ShowAsync(wakeUp, id, begun));
        return true;
    }

    private async Task ShowAsync(WakeUp wakeUp, Guid id, Task begun)
    {
        try
        {
            await Task.WhenAny(begun, Task.Delay(Unseen));
            await using var db = await databases.CreateDbContextAsync();
            if (await db.Jobs.AnyAsync(job => job.Id == id && job.FinishedAt == null))
                wakeUps.Add(wakeUp with { Begun = true });
        }
        catch (Exception e)
        {
            log.LogWarning(Database.IsOutage(e) ? null : e, "Hangfire could not be told of job {Job} ({Message}); should it wait, the "
                + "reconciler will see to it.", id, e.GetBaseException().Message);
        }
    }
}
