using System.Globalization;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>How an attempt ended.</summary>
public sealed record Outcome(JobStatus Status, TrainingResult? Result = null, string? ErrorCode = null, string? ErrorMessage = null)
{
    public static Outcome Canceled { get; } = new(JobStatus.Canceled);

    /// <summary>Given back to the queue because this process is shutting down.</summary>
    public static Outcome Released { get; } = new(JobStatus.Queued);

    /// <summary>Waits for its client.</summary>
    public static Outcome Paused { get; } = new(JobStatus.Paused);

    /// <summary>A run that diverged keeps its result: that it did is what one wanted to know.</summary>
    public static Outcome Of(TrainingResult result) => result.Divergence is { } divergence
        ? new(JobStatus.Failed, result, "diverged", divergence.Message)
        : new(JobStatus.Succeeded, result);

    public static Outcome Failed(string code, string message) => new(JobStatus.Failed, null, code, message);

    /// <summary>
    /// Tells in the result how many rows of measurements are stored; a run of which some were lost must not pass for a good one.
    /// </summary>
    public Outcome Counted(long measured, long stored)
    {
        if (Result is null)
            return this;
        var counted = this with { Result = Result with { StoredRows = stored } };
        return stored == measured || Status is JobStatus.Failed ? counted : counted with
        {
            Status = JobStatus.Failed,
            ErrorCode = "rows_lost",
            ErrorMessage = string.Create(CultureInfo.InvariantCulture,
                $"Of {measured:N0} rows of measurements {stored:N0} are stored: the result holds, its curves are "
                + $"incomplete. Retry the job."),
        };
    }

    /// <summary>Whether the job is over; else it goes on another time.</summary>
    public bool IsEnd => Status is not (JobStatus.Queued or JobStatus.Paused);

    /// <summary>
    /// What becomes of a job in this status: whoever was told that it is being cancelled must not find it succeeded, or running again; one
    /// that is being paused and is given back is paused; one that was resumed before it had stopped goes back into the queue.
    /// </summary>
    public Outcome Of(JobStatus status) => status switch
    {
        JobStatus.Canceling => Canceled,
        JobStatus.Pausing when !IsEnd => Paused,
        JobStatus.Running when Status is JobStatus.Paused => Released,
        _ => this,
    };

    /// <summary>Ends the job so, or gives it back.</summary>
    /// <param name="job">The job.</param>
    /// <param name="now">When.</param>
    /// <param name="checkpoint">From where it could go on.</param>
    public void ApplyTo(Job job, DateTimeOffset now, Checkpoint? checkpoint = null)
    {
        var outcome = Of(job.Status);
        if (!outcome.IsEnd)
        {
            job.GiveBack(outcome.Status, checkpoint);
            return;
        }
        (job.Status, job.Result, job.ErrorCode, job.ErrorMessage) =
            (outcome.Status, outcome.Result, outcome.ErrorCode, outcome.ErrorMessage);
        (job.LeaseOwner, job.LeaseUntil, job.EtaSeconds, job.FinishedAt) = (null, null, null, now);
    }
}
