using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Worker;

/// <summary>From a job's spec to its result, with what others may see meanwhile. The only place that uses the trainer.</summary>
public sealed class TrainingRun(JobSpec spec, DatasetRegistry datasets, int threads, CancellationToken stop)
{
    private volatile Preflight? _preflight;
    private volatile Trainer? _trainer;

    public MetricWriter Metrics { get; } = new(stop);

    public TrainingResult Train()
    {
        var data = datasets.Load(spec.Dataset, spec.Training!.Seed!.Value);
        stop.ThrowIfCancellationRequested();
        List<SpecError> errors = [];
        var plan = RunPlan.Check(spec.Model!, spec.Training, spec.Diagnostics!, data.Shape, errors)
            ?? throw new InvalidSpecException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
        _preflight = Preflight.Predict(plan, data);
        using var trainer = new Trainer(plan, data, threads) { OnMetric = Metrics.Add, OnLayers = Metrics.Add };
        _trainer = trainer;
        return trainer.Run(stop) with { DatasetSha256 = datasets.Find(spec.Dataset.Name)?.Sha256 };
    }

    /// <summary>Writes onto the row what is known by now.</summary>
    public void Report(Job job)
    {
        job.Preflight ??= _preflight;
        if (_trainer is not { } trainer)
            return;
        var progress = trainer.Progress;
        job.Layers ??= trainer.Layers;
        (job.Epoch, job.Step, job.SamplesPerSecond) = (progress.Epoch, progress.Step, progress.SamplesPerSecond);
        job.EtaSeconds = progress.Step > 0 ? progress.Seconds / progress.Step * (job.Steps - progress.Step) : null;
    }
}

/// <summary>A spec that was fine when it was submitted no longer is, because its data set or the service has changed.</summary>
public sealed class InvalidSpecException(string message) : Exception(message);
