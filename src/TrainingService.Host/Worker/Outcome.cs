using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>How an attempt ended.</summary>
public sealed record Outcome(JobStatus Status, TrainingResult? Result = null, string? ErrorCode = null, string? ErrorMessage = null)
{
    public static Outcome Canceled { get; } = new(JobStatus.Canceled);

    /// <summary>Given back to the queue because this process is shutting down.</summary>
    public static Outcome Released { get; } = new(JobStatus.Queued);

    /// <summary>A run that diverged keeps its result: that it did is what one wanted to know.</summary>
    public static Outcome Of(TrainingResult result) => result.Divergence is { } divergence
        ? new(JobStatus.Failed, result, "diverged", divergence.Message)
        : new(JobStatus.Succeeded, result);

    public static Outcome Failed(string code, string message) => new(JobStatus.Failed, null, code, message);

    public void ApplyTo(Job job)
    {
        // Whoever was told that the job is being cancelled must not find it succeeded.
        var outcome = job.Status is JobStatus.Canceling ? Canceled : this;
        (job.Status, job.Result, job.ErrorCode, job.ErrorMessage) = (outcome.Status, outcome.Result, outcome.ErrorCode, outcome.ErrorMessage);
        (job.LeaseOwner, job.LeaseUntil, job.EtaSeconds) = (null, null, null);
        if (job.Status is JobStatus.Queued)
            (job.StartedAt, job.Epoch, job.Step, job.SamplesPerSecond) = (null, 0, 0, null);
        else
            job.FinishedAt = DateTimeOffset.UtcNow;
    }
}
