using Hangfire;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Worker;

/// <summary>Runs one job from claim to finish. Hangfire calls it on one of its worker threads.</summary>
public sealed class JobRunner(IDbContextFactory<TrainingDbContext> databases, DatasetRegistry datasets, WakeUps wakeUps, JobEnded ended, WorkerOptions options,
    IHostApplicationLifetime lifetime, ILogger<JobRunner> log)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);
    private const int EarlyBeatRows = 1000;
    private const string InternalError = "internal_error";

    // Only a database that doesn't answer makes this throw: all else is an outcome of the job.
    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [5, 30, 120])]
    public async Task RunAsync(Guid id)
    {
        // Taken while shutting down: the row stays queued and another worker's reconciler finds it.
        if (lifetime.ApplicationStopping.IsCancellationRequested || await Lease.ClaimAsync(databases, id, options, CancellationToken.None) is not { } lease)
            return;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(lease.Spec.TimeoutSeconds!.Value));
        using var withdrawn = new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping, timeout.Token, withdrawn.Token);

        var run = new TrainingRun(lease.Spec, datasets, options.ThreadsPerJob, stop.Token);
        var outcome = await FollowAsync(lease, run, withdrawn, timeout.Token);
        if (await EndAsync(lease, run, outcome) && outcome == Outcome.Released)
            wakeUps.Add(new WakeUp(id, lease.Priority));
        else
            await ended(lease.SweepId, CancellationToken.None);
    }

    /// <summary>Trains and tells the row about it, until the training has ended one way or another.</summary>
    private async Task<Outcome> FollowAsync(Lease lease, TrainingRun run, CancellationTokenSource withdrawn, CancellationToken timeout)
    {
        // A thread of its own, so that training and beats don't wait for each other.
        var training = Task.Factory.StartNew(run.Train, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (await WaitAsync(training, run.Metrics))
                if (!await BeatAsync(lease, run))
                    await withdrawn.CancelAsync();
            return Outcome.Of(await training);
        }
        catch (OperationCanceledException)
        {
            return withdrawn.IsCancellationRequested ? Outcome.Canceled
                : timeout.IsCancellationRequested ? Outcome.Failed("timeout", "The run took longer than its timeoutSeconds: raise them, or train for fewer epochs.")
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
    private static async Task<bool> WaitAsync(Task training, MetricWriter metrics)
    {
        for (var waited = TimeSpan.Zero; waited < Beat && metrics.Waiting < EarlyBeatRows && !training.IsCompleted; waited += Beat / 10)
            await Task.WhenAny(training, Task.Delay(Beat / 10));
        return !training.IsCompleted;
    }

    /// <summary>Writes what was measured and how far the run is; false if it shall stop, being cancelled or no longer ours.</summary>
    private async Task<bool> BeatAsync(Lease lease, TrainingRun run)
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
            return owned && !canceling;
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            // Nobody can take the job from us as long as the database is away, so the run goes on and the rows wait.
            log.LogWarning("Job {Id}: progress could not be written ({Message}); trying again.", lease.Id, e.GetBaseException().Message);
            return true;
        }
        catch
        {
            // The database refuses these rows; they must not stand in the way of the job's end.
            run.Metrics.Forget();
            throw;
        }
    }

    /// <summary>The rest of the metrics and the outcome in one transaction; false if the job is no longer ours.</summary>
    private async Task<bool> EndAsync(Lease lease, TrainingRun run, Outcome outcome)
    {
        while (true)
        {
            try
            {
                return await lease.WriteAsync(async (db, job) =>
                {
                    await run.WriteAsync(db, job);
                    if (outcome != Outcome.Released)
                        run.WriteUnits(db, lease.Id);
                    outcome.ApplyTo(job);
                });
            }
            catch (Exception e) when (Database.IsOutage(e) && !lifetime.ApplicationStopping.IsCancellationRequested)
            {
                log.LogWarning("Job {Id}: its end could not be written ({Message}); trying again.", lease.Id, e.GetBaseException().Message);
                await Task.Delay(Beat);
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
