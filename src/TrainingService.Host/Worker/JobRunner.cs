using Hangfire;
using Hangfire.Server;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>What Hangfire calls, on one of its worker threads, when it wakes a worker.</summary>
public sealed class JobRunner(IDbContextFactory<TrainingDbContext> databases, DatasetRegistry datasets, JobRules rules, WakeUps wakeUps,
    JobEnded ended, ModelLimits models, WorkerOptions options, Slots slots,
    IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<JobRunner> log)
{
    /// <summary>Between claims that found others just claiming.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(5);

    private const int Turns = 200;

    // Taken while shutting down: the rows stay queued and another worker's reconciler finds them.
    private bool Stops => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Runs one job from claim to finish.</summary>
    /// <param name="id">The job's.</param>
    /// <param name="hangfire">The wake-up; Hangfire fills it in.</param>
    /// <param name="abort">Set when the process shuts down, and soon after the wake-up is no longer this call's own.</param>
    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [5, 30, 120])]
    [JobDisplayName("job {0}")]
    public async Task RunAsync(Guid id, PerformContext? hangfire, CancellationToken abort)
    {
        if (!Stops && await Lease.ClaimAsync(databases, id, options, clock, CancellationToken.None) is { } lease)
            await RunAsync([lease], hangfire, abort);
    }

    /// <summary>Runs whatever waits, a group at a time, until nothing does.</summary>
    /// <inheritdoc cref="RunAsync(Guid, PerformContext, CancellationToken)"/>
    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [5, 30, 120])]
    [JobDisplayName("all that waits")]
    public async Task DrainAsync(PerformContext? hangfire, CancellationToken abort)
    {
        for (var empty = 0; empty < Turns && !Stops && !RunGroup.IsDeleted(hangfire, abort);)
        {
            if (await Lease.ClaimNextAsync(databases, options, clock, CancellationToken.None) is { Count: > 0 } leases)
            {
                empty = 0;
                await RunAsync(leases, hangfire, abort);
                continue;
            }
            await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
            if (!await db.Jobs.AnyAsync(job => job.Status == JobStatus.Queued, CancellationToken.None))
                return;
            empty++;
            await Task.Delay(Turn, CancellationToken.None);
        }
    }

    private async Task RunAsync(IReadOnlyList<Lease> leases, PerformContext? hangfire, CancellationToken abort)
    {
        slots.Take(leases);
        try
        {
            using var group = new RunGroup(leases, databases, datasets, rules, wakeUps, ended, models, options, clock, log,
                lifetime.ApplicationStopping);
            await group.RunAsync(hangfire, abort);
        }
        finally
        {
            slots.Free(leases);
        }
    }
}
