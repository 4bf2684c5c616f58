using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Models;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>
/// Runs that were claimed together, trained one after another. What ended, and how far the one that trains is, is written at every beat,
/// and all leases are renewed; most groups end before their first beat, with a single write.
/// </summary>
public sealed class RunGroup(IReadOnlyList<Lease> leases, IDbContextFactory<TrainingDbContext> databases, DatasetRegistry datasets,
    JobRules rules, WakeUps wakeUps, JobEnded ended, ModelLimits models, WorkerOptions options, TimeProvider clock, ILogger log,
    CancellationToken stopping)
    : IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private const int EarlyBeatRows = 1000;

    private readonly ClaimedRun[] _runs = [.. leases.Select(lease => new ClaimedRun(lease, stopping))];
    private readonly Outage _outage = new(LongestPause < options.Lease / 4 ? LongestPause : options.Lease / 4);
    private readonly Lag.Wait _lag = Meters.WriterLag.Begin();
    private volatile ClaimedRun? _training;
    private ClaimedRun? _shown;

    // Only a database that doesn't answer makes this throw: all else is an outcome of the job.
    public async Task RunAsync(HangfireEntry entry)
    {
        // A thread of its own, so that training and beats don't wait for each other.
        var training = Task.Factory.StartNew(TrainAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (await WaitAsync(training))
            {
                await WriteAsync(atEnd: false);
                await MeetAsync(entry);
            }
        }
        finally
        {
            // however this ends, nothing may go on that isn't told
            foreach (var run in _runs.Where(run => run.Outcome is null))
                if (!training.IsCompleted)
                    await run.WithdrawAsync();
            await ((Task)training).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await WriteAsync(atEnd: true);
    }

    public void Dispose()
    {
        _lag.Dispose();
        foreach (var run in _runs)
            run.Dispose();
    }

    private void TrainAll()
    {
        var plans = new GroupPlans();
        using var rows = new SeedRows();
        foreach (var run in _runs)
        {
            _training = run;
            run.Train(plans, rows, datasets, rules, databases, options.ThreadsPerJob, clock, log);
        }
    }

    /// <summary>
    /// Shows on the dashboard, of a run that takes longer than a beat, which it is, and does what was asked for there. Nothing of this is
    /// worth a run while the database is away.
    /// </summary>
    private async Task MeetAsync(HangfireEntry entry)
    {
        if (!entry.IsJoined || _training is not { Outcome: null } run)
            return;
        try
        {
            if (entry.IsDeleted())
                await run.WithdrawAsync();
            if (run != _shown)
                entry.Show(run.Lease.Id);
            _shown = run;
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
        }
    }

    /// <summary>Until the next beat is due; false once the training has ended.</summary>
    private async Task<bool> WaitAsync(Task training)
    {
        var due = _outage.Failures > 0 ? _outage.Pause : Beat;
        for (var waited = TimeSpan.Zero; waited < due && !training.IsCompleted; waited += Beat / 10)
        {
            if (stopping.IsCancellationRequested && _training is { } current)
                await current.YieldAsync(Outcome.Released, clock);
            // Many rows are written at once, but not tried again at once.
            if (_outage.Failures == 0 && _training?.Run?.Metrics.IsFull(EarlyBeatRows) == true)
                break;
            await Task.WhenAny(training, Task.Delay(Beat / 10));
        }
        return !training.IsCompleted;
    }

    /// <summary>
    /// Writes what isn't settled. While the database is away the training goes on, nobody being able to take its job, and rows wait.
    /// </summary>
    /// <param name="atEnd">
    /// All have ended: tries until it is written. A process that shuts down tries for as long as nobody else can take its jobs: given back,
    /// they wait for no lease, and don't count its end as a death.
    /// </param>
    private async Task WriteAsync(bool atEnd)
    {
        var began = clock.GetTimestamp();
        do
        {
            try
            {
                await WriteOpenAsync([.. _runs.Where(run => !run.IsSettled)]);
                _lag.Restart();
                _outage.End();
            }
            catch (Exception e) when (Database.IsOutage(e) && !(atEnd && stopping.IsCancellationRequested
                && clock.GetElapsedTime(began) > options.Lease))
            {
                foreach (var run in _runs)
                    run.Run?.DropCheckpoint();
                if (_outage.Fail())
                    log.LogWarning("Job {Job}: its {What} could not be written ({Message}) in {Count} tries, nor that of {More} others; "
                        + "trying again.", _training?.Lease.Id, atEnd ? "end" : "progress", e.GetBaseException().Message, _outage.Failures,
                        _runs.Count(run => !run.IsSettled) - 1);
                if (atEnd)
                    await Task.Delay(_outage.Pause);
            }
        }
        while (atEnd && Array.Exists(_runs, run => !run.IsSettled));
    }

    /// <summary>All at once; if the database refuses that, one by one, so that a run whose rows it won't have fails alone.</summary>
    private async Task WriteOpenAsync(ClaimedRun[] open)
    {
        try
        {
            await WriteAsync(open);
        }
        catch (Exception e) when (!Database.IsOutage(e) && open.Length > 1)
        {
            foreach (var run in open)
                await WriteOpenAsync([run]);
        }
        catch (Exception e) when (!Database.IsOutage(e) && open is [var run]
            && run.Outcome?.ErrorCode is not (ClaimedRun.InternalError or ClaimedRun.OutOfMemory))
        {
            // These rows must not stand in the way of the job's end.
            run.Run?.Metrics.Forget();
            run.Fault(e, log);
            await run.WithdrawAsync();
        }
    }

    private async Task WriteAsync(ClaimedRun[] runs)
    {
        (ClaimedRun Run, Outcome? Outcome)[] ours = [];
        foreach (var run in runs)
            run.Run?.Pack();
        await Lease.WriteAsync(databases, runs.Select(run => run.Lease), async (db, owned) =>
        {
            foreach (var run in runs.Where(run => run.Outcome is null))
                await HeedAsync(run, owned.TryGetValue(run.Lease.Id, out var status) ? status : null);
            ours = [.. runs.Where(run => owned.ContainsKey(run.Lease.Id))
                .Select(run => (run, run.Outcome?.Of(owned[run.Lease.Id])))];
            await RunRows.WriteAsync(db, ours, options.Lease, models);
        });
        foreach (var (run, outcome) in ours)
        {
            run.Run?.Wrote();
            Meters.Samples.Add(run.Run?.FreshSamples() ?? 0);
            run.IsSettled = outcome is not null;
            if (outcome?.Status is JobStatus.Queued)
                wakeUps.Add(new WakeUp(run.Lease.Id, run.Lease.Priority));
        }
        Tell([.. from mine in ours where mine.Outcome is not null select (mine.Run, mine.Outcome)]);
        foreach (var sweep in ours.Where(mine => mine.Outcome is { IsEnd: true })
            .Select(mine => mine.Run.Lease.SweepId).Distinct())
            await TellAsync(sweep);
        ClaimedRun[] lost = [.. runs.Except(ours.Select(mine => mine.Run))];
        await Lease.OutliveAsync(databases, [.. from run in lost where run.Began is not null select run.Lease]);
        foreach (var run in lost)
            run.IsSettled = true;
    }

    /// <summary>Does what the job's status, null if it is no longer ours, asks of a run that has not ended.</summary>
    private async Task HeedAsync(ClaimedRun run, JobStatus? status)
    {
        switch (status)
        {
            case JobStatus.Running:
                run.Run?.KeepCheckpoints(options.Checkpoint);
                break;
            case JobStatus.Pausing:
                await run.YieldAsync(Outcome.Paused, clock);
                break;
            case JobStatus.Canceling:
                await run.WithdrawAsync();
                break;
            default:
                log.LogWarning("Job {Job}: attempt {Attempt} stops, since its lease is lost: the worker was silent for longer than "
                    + "{Lease} s and another one may have it, or the job was deleted.", run.Lease.Id, run.Lease.Attempt,
                    options.Lease.TotalSeconds);
                await run.WithdrawAsync();
                break;
        }
    }

    private void Tell(IReadOnlyList<(ClaimedRun Run, Outcome Outcome)> settled)
    {
        foreach (var (run, outcome) in settled)
            Meters.RunSeconds.Record(run.Seconds, new KeyValuePair<string, object?>("status", Json.NameOf(outcome.Status)));
        log.Settled(settled);
    }

    /// <summary>What comes of it is no matter of the runs, whose ends are written.</summary>
    private async Task TellAsync(Guid? sweep)
    {
        try
        {
            await ended(sweep, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogError(Database.IsOutage(e) ? null : e, "Sweep {Sweep} does not go on ({Message}); the reconciler will see to it.",
                sweep, e.GetBaseException().Message);
        }
    }
}
