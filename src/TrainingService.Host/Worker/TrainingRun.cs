using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>From a job's spec to its result, with what others may see meanwhile. The only place that uses the trainer.</summary>
/// <param name="lease">Whose run it is.</param>
/// <param name="plans">Of the runs before it.</param>
/// <param name="datasets">Where its rows are.</param>
/// <param name="trials">Of what its findings recommend.</param>
/// <param name="threads">That it may use.</param>
/// <param name="stop">Ends it.</param>
public sealed class TrainingRun(Lease lease, GroupPlans plans, DatasetRegistry datasets, PatchTrials trials, int threads,
    CancellationToken stop)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private volatile Preflight? _preflight;
    private volatile Trainer? _trainer;
    private volatile Watch? _watch;
    private volatile StrongBox<TrainingProgress>? _ended;
    private TrainedModel? _model;
    private IReadOnlyList<IReadOnlyList<UnitPoint>> _units = [];
    private IReadOnlyList<Finding> _written = [], _writing = [];
    private long _steps;

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
        var data = outage.Through(() => datasets.Load(spec.Dataset, spec.Training!.Seed!.Value), stop);
        var sha256 = outage.Through(() => datasets.Find(spec.Dataset)?.Sha256, stop);
        stop.ThrowIfCancellationRequested();
        var plan = plans.Of(lease, data.Shape);
        _steps = plan.Steps;
        // of a sweep's many when somebody asks for it
        _preflight = inSweep ? null : Preflight.Predict(plan, data, stop);
        var watch = new Watch(plan, outage.Through(() => CreateJob.Facts(spec, plan, data, datasets), stop));
        var card = spec.StoreWeights ?? !inSweep ? outage.Through(() => new ModelCard(datasets.Encoding(spec.Dataset, plan.Training.Seed),
            data.Shape, datasets.Find(spec.Dataset)?.Card.Target ?? ""), stop) : null;
        using var trainer = new Trainer(plan, data, threads, stop);
        trainer.OnMetric = point =>
        {
            Metrics.Add(point);
            watch.Add(point);
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
        (_watch, _trainer) = (watch, trainer);
        try
        {
            var result = trainer.Run(stop) with { DatasetSha256 = sha256 };
            watch.End(result);
            if (card is not null)
                _model = TrainedModel.Of(MemoryMarshal.AsBytes<float>(trainer.Weights()), card);
            return (result, watch);
        }
        finally
        {
            _ended = new(trainer.Progress);
            _units = [.. trainer.Layers.Select(l => trainer.Units(l.Index))];
        }
    }

    /// <summary>How far it is; what is null isn't known yet.</summary>
    public RunState State
    {
        get
        {
            if (_trainer is not { } trainer)
                return RunState.None with { Preflight = _preflight };
            var progress = _ended?.Value ?? trainer.Progress;
            return new(_preflight, trainer.Layers, progress.Epoch, progress.Step, progress.SamplesPerSecond,
                _ended is not null ? trials.SecondsLeft
                    : progress.Step > 0 ? progress.Seconds / progress.Step * (_steps - progress.Step) : null,
                FindingCounts.Of(_writing));
        }
    }

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
    }
}

/// <summary>How far a run is.</summary>
public sealed record RunState(Preflight? Preflight, IReadOnlyList<LayerInfo>? Layers, int Epoch, long Step, double? SamplesPerSecond,
    double? EtaSeconds, FindingCounts? Findings)
{
    public static RunState None { get; } = new(null, null, 0, 0, null, null, null);
}

/// <summary>A spec that was fine when it was submitted no longer is, because its data set or the service has changed.</summary>
public sealed class InvalidSpecException(string message) : Exception(message);
