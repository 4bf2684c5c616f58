using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Worker;

/// <summary>From a job's spec to its result, with what others may see meanwhile. The only place that uses the trainer.</summary>
/// <param name="spec">As it was resolved.</param>
/// <param name="datasets">Where its rows are.</param>
/// <param name="trials">Of what its findings recommend.</param>
/// <param name="threads">That it may use.</param>
/// <param name="inSweep">Of many runs that are alike: their pre-flight is theory's, which costs next to nothing.</param>
/// <param name="stop">Ends it.</param>
public sealed class TrainingRun(JobSpec spec, DatasetRegistry datasets, PatchTrials trials, int threads, bool inSweep,
    CancellationToken stop)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private volatile Preflight? _preflight;
    private volatile Trainer? _trainer;
    private volatile Watch? _watch;
    private volatile StrongBox<TrainingProgress>? _ended;
    private IReadOnlyList<IReadOnlyList<UnitPoint>> _units = [];
    private IReadOnlyList<Finding> _written = [], _writing = [];

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
        // All that is read is read before it trains: no outage shall cost a run that is done.
        var outage = new Outage(LongestPause);
        var data = outage.Through(() => datasets.Load(spec.Dataset, spec.Training!.Seed!.Value), stop);
        var sha256 = outage.Through(() => datasets.Find(spec.Dataset)?.Sha256, stop);
        stop.ThrowIfCancellationRequested();
        List<SpecError> errors = [];
        var plan = RunPlan.Check(spec.Model!, spec.Training!.Stored(data.Shape.Target), spec.Diagnostics!, data.Shape, errors)
            ?? throw new InvalidSpecException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
        _preflight = inSweep ? Preflight.Theory(plan, data, stop) : Preflight.Predict(plan, data, stop);
        var watch = new Watch(plan, outage.Through(() => CreateJob.Facts(spec, plan, data, datasets), stop));
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
            return (result, watch);
        }
        finally
        {
            _ended = new(trainer.Progress);
            _units = [.. trainer.Layers.Select(l => trainer.Units(l.Index))];
        }
    }

    /// <summary>Writes what is known by now; what is not followed by <see cref="Wrote"/> is written again at the next call.</summary>
    /// <param name="ended">The training has ended: leaves nothing.</param>
    public async Task WriteAsync(TrainingDbContext db, Job job, bool ended = false)
    {
        job.Preflight ??= _preflight;
        if (_trainer is not { } trainer)
            return;
        var progress = _ended?.Value ?? trainer.Progress;
        job.Layers ??= trainer.Layers;
        (job.Epoch, job.Step, job.SamplesPerSecond) = (progress.Epoch, progress.Step, progress.SamplesPerSecond);
        job.EtaSeconds = _ended is not null ? trials.SecondsLeft
            : progress.Step > 0 ? progress.Seconds / progress.Step * (job.Steps - progress.Step) : null;
        await Metrics.CopyAsync((NpgsqlConnection)db.Database.GetDbConnection(), job.Id, ended);
        _writing = _watch!.Findings;
        foreach (var finding in _writing.Except(_written))
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO job_findings (job_id, rule, layer, finding)
                VALUES ({job.Id}, {finding.Rule}, {finding.Layer ?? ""}, {JsonSerializer.Serialize(finding, Json.Options)}::jsonb)
                ON CONFLICT (job_id, rule, layer) DO UPDATE SET finding = excluded.finding
                """);
        // Some may have been taken back since they were written.
        string[] still = [.. _writing.Select(finding => $"{finding.Rule} {finding.Layer}")];
        if (ended)
            await db.Database.ExecuteSqlAsync(
                $"DELETE FROM job_findings WHERE job_id = {job.Id} AND NOT rule || ' ' || layer = ANY ({still})");
        job.Findings = FindingCounts.Of(_writing);
    }

    /// <summary>What was written is safe.</summary>
    public void Wrote()
    {
        Metrics.Forget();
        _written = _writing;
    }

    /// <summary>What became of the units, once the training has ended.</summary>
    public void WriteUnits(TrainingDbContext db, Guid id) =>
        db.Units.AddRange(_units.Select((units, layer) => new UnitRow { JobId = id, Layer = (short)layer, Units = units }));
}

/// <summary>A spec that was fine when it was submitted no longer is, because its data set or the service has changed.</summary>
public sealed class InvalidSpecException(string message) : Exception(message);
