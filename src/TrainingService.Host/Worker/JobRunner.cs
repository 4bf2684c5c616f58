using Hangfire;
using Hangfire.Server;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>Runs one job from claim to finish. Hangfire calls it on one of its worker threads.</summary>
public sealed class JobRunner(IDbContextFactory<TrainingDbContext> databases, DatasetRegistry datasets, JobRules rules, WakeUps wakeUps,
    JobEnded ended, ModelLimits models, WorkerOptions options, Slots slots,
    IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<JobRunner> log)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private const int EarlyBeatRows = 1000;
    private const string InternalError = "internal_error";

    // Only a database that doesn't answer makes this throw: all else is an outcome of the job.
    /// <param name="hangfire">The wake-up; Hangfire fills it in.</param>
    /// <param name="abort">Set when the process shuts down, and soon after the wake-up is no longer this call's own.</param>
    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [5, 30, 120])]
    public async Task RunAsync(Guid id, PerformContext? hangfire, CancellationToken abort)
    {
        // Taken while shutting down: the row stays queued and another worker's reconciler finds it.
        if (lifetime.ApplicationStopping.IsCancellationRequested
            || await Lease.ClaimAsync(databases, id, options, clock, CancellationToken.None) is not { } lease)
            return;
        slots.Take();
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(lease.Spec.TimeoutSeconds!.Value), clock);
            using var withdrawn = new CancellationTokenSource();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, timeout.Token, withdrawn.Token);

            var trials = new PatchTrials(lease, rules, datasets, options.ThreadsPerJob, clock, log);
            var run = new TrainingRun(lease.Spec, datasets, trials, options.ThreadsPerJob, lease.SweepId is not null, stop.Token);
            var outage = new Outage(LongestPause < options.Lease / 4 ? LongestPause : options.Lease / 4);
            var outcome = await FollowAsync(lease, run, outage, withdrawn, () => IsDeleted(hangfire, abort), timeout.Token);
            if (await EndAsync(lease, run, outage, outcome) is JobStatus.Queued)
                wakeUps.Add(new WakeUp(id, lease.Priority));
            else
                await ended(lease.SweepId, CancellationToken.None);
        }
        finally
        {
            slots.Free();
        }
    }

    /// <summary>
    /// Whether the wake-up was deleted on Hangfire's dashboard while its job runs: then the job is to stop. Hangfire also aborts when it
    /// believes the wake-up lost, as after an outage; that is no reason, the lease alone says whose job it is.
    /// </summary>
    private static bool IsDeleted(PerformContext? hangfire, CancellationToken abort)
    {
        if (hangfire is null || !abort.IsCancellationRequested)
            return false;
        using var storage = hangfire.Storage.GetConnection();
        return storage.GetStateData(hangfire.BackgroundJob.Id)?.Name == DeletedState.StateName;
    }

    /// <summary>Trains and tells the row about it, until the training has ended one way or another.</summary>
    private async Task<Outcome> FollowAsync(Lease lease, TrainingRun run, Outage outage,
        CancellationTokenSource withdrawn, Func<bool> isDeleted, CancellationToken timeout)
    {
        // A thread of its own, so that training and beats don't wait for each other.
        var training = Task.Factory.StartNew(run.Train, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (await WaitAsync(training, run.Metrics, outage))
                if (!await BeatAsync(lease, run, outage, isDeleted))
                    await withdrawn.CancelAsync();
            var result = await training;
            // one that was cancelled while changes of it were tried
            return withdrawn.IsCancellationRequested ? Outcome.Canceled : Outcome.Of(result);
        }
        catch (OperationCanceledException)
        {
            return withdrawn.IsCancellationRequested ? Outcome.Canceled
                : timeout.IsCancellationRequested ? Outcome.Failed("timeout",
                    "The run took longer than its timeoutSeconds: raise them, or train for fewer epochs.")
                : Outcome.Released;
        }
        catch (InvalidSpecException e)
        {
            return Outcome.Failed("invalid_spec", e.Message);
        }
        catch (DatasetUnavailableException e)
        {
            return Outcome.Failed("dataset_unavailable", e.Message);
        }
        catch (Exception e)
        {
            return Fault(lease, e);
        }
        finally
        {
            await withdrawn.CancelAsync();
            await ((Task)training).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Until the next beat is due; false once the training has ended.</summary>
    private static async Task<bool> WaitAsync(Task training, MetricWriter metrics, Outage outage)
    {
        var due = outage.Failures > 0 ? outage.Pause : Beat;
        for (var waited = TimeSpan.Zero; waited < due && !training.IsCompleted; waited += Beat / 10)
        {
            // Many rows are written at once, but not tried again at once.
            if (outage.Failures == 0 && metrics.Waiting >= EarlyBeatRows)
                break;
            await Task.WhenAny(training, Task.Delay(Beat / 10));
        }
        return !training.IsCompleted;
    }

    /// <summary>Writes what was measured and how far the run is; false if it shall stop, being cancelled or no longer ours.</summary>
    private async Task<bool> BeatAsync(Lease lease, TrainingRun run, Outage outage, Func<bool> isDeleted)
    {
        var canceling = false;
        try
        {
            var owned = await lease.WriteAsync(async (db, job) =>
            {
                canceling = job.Status is JobStatus.Canceling;
                await run.WriteAsync(db, job);
            });
            run.Wrote();
            outage.End();
            return owned && !canceling && !isDeleted();
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            // Nobody can take the job from us as long as the database is away, so the run goes on and the rows wait.
            if (outage.Fail())
                log.LogWarning("Job {Id}: progress could not be written ({Message}) in {Count} tries; trying again.",
                    lease.Id, e.GetBaseException().Message, outage.Failures);
            return true;
        }
        catch
        {
            // The database refuses these rows; they must not stand in the way of the job's end.
            run.Metrics.Forget();
            throw;
        }
    }

    /// <summary>
    /// The rest of the metrics and the outcome in one transaction. Answers how the row stands then; null if the job is no longer ours.
    /// </summary>
    private async Task<JobStatus?> EndAsync(Lease lease, TrainingRun run, Outage outage, Outcome outcome)
    {
        while (true)
        {
            try
            {
                JobStatus? status = null;
                await lease.WriteAsync(async (db, job) =>
                {
                    await run.WriteAsync(db, job, ended: true);
                    if (outcome != Outcome.Released)
                        run.WriteUnits(db, lease.Id);
                    var counted = outcome.Result is null ? outcome : outcome.Counted(run.Metrics.Measured,
                        await MetricWriter.CountAsync((NpgsqlConnection)db.Database.GetDbConnection(), lease.Id));
                    counted.ApplyTo(job, clock.GetUtcNow());
                    await run.WriteModelAsync(db, job, models);
                    status = job.Status;
                });
                return status;
            }
            catch (Exception e) when (Database.IsOutage(e) && !lifetime.ApplicationStopping.IsCancellationRequested)
            {
                if (outage.Fail())
                    log.LogWarning("Job {Id}: its end could not be written ({Message}) in {Count} tries; trying again.",
                        lease.Id, e.GetBaseException().Message, outage.Failures);
                await Task.Delay(outage.Pause);
            }
            catch (Exception e) when (!Database.IsOutage(e) && outcome.ErrorCode is not InternalError)
            {
                run.Metrics.Forget();
                outcome = Fault(lease, e);
            }
        }
    }

    private Outcome Fault(Lease lease, Exception e)
    {
        log.LogError(e, "Job {Id} failed.", lease.Id);
        return Outcome.Failed(InternalError, $"The run failed: {e.Message}");
    }
}
