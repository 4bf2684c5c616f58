using System.Text.Json.Nodes;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>
/// Once a run's training has ended, trains what its findings would recommend: the same seed and rows, as many steps as the time allows and
/// the job has. What is measured on the way is compared and forgotten.
/// </summary>
public sealed class PatchTrials(Lease lease, JobRules rules, DatasetRegistry datasets, int threads, TimeProvider clock, ILogger log)
{
    /// <summary>Of the job's own time; but at least so many seconds.</summary>
    private const double Share = 0.25, LeastSeconds = 10;

    /// <summary>Changes that the time left is shared among: likely ones get more than those that come last.</summary>
    private const int Sharers = 3;

    private double _budget;
    private long _began;

    /// <summary>Of the time for all trials; 0 where there are none.</summary>
    public double SecondsLeft => Math.Max(0, _budget - (_budget > 0 ? clock.GetElapsedTime(_began).TotalSeconds : 0));

    /// <summary>Tries what is worth it and tells the findings; ends early, with what is known by then, when the job is to stop.</summary>
    public void Run(Watch watch, TrainingResult result, CancellationToken stop)
    {
        // a sweep compares by itself, and a second run only has to be equal
        if (!watch.Plan.Diagnostics.TryPatches || lease.SweepId is not null || lease.Verifies is not null
            || watch.Untried is not { Count: > 0 } changes)
            return;
        _began = clock.GetTimestamp();
        _budget = Math.Max(Share * result.Seconds, LeastSeconds);
        var tried = new Dictionary<string, Watch>();
        foreach (var (i, change) in changes.Index())
        {
            var limit = TimeSpan.FromSeconds(SecondsLeft / Math.Min(changes.Count - i, Sharers));
            if (stop.IsCancellationRequested || limit < TimeSpan.FromMilliseconds(1))
                break;
            if (Try(change.Patch, limit, stop) is { } trial)
                tried[change.Key] = trial;
        }
        watch.Judge(tried);
        _budget = 0;
    }

    /// <summary>The run with a change, to its end or that of the time; null if there can't be one, or the job is to stop.</summary>
    private Watch? Try(JsonObject patch, TimeSpan limit, CancellationToken stop)
    {
        using var time = new CancellationTokenSource(limit, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stop);
        Watch? watch = null;
        try
        {
            List<SpecError> errors = [];
            if (new SpecPatch(patch).ApplyTo(lease.Request, errors) is not { } spec
                || rules.Check(spec, errors, stored: spec.IsMeantAsStored(lease.Spec)) is not { } job)
                return null;
            var data = datasets.Load(job.Spec.Dataset, job.Plan.Training.Seed);
            watch = new(job.Plan, CreateJob.Facts(job.Spec, job.Plan, data, datasets));
            using var trainer = new Trainer(job.Plan, data, threads, end.Token);
            (trainer.OnMetric, trainer.OnLayers, trainer.OnReturn) = (watch.Add, watch.Add, watch.Return);
            watch.End(trainer.Run(end.Token));
            return watch;
        }
        catch (OperationCanceledException)
        {
            return stop.IsCancellationRequested ? null : watch;
        }
        catch (Exception e)
        {
            // the job's own run is good
            log.LogError(e, "Job {Job}: the change {Patch} could not be tried.", lease.Id, patch.ToJsonString());
            return null;
        }
    }
}
