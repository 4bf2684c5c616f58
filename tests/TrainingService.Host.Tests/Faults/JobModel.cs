using System.Collections.Immutable;
using System.Globalization;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Tests.Faults;

/// <summary>What may happen to a job.</summary>
public enum Act
{
    // by a worker
    Claim, ClaimNext, TakeBack, Forget,

    // by an attempt
    Beat, Succeed, Fail, Release, Stop,

    // by time
    Expire,

    // by a client
    Cancel, Pause, Resume, Retry,
}

/// <summary>One thing that happens.</summary>
/// <param name="Act">What.</param>
/// <param name="Who">Which worker; of what an attempt does, how many attempts ago it was claimed, so that all but 0 are stale.</param>
public sealed record Step(Act Act, int Who)
{
    public override string ToString() => Act is Act.Expire or >= Act.Cancel ? $"{Act}" : $"{Act}({Who})";
}

/// <summary>What can be seen of a job.</summary>
/// <param name="Status">Its.</param>
/// <param name="Attempt">The last one.</param>
/// <param name="Owner">Whose lease it is, by the worker's number.</param>
/// <param name="LeaseLeft">Whether that has not run out; null without one.</param>
/// <param name="Began">Whether its row says since when it runs.</param>
/// <param name="Crashes">In a row.</param>
/// <param name="HasEnd">Whether its row says when it ended.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Result">The attempt that it is of.</param>
/// <param name="Rows">What its attempts stored: each the number of the step that wrote it.</param>
public sealed record JobView(JobStatus Status = JobStatus.Queued, int Attempt = 0, int? Owner = null, bool? LeaseLeft = null,
    bool Began = false, int Crashes = 0, bool HasEnd = false, string? Error = null, int? Result = null, string Rows = "")
{
    public bool IsFinished => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    public bool IsHeld => Status is JobStatus.Running or JobStatus.Canceling or JobStatus.Pausing;
}

/// <summary>The job's state machine as it is promised, without a database; the worst that the service may do is what this does.</summary>
/// <param name="View">What can be seen.</param>
/// <param name="Claims">The worker of each attempt, in their order.</param>
/// <param name="Held">Attempts that their workers believe to be theirs.</param>
public sealed record JobModel(JobView View, ImmutableArray<int> Claims, ImmutableHashSet<int> Held)
{
    public const int CrashLimit = 3;

    public static JobModel New { get; } = new(new(), [], []);

    /// <summary>The attempt that a step is of; 0 if there was none so long ago.</summary>
    public int AttemptOf(Step step) => Math.Max(View.Attempt - step.Who, 0);

    /// <summary>The job after a step, and what whoever takes it is told.</summary>
    /// <param name="step">Which.</param>
    /// <param name="attempt">Of which attempt, decided when it begins.</param>
    /// <param name="number">Of the step, which names the row that it writes.</param>
    public (JobModel After, string Answer) Apply(Step step, int attempt, int number) => step.Act switch
    {
        Act.Claim or Act.ClaimNext => Claim(step.Who),
        Act.TakeBack => (TakeBack(step.Who), ""),
        Act.Forget => (this with { Held = Held.Except(Held.Where(held => Claims[held - 1] == step.Who)) }, ""),
        Act.Beat => Write(attempt, number, view => view with { LeaseLeft = true }),
        Act.Succeed => Write(attempt, number, view => End(view, JobStatus.Succeeded, null, attempt)),
        Act.Fail => Write(attempt, number, view => End(view, JobStatus.Failed, "failed", null)),
        Act.Release => Write(attempt, number, view => End(view, JobStatus.Queued, null, null)),
        Act.Stop => Write(attempt, number, view => End(view, JobStatus.Paused, null, null)),
        Act.Expire => (View.LeaseLeft is null ? this : With(View with { LeaseLeft = false }), ""),
        Act.Cancel => Ask(View.Status switch
        {
            JobStatus.Queued or JobStatus.Paused => View with { Status = JobStatus.Canceled, HasEnd = true },
            JobStatus.Running or JobStatus.Pausing => View with { Status = JobStatus.Canceling },
            _ => View,
        }),
        Act.Pause => Ask(View.Status switch
        {
            JobStatus.Queued => View with { Status = JobStatus.Paused },
            JobStatus.Running => View with { Status = JobStatus.Pausing },
            JobStatus.Pausing or JobStatus.Paused => View,
            _ => null,
        }),
        Act.Resume => Ask(View.Status switch
        {
            JobStatus.Paused => View with { Status = JobStatus.Queued },
            JobStatus.Pausing => View with { Status = JobStatus.Running },
            JobStatus.Queued or JobStatus.Running => View,
            _ => null,
        }),
        Act.Retry => Ask(View.Status is JobStatus.Failed or JobStatus.Canceled
            ? new() { Attempt = View.Attempt, Rows = View.Rows } : null),
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    private JobModel With(JobView view) => this with { View = view };

    private (JobModel, string) Ask(JobView? changed) =>
        changed is null ? (this, "409") : (With(changed), $"202 {changed.Status}");

    private (JobModel, string) Claim(int worker) => View.Status is not JobStatus.Queued ? (this, "none")
        : (new(View with
        {
            Status = JobStatus.Running,
            Attempt = View.Attempt + 1,
            Owner = worker,
            LeaseLeft = true,
            Began = true,
            // without a checkpoint it begins anew
            Rows = "",
        }, Claims.Add(worker), Held.Add(View.Attempt + 1)), $"attempt {View.Attempt + 1}");

    /// <summary>Only the attempt that owns the job writes; another one learns by this that it is to stop.</summary>
    private (JobModel, string) Write(int attempt, int number, Func<JobView, JobView> write)
    {
        if (!View.IsHeld || attempt != View.Attempt)
            return (this with { Held = Held.Remove(attempt) }, "refused");
        // a run that was never begun says so
        var view = write(View with { Began = false });
        var rows = View.Rows.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => int.Parse(row, CultureInfo.InvariantCulture)).Append(number).Order();
        return (new(view with { Rows = string.Join(' ', rows) }, Claims, view.IsHeld ? Held : Held.Remove(attempt)), "written");
    }

    private JobModel TakeBack(int worker)
    {
        if (View.LeaseLeft is not false || Held.Any(attempt => Claims[attempt - 1] == worker))
            return this;
        var view = View with { Crashes = View.Crashes + (View.Began ? 1 : 0) };
        return With(view.Crashes < CrashLimit ? End(view, JobStatus.Queued, null, null) : End(view, JobStatus.Failed, "crash_loop", null));
    }

    /// <summary>How it ends, or is given back: as was asked for meanwhile.</summary>
    private static JobView End(JobView view, JobStatus outcome, string? error, int? result)
    {
        var status = (view.Status, outcome) switch
        {
            (JobStatus.Canceling, _) => JobStatus.Canceled,
            (JobStatus.Pausing, JobStatus.Queued) => JobStatus.Paused,
            (JobStatus.Running, JobStatus.Paused) => JobStatus.Queued,
            _ => outcome,
        };
        var (canceled, waits) = (status is JobStatus.Canceled, status is JobStatus.Queued or JobStatus.Paused);
        return view with
        {
            Status = status,
            Owner = null,
            LeaseLeft = null,
            Began = !waits && view.Began,
            HasEnd = !waits,
            Error = canceled ? null : error,
            Result = canceled ? null : result,
        };
    }
}
