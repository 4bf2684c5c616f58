using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>A run that this worker has claimed: waiting for its turn, training, or ended.</summary>
/// <param name="lease">By which it is ours.</param>
/// <param name="stopping">Set when the process shuts down.</param>
public sealed class ClaimedRun(Lease lease, CancellationToken stopping) : IDisposable
{
    public const string InternalError = "internal_error", OutOfMemory = "out_of_memory";

    /// <summary>For the step that it is in, so that nothing of it is lost.</summary>
    private static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _withdrawn = new();
    private volatile TrainingRun? _run;
    private volatile Outcome? _outcome, _fault, _wanted;
    private long? _yieldedAt;

    public Lease Lease => lease;

    /// <summary>When its training began.</summary>
    public DateTimeOffset? Began { get; private set; }

    /// <summary>When it had an outcome.</summary>
    public DateTimeOffset? Ended { get; private set; }

    /// <summary>How long it trained.</summary>
    public double Seconds => (Ended - Began)?.TotalSeconds ?? 0;

    /// <summary>Which step it has come to.</summary>
    public long Step => _run?.State.Step ?? 0;

    /// <summary>Null until its training has begun.</summary>
    public TrainingRun? Run => _run;

    /// <summary>Null until it has ended.</summary>
    public Outcome? Outcome => _outcome;

    /// <summary>Whether its rows say so: nothing remains to be written.</summary>
    public bool IsSettled { get; set; }

    /// <summary>Makes it stop at once, or not begin: it was cancelled, or is no longer ours.</summary>
    public Task WithdrawAsync()
    {
        _wanted = Outcome.Canceled;
        return _withdrawn.CancelAsync();
    }

    /// <summary>
    /// Makes it stop after the step that it is in, or not begin, to go on another time from there. To be called again and again, until it
    /// has an outcome.
    /// </summary>
    public async Task YieldAsync(Outcome outcome, TimeProvider clock)
    {
        if (_outcome is not null || _wanted == Outcome.Canceled)
            return;
        (_wanted, _yieldedAt) = (outcome, _yieldedAt ?? clock.GetTimestamp());
        if (_run?.StopAfterStep() != true || clock.GetElapsedTime(_yieldedAt.Value) > LongestStep)
            await _withdrawn.CancelAsync();
    }

    /// <summary>Trains, on the caller's thread, until it has an outcome.</summary>
    public void Train(GroupPlans plans, SeedRows rows, DatasetRegistry datasets, JobRules rules,
        IDbContextFactory<TrainingDbContext> databases, int threads, TimeProvider clock, ILogger log)
    {
        using var scope = log.BeginScope(new LogScope(lease.Id, lease.SweepId, lease.Trace));
        using var span = Traces.Begin("run", lease.Traceparent, ActivityKind.Consumer);
        var outcome = _wanted ?? (stopping.IsCancellationRequested ? Outcome.Released
            : TrainToOutcome(plans, rows, datasets, rules, databases, threads, clock, log));
        span?.SetTag("training.job", lease.Id).SetTag("training.sweep", lease.SweepId).SetTag("training.attempt", lease.Attempt)
            .SetTag("training.status", Json.NameOf(outcome.Status)).SetTag("training.step", Step)
            .SetStatus(outcome.Status is JobStatus.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Unset, outcome.ErrorCode);
        Ended = clock.GetUtcNow();
        _outcome = _fault ?? outcome;
    }

    private Outcome TrainToOutcome(GroupPlans plans, SeedRows rows, DatasetRegistry datasets, JobRules rules,
        IDbContextFactory<TrainingDbContext> databases, int threads, TimeProvider clock, ILogger log)
    {
        Began = clock.GetUtcNow();
        var left = Math.Max(lease.Spec.TimeoutSeconds!.Value - lease.RanSeconds, 0);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(left), clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _withdrawn.Token);
        var trials = new PatchTrials(lease, rules, datasets, threads, clock, log);
        _run = new TrainingRun(lease, plans, rows, datasets, databases, trials, threads, log, stop.Token);
        try
        {
            var result = _run.Train();
            // one that was cancelled while changes of it were tried
            return _wanted == Outcome.Canceled ? Outcome.Canceled : Outcome.Of(result);
        }
        catch (OperationCanceledException)
        {
            return _wanted ?? (timeout.IsCancellationRequested ? Outcome.Failed("timeout",
                    "The run took longer than its timeoutSeconds: raise them, or train for fewer epochs.")
                : Outcome.Released);
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
            return Faulted(e, log);
        }
    }

    /// <summary>Its end will be a fault of the service.</summary>
    public void Fault(Exception e, ILogger log)
    {
        _fault = Faulted(e, log);
        if (_outcome is not null)
            _outcome = _fault;
    }

    public void Dispose() => _withdrawn.Dispose();

    private Outcome Faulted(Exception e, ILogger log)
    {
        log.LogError(e, "Job {Job} failed.", lease.Id);
        if (e is OutOfMemoryException)
            return Outcome.Failed(OutOfMemory, "The worker had not enough memory for the run: use fewer units or a smaller batch, or give "
                + "it more.");
        return Outcome.Failed(InternalError, $"The run failed: {e.Message}");
    }
}
