using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Jobs;

/// <summary>What theory says of the net of a sweep's job: worked out when somebody asks, since of thousands hardly anybody does.</summary>
public static class CellPreflight
{
    /// <summary>Null where the job's data is not there any more.</summary>
    /// <param name="spec">As it was resolved.</param>
    public static Preflight? Of(JobSpec spec, JobRules rules, DatasetRegistry datasets, CancellationToken cancellation)
    {
        // whoever may read a job may read this of it, whosever its data are
        using var all = View.Enter(View.Everything);
        return rules.Check(spec, [], stored: true) is { } job
            ? Preflight.Theory(job.Plan, datasets.Load(job.Spec.Dataset, job.Plan.Training.Seed), cancellation) : null;
    }
}
