using Hangfire;
using Hangfire.States;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>
/// Carries wake-ups into Hangfire's queue, wherever jobs are made, on threads of its own: Hangfire's client holds
/// its thread while Postgres answers.
/// </summary>
public sealed class Waker(WakeUps wakeUps, IBackgroundJobClient hangfire, ILogger<Waker> log) : IHostedService
{
    /// <summary>Workers take them in alphabetical order; the index is the job's priority.</summary>
    public static readonly string[] Queues = ["a-high", "b-normal", "c-low"];

    private const int Threads = 4;
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private volatile bool _hurry;
    private Task _carrying = Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _carrying = Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(Carry, TaskCreationOptions.LongRunning)));
        return Task.CompletedTask;
    }

    /// <summary>What waits is still carried, as long as the shutdown allows.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
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
            hangfire.Create(Hangfire.Common.Job.FromExpression<JobRunner>(
                runner => runner.RunAsync(wakeUp.Id, null, CancellationToken.None), queue), new EnqueuedState(queue));
            return true;
        }
        catch (BackgroundJobClientException e)
        {
            log.LogWarning(e, "Job {Id} could not be put into the queue at once; the reconciler will see to it.", wakeUp.Id);
            return false;
        }
    }

    private void Carry()
    {
        while (!_hurry && wakeUps.NextAsync().GetAwaiter().GetResult() is { } next)
            if (!Wake(next))
                Thread.Sleep(AfterFailure);
    }
}
