using Hangfire;
using Hangfire.Common;
using Hangfire.States;

namespace TrainingService.Host.Worker;

/// <summary>Wakes workers through Hangfire. The truth about a job is its row; a lost or doubled wake-up does no harm.</summary>
public sealed class JobQueue(IBackgroundJobClient hangfire, ILogger<JobQueue> log)
{
    /// <summary>Workers take them in alphabetical order; the index is the job's priority.</summary>
    public static readonly string[] Names = ["a-high", "b-normal", "c-low"];

    /// <summary>Wakes for many without making anyone wait; what a dying process leaves out, the reconciler mends.</summary>
    public void WakeLater(IReadOnlyList<Jobs.Job> jobs) => _ = Task.Run(async () =>
    {
        foreach (var job in jobs)
            await WakeAsync(job.Id, job.Priority, CancellationToken.None);
    });

    /// <summary>To be called after the row is committed. Never throws: the reconciler mends what is missed. Cancellation ends the wait, not the wake-up.</summary>
    public async Task WakeAsync(Guid id, short priority, CancellationToken cancellation)
    {
        try
        {
            await Task.Run(() => hangfire.Create(Job.FromExpression<JobRunner>(runner => runner.RunAsync(id)), new EnqueuedState(Names[priority])), CancellationToken.None)
                .WaitAsync(cancellation);
        }
        catch (Exception e) when (e is BackgroundJobClientException or OperationCanceledException)
        {
            log.LogWarning(e, "Job {Id} could not be put into the queue at once; the reconciler will see to it.", id);
        }
    }
}
