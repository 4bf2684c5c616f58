using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>From a job's spec to its result, with what others may see meanwhile.</summary>
/// <param name="lease">Whose run it is.</param>
/// <param name="plans">Of the runs before it.</param>
/// <param name="rows">Of the seeds before it.</param>
/// <param name="datasets">Where its rows are.</param>
/// <param name="databases">Where its checkpoints are.</param>
/// <param name="trials">Of what its findings recommend.</param>
/// <param name="threads">That it may use.</param>
/// <param name="log">Where it says which of them it goes on from.</param>
/// <param name="stop">Ends it.</param>
public sealed class TrainingRun(Lease lease, GroupPlans plans, SeedRows rows, DatasetRegistry datasets,
    IDbContextFactory<TrainingDbContext> databases, PatchTrials trials, int threads, ILogger log, CancellationToken stop)
{
    /// <summary>Of a run's time that checkpoints may take.</summary>
    private const double LargestShare = 0.01;

    /// <summary>Bytes of a checkpoint that is not left to the collector.</summary>
    private const int LargeState = 32_000_000;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private volatile Preflight? _preflight;
    private volatile Trainer? _trainer;
    private volatile Watch? _watch;
    private volatile Trained? _ended;
    private TrainedModel? _model;
    private IReadOnlyList<IReadOnlyList<UnitPoint>> _units = [];
    private IReadOnlyList<Finding> _written = [], _writing = [];
    private long _steps, _stored;
    private (long Step, int Epoch) _kept = (lease.Checkpoint?.Step ?? 0, lease.Checkpoint?.Epoch ?? 0);
    private CapturedRun? _storing;
    private volatile CapturedRun? _captured;
    private volatile bool _stops;
    private long _capturedAt;
    private double _cost, _counted;

    public MetricWriter Metrics { get; } = new(stop);

    /// <summary>Trains; then what its findings would recommend is tried, so that they are complete when the outcome is told.</summary>
    public TrainingResult Train()
    {
        var (result, watch) = Run();
        trials.Run(watch, result, stop);
        return result;
    }

    private (TrainingResult Result, Watch Watch) Run()
    {
        var (spec, inSweep) = (lease.Spec, lease.SweepId is not null);
        // All that is read is read before it trains: no outage shall cost a run that is done.
        var outage = new Outage(LongestPause);
        var seed = spec.Training!.Seed!.Value;
        // a single run's are asked for again by those who look at it
        var data = outage.Through(() => inSweep ? datasets.Load(spec.Dataset, seed, rows) : datasets.Load(spec.Dataset, seed), stop);
        var sha256 = outage.Through(() => datasets.Find(spec.Dataset)?.Sha256, stop);
        stop.ThrowIfCancellationRequested();
        var plan = plans.Of(lease, data.Shape);
        (_steps, _stored) = (plan.Steps, CheckedJob.StoredBytesOf(plan));
        // of a sweep's many when somebody asks for it
        // an attempt that stored a checkpoint has stored this, too
        _preflight = inSweep || (lease.Checkpoint is { } old && old.Step != lease.ForkedAt) ? null : Preflight.Predict(plan, data, stop);
        var watch = new Watch(plan, outage.Through(() => CreateJob.Facts(spec, plan, data, datasets), stop));
        var card = spec.StoreWeights ?? !inSweep ? outage.Through(() => new ModelCard(datasets.Encoding(spec.Dataset, plan.Training.Seed),
            data.Shape, datasets.Find(spec.Dataset)?.Card.Target ?? ""), stop) : null;
        using var trainer = new Trainer(plan, data, threads, stop);
        var epochs = inSweep ? null : EpochSpans.Begin(plan.Training.Epochs);
        trainer.OnMetric = point =>
        {
            Metrics.Add(point);
            watch.Add(point);
            epochs?.Add(point);
        };
        trainer.OnLayers = points =>
        {
            Metrics.Add(points);
            watch.Add(points);
        };
        trainer.OnReturn = step =>
        {
            Metrics.Return(step);
            watch.Return(step);
        };
        var resumed = lease.Checkpoint is null ? null
            : new Resumption(lease, databases, log, outage, stop).Restore(trainer, watch, Metrics);
        _kept = (resumed?.Step ?? 0, resumed?.Epoch ?? 0);
        _counted = SamplesOf(trainer.Progress);
        if (resumed is null && !inSweep)
            _preflight ??= Preflight.Predict(plan, data, stop);
        _capturedAt = Stopwatch.GetTimestamp();
        (_watch, _trainer) = (watch, trainer);
        try
        {
            var result = trainer.Run(stop) with { DatasetSha256 = sha256 };
            if (resumed is not null && Moved(resumed) is { } note)
                result = result with { Notes = [.. result.Notes ?? [], note] };
            watch.End(result);
            if (card is not null)
                _model = TrainedModel.Of(MemoryMarshal.AsBytes<float>(trainer.Weights()), card);
            return (result, watch);
        }
        finally
        {
            _units = [.. trainer.Layers.Select(l => trainer.Units(l.Index))];
            // hundreds wait for the end of their group: what they leave behind, not what they were trained with
            _ended = new(trainer.Progress, trainer.Layers);
            _trainer = null;
        }
    }

    /// <summary>That a run went on elsewhere, where its numbers may differ.</summary>
    private static string? Moved(Checkpoint from) =>
        (from.EngineVersion, from.InstructionSet) == (EngineInfo.Version, EngineInfo.InstructionSet) ? null
            : $"Up to step {from.Step} it was trained by engine {from.EngineVersion} on {from.InstructionSet}, from there on by engine "
                + $"{EngineInfo.Version} on {EngineInfo.InstructionSet}.";

    /// <summary>Has the state captured at the end of the step that the run is in, if it is time for it.</summary>
    /// <param name="interval">Between two checkpoints at the least.</param>
    public void KeepCheckpoints(TimeSpan interval)
    {
        if (_trainer is not { } trainer || _ended is not null || _stops || _captured is not null)
            return;
        if (Stopwatch.GetElapsedTime(_capturedAt).TotalSeconds >= Math.Max(interval.TotalSeconds, _cost / LargestShare))
            trainer.AfterStep = Capture;
    }

    /// <summary>Ends the training after the step that it is in, its state captured. False where it isn't training.</summary>
    public bool StopAfterStep()
    {
        if (_trainer is not { } trainer || _ended is not null)
            return false;
        _stops = true;
        trainer.AfterStep = CaptureAndStop;
        return true;
    }

    /// <summary>What is to be stored now: all that was measured up to there is stored, or is just being stored.</summary>
    public CapturedRun? Store()
    {
        _storing = _captured is { } captured && Metrics.Copied >= captured.Entered ? captured : null;
        HasCheckpoints |= _storing is not null;
        return _storing;
    }

    /// <summary>Deflates what was captured, if something was: before a transaction.</summary>
    public void Pack()
    {
        if (_captured is not { } captured)
            return;
        var began = Stopwatch.GetTimestamp();
        try
        {
            _ = captured.Chunks;
        }
        catch (OutOfMemoryException)
        {
            _captured = null;
            GoWithout();
        }
        _cost += Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Whether there are checkpoints of it in the database, or may be.</summary>
    public bool HasCheckpoints { get; private set; } = lease.Checkpoint is not null;

    private void Capture()
    {
        if (_trainer is not { } trainer)
            return;
        trainer.AfterStep = null;
        _capturedAt = Stopwatch.GetTimestamp();
        try
        {
            var (state, progress) = (trainer.Capture(), trainer.Progress);
            _cost = Stopwatch.GetElapsedTime(_capturedAt).TotalSeconds;
            _captured = new(state, progress.Step, progress.Epoch, Metrics.Measured, Metrics.Entered, trainer.Times);
        }
        catch (OutOfMemoryException)
        {
            GoWithout();
        }
        if (_stops)
            trainer.AfterStep = CaptureAndStop;
    }

    /// <summary>
    /// A checkpoint that could not be written is not tried again, unless it is that of a run that stops: the next one will be newer, and a
    /// large one must not keep what was measured from being stored.
    /// </summary>
    public void DropCheckpoint()
    {
        if (!_stops)
            _captured = null;
    }

    private void GoWithout() =>
        log.LogWarning("Job {Job}: there is no memory for a checkpoint; the run goes on without this one.", lease.Id);

    private void CaptureAndStop()
    {
        Capture();
        throw new OperationCanceledException("The run goes on another time.");
    }

    /// <summary>How far it will be when it goes on another time.</summary>
    public RunState StateToGoOn => RunState.None with { Epoch = _storing?.Epoch ?? _kept.Epoch, Step = _storing?.Step ?? _kept.Step };

    /// <summary>How far it is; what is null isn't known yet.</summary>
    public RunState State
    {
        get
        {
            if (Reached is not var (progress, layers))
                return StateToGoOn with { Preflight = _preflight };
            return new(_preflight, layers, progress.Epoch, progress.Step, progress.SamplesPerSecond,
                _ended is not null ? trials.SecondsLeft
                    : progress.Step > 0 ? progress.Seconds / progress.Step * (_steps - progress.Step) : null,
                FindingCounts.Of(_writing));
        }
    }

    private Trained? Reached
    {
        get
        {
            var trainer = _trainer;
            return _ended ?? (trainer is null ? null : new(trainer.Progress, trainer.Layers));
        }
    }

    /// <summary>Rows that were trained on since this was last asked.</summary>
    public double FreshSamples()
    {
        if (Reached is not { } reached)
            return 0;
        var (before, now) = (_counted, SamplesOf(reached.Progress));
        _counted = now;
        return Math.Max(now - before, 0);
    }

    private static double SamplesOf(TrainingProgress progress) => Math.Round(progress.SamplesPerSecond * progress.Seconds);

    /// <summary>What its measurements take as far as it came, as estimated.</summary>
    public long StoredBytes => _steps == 0 ? 0 : (long)(_stored * Math.Min(1.0, (double)State.Step / _steps));

    /// <summary>What became of the units of each layer, once the training has ended.</summary>
    public IReadOnlyList<IReadOnlyList<UnitPoint>> Units => _units;

    /// <summary>The net, if it is to be kept, once the training has ended.</summary>
    public TrainedModel? Model => _model;

    /// <summary>What the rules say by now.</summary>
    public IReadOnlyList<Finding> Findings => _writing;

    /// <summary>Whether some of what they said before may be stored, though they have taken it back.</summary>
    public bool MayTakeBack { get; private set; }

    /// <summary>What they say that isn't safe yet.</summary>
    public IReadOnlyList<Finding> FreshFindings()
    {
        MayTakeBack |= _writing.Count > 0;
        _writing = _watch?.Findings ?? [];
        return [.. _writing.Except(_written)];
    }

    /// <summary>What was written is safe.</summary>
    public void Wrote()
    {
        Metrics.Forget();
        _written = _writing;
        if (_storing is not { } stored)
            return;
        _kept = (stored.Step, stored.Epoch);
        _storing = null;
        if (_captured == stored)
            _captured = null;
        // by itself the collector is in no hurry where the machine has memory, and several states of a large net would wait for it
        if (stored.State.Length > LargeState)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
    }
}

/// <summary>How far a net is trained.</summary>
internal sealed record Trained(TrainingProgress Progress, IReadOnlyList<LayerInfo> Layers);

/// <summary>How far a run is.</summary>
public sealed record RunState(Preflight? Preflight, IReadOnlyList<LayerInfo>? Layers, int Epoch, long Step, double? SamplesPerSecond,
    double? EtaSeconds, FindingCounts? Findings)
{
    public static RunState None { get; } = new(null, null, 0, 0, null, null, null);
}

/// <summary>A spec that was fine when it was submitted no longer is, because its data set or the service has changed.</summary>
public sealed class InvalidSpecException(string message) : Exception(message);
