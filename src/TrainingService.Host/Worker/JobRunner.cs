using Hangfire;
using Hangfire.Server;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Models;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>What Hangfire calls, on one of its worker threads, when it wakes a worker.</summary>
public sealed class JobRunner(IDbContextFactory<TrainingDbContext> databases, DatasetRegistry datasets, JobRules rules, WakeUps wakeUps,
    JobEnded ended, ModelLimits models, WorkerOptions options, Slots slots, HeadStart headStart,
    IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<JobRunner> log)
{
    /// <summary>Between claims that found others just claiming.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(5);

    private const int Turns = 200;

    private long _looked;

    /// <summary>Between looks whether there is memory for a job by now, and for whether one waits for it.</summary>
    private static readonly TimeSpan MemoryTurn = TimeSpan.FromMilliseconds(100), Look = TimeSpan.FromSeconds(1);

    // Taken while shutting down: the rows stay queued and another worker's reconciler finds them.
    private bool Stops => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>
    /// Runs one job from claim to finish, unless something more urgent waits or the job no longer does: then whatever waits. So it does not
    /// matter in which order Hangfire takes its entries, and those of jobs that were canceled or deleted hold up nobody.
    /// </summary>
    /// <param name="id">The job's.</param>
    /// <param name="hangfire">The wake-up; Hangfire fills it in.</param>
    /// <param name="abort">Set when the process shuts down, and soon after the wake-up is no longer this call's own.</param>
    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [5, 30, 120])]
    public Task RunAsync(Guid id, PerformContext? hangfire, CancellationToken abort) =>
        headStart.WorkAsync(entry => RunAsync(id, entry), hangfire, abort);

    private async Task RunAsync(Guid id, HangfireEntry entry)
    {
        if (Stops)
            return;
        if (await slots.TakeAsync(() => Lease.ClaimAsync(databases, id, slots.Room, options, clock, CancellationToken.None))
            is { Count: > 0 } leases)
        {
            await RunAsync(leases, entry);
            // what waited for this run to end may have been woken for in vain
            if (options.OwnerRuns == 0)
                return;
        }
        else
        {
            await SpentWakeUps.DropAsync(databases, CancellationToken.None);
        }
        // If there isn't enough memory for it now, this slot takes what fits beside it until there is. Of one that is too large for this
        // process a larger one's reconciler takes care.
        if (await FitsAsync(options.Memory))
            await DrainAsync(entry);
    }

    /// <summary>Runs whatever waits, a group at a time, until nothing does.</summary>
    /// <inheritdoc cref="RunAsync(Guid, PerformContext, CancellationToken)"/>
    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [5, 30, 120])]
    public Task DrainAsync(PerformContext? hangfire, CancellationToken abort) => headStart.WorkAsync(DrainAsync, hangfire, abort);

    /// <inheritdoc cref="DrainAsync(PerformContext, CancellationToken)"/>
    /// <param name="entry">Shows what runs.</param>
    public async Task DrainAsync(HangfireEntry entry)
    {
        var waited = false;
        for (var empty = 0; empty < Turns && !Stops && !entry.IsDeleted();)
        {
            if (await slots.TakeAsync(ClaimNextAsync) is { Count: > 0 } leases)
            {
                // who waited and takes something leaves the waiting to another slot
                if (waited)
                    wakeUps.Add(new WakeUp(null, leases[0].Priority));
                (empty, waited) = (0, false);
                await RunAsync(leases, entry);
                continue;
            }
            if (await FitsAsync(slots.Room))
            {
                empty++;
                await Task.Delay(Turn, CancellationToken.None);
            }
            else if (!await FitsAsync(options.Memory) || !(waited = await WaitForMemoryAsync(entry)))
            {
                return;
            }
        }
    }

    /// <summary>First what waited for memory, once there is enough; else what comes next, of what fits.</summary>
    private async Task<IReadOnlyList<Lease>> ClaimNextAsync()
    {
        // with nothing taken whatever comes next fits
        if (!slots.IsEmpty && clock.GetElapsedTime(_looked) > Look)
        {
            _looked = clock.GetTimestamp();
            slots.Await(await Lease.AwaitedAsync(databases, slots.Room, options, CancellationToken.None));
        }
        if (slots.Due is { } due)
        {
            var leases = await Lease.ClaimAsync(databases, due, options.Memory, options, clock, CancellationToken.None);
            if (leases.Count > 0)
                return leases;
            slots.Await(null);
        }
        return await Lease.ClaimNextAsync(databases, slots.Room, slots.Pace, options, clock, CancellationToken.None);
    }

    /// <summary>
    /// Until there may be enough for another job; false if another slot waits already, so that this one is free for what is woken for.
    /// </summary>
    private async Task<bool> WaitForMemoryAsync(HangfireEntry entry)
    {
        if (!slots.TryWait())
            return false;
        try
        {
            while (!Stops && !entry.IsDeleted() && slots.Due is null && !await FitsAsync(slots.Room)
                && await FitsAsync(options.Memory))
                await Task.Delay(MemoryTurn, CancellationToken.None);
            return true;
        }
        finally
        {
            slots.EndWait();
        }
    }

    private async Task<bool> FitsAsync(long memory)
    {
        await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
        return await Lease.WaitsAsync(db, memory, options, CancellationToken.None);
    }

    private async Task RunAsync(IReadOnlyList<Lease> leases, HangfireEntry entry)
    {
        log.Claimed(leases);
        foreach (var lease in leases.Where(lease => lease.Attempt == 1))
            Traces.TellWait("queue", lease.Traceparent, lease.Id);
        try
        {
            using var group = new RunGroup(leases, databases, datasets, rules, wakeUps, ended, models, options, clock, log,
                lifetime.ApplicationStopping);
            await group.RunAsync(entry);
        }
        finally
        {
            slots.Free(leases);
        }
    }
}
