using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>
/// What a worker says of its runs: a line for a job by itself, and one for all of a sweep that are claimed or stored together, so that
/// short ones don't train more slowly for what is said of them.
/// </summary>
internal static partial class RunLog
{
    /// <summary>These were claimed together.</summary>
    public static void Claimed(this ILogger log, IReadOnlyList<Lease> leases)
    {
        foreach (var some in Parts(leases, lease => lease))
            using (log.BeginScope(ScopeOf(some, lease => lease)))
                if (some is [var lease])
                    log.Begins(lease.Id, lease.Attempt);
                else
                    log.Begin(some.Count, some[0].SweepId);
    }

    /// <summary>These ended so, or are given back, and that is stored.</summary>
    public static void Settled(this ILogger log, IReadOnlyList<(ClaimedRun Run, Outcome Outcome)> runs)
    {
        foreach (var some in Parts(runs, each => each.Run.Lease))
            using (log.BeginScope(ScopeOf(some, each => each.Run.Lease)))
                if (some is not [var (run, outcome)])
                    log.EndedTogether(some[0].Run.Lease.SweepId, Count(some, JobStatus.Succeeded), Count(some, JobStatus.Failed),
                        Count(some, JobStatus.Canceled), some.Count(each => !each.Outcome.IsEnd));
                else if (outcome.Status is JobStatus.Failed)
                    log.Failed(run.Lease.Id, run.Lease.Attempt, outcome.ErrorCode, run.Seconds, run.Step);
                else
                    log.Ended(run.Lease.Id, run.Lease.Attempt, Json.NameOf(outcome.Status), run.Seconds, run.Step);
    }

    private static int Count(List<(ClaimedRun Run, Outcome Outcome)> some, JobStatus status) =>
        some.Count(each => each.Outcome.Status == status);

    private static LogScope ScopeOf<T>(List<T> some, Func<T, Lease> lease) =>
        new(some is [var one] ? lease(one).Id : null, lease(some[0]).SweepId, lease(some[0]).Trace);

    /// <summary>What gets a line each.</summary>
    private static IEnumerable<List<T>> Parts<T>(IReadOnlyList<T> all, Func<T, Lease> lease) =>
        all.GroupBy(each => lease(each).SweepId ?? lease(each).Id).Select(some => some.ToList());

    [LoggerMessage(LogLevel.Information, "Job {Job} begins, attempt {Attempt}.")]
    private static partial void Begins(this ILogger log, Guid job, int attempt);

    [LoggerMessage(LogLevel.Information, "{Runs} runs of sweep {Sweep} begin.")]
    private static partial void Begin(this ILogger log, int runs, Guid? sweep);

    [LoggerMessage(LogLevel.Information, "Job {Job}, attempt {Attempt}, is {Status} after {Seconds:0.###} s at step {Step}.")]
    private static partial void Ended(this ILogger log, Guid job, int attempt, string status, double seconds, long step);

    [LoggerMessage(LogLevel.Information, "Job {Job}, attempt {Attempt}, failed ({Code}) after {Seconds:0.###} s at step {Step}.")]
    private static partial void Failed(this ILogger log, Guid job, int attempt, string? code, double seconds, long step);

    [LoggerMessage(LogLevel.Information,
        "Of runs of sweep {Sweep} {Succeeded} succeeded, {Failed} failed, {Canceled} were canceled, {GivenBack} are given back.")]
    private static partial void EndedTogether(this ILogger log, Guid? sweep, int succeeded, int failed, int canceled, int givenBack);
}
