namespace TrainingService.Client;

/// <summary>A job or sweep that was awaited did not succeed.</summary>
public sealed class TrainingFailedException : Exception
{
    internal TrainingFailedException(JobResponse job) : base(Words("job", job.Id, job.Status, job.Error)) =>
        (Job, Status, Error) = (job, job.Status, job.Error);

    internal TrainingFailedException(SweepResponse sweep) : base(Words("sweep", sweep.Id, sweep.Status, sweep.Error)) =>
        (Sweep, Status, Error) = (sweep, sweep.Status, sweep.Error);

    /// <summary>The job that was awaited; null if it was a sweep.</summary>
    public JobResponse? Job { get; }

    /// <summary>The sweep that was awaited; null if it was a job.</summary>
    public SweepResponse? Sweep { get; }

    /// <summary>How it ended: failed or canceled.</summary>
    public JobStatus Status { get; }

    /// <summary>Why it failed; null if it was canceled.</summary>
    public JobError? Error { get; }

    private static string Words(string what, Guid id, JobStatus status, JobError? error) => error is null
        ? $"The {what} {id} is {JsonName(status)}." : $"The {what} {id} is {JsonName(status)} ({error.Code}): {error.Message}";

    private static string JsonName(JobStatus status) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName($"{status}");
}
