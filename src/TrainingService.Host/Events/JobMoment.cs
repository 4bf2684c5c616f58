using System.Text.Json;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Events;

/// <summary>That a job came to a status.</summary>
/// <param name="Status">Which.</param>
/// <param name="Attempt">How often a worker had begun with it.</param>
/// <param name="At">When, where that is known: it was accepted, begun or ended.</param>
public sealed record JobStatusEvent(JobStatus Status, int Attempt, DateTimeOffset? At);

/// <summary>How a job ended; the last event.</summary>
/// <param name="Status">Succeeded, failed or canceled.</param>
/// <param name="Attempt">How often a worker had begun with it.</param>
/// <param name="Result">As the job has it.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="Findings">How many there are.</param>
/// <param name="FinishedAt">When.</param>
public sealed record JobDoneEvent(JobStatus Status, int Attempt, TrainingResult? Result, JobError? Error, FindingCounts Findings,
    DateTimeOffset? FinishedAt);

/// <summary>A row of metrics, as JSON.</summary>
/// <param name="Place">See <see cref="JobCursor.PlaceOf"/>.</param>
/// <param name="Json">On one line.</param>
public readonly record struct MetricEvent(long Place, byte[] Json);

/// <summary>A finding as it was changed last, as JSON.</summary>
/// <param name="Number">Of the change.</param>
/// <param name="Json">On one line.</param>
public readonly record struct FindingEvent(int Number, byte[] Json);

/// <summary>How a job is.</summary>
public sealed record JobState(string Owner, Visibility Visibility, JobStatus Status, int Attempt, JobProgress Progress,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt)
{
    public TrainingResult? Result { get; init; }
    public JobError? Error { get; init; }
    public required FindingCounts Findings { get; init; }

    public bool IsFinished => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    public bool IsSeenBy(View view) =>
        view.SeesAll || Owner == view.Owner || (view.ReadsShared && Visibility is Visibility.Everyone);
}

/// <summary>What a job has to tell at a moment.</summary>
/// <param name="State">How it is; null if it is gone.</param>
/// <param name="Rows">Of metrics, the last ones.</param>
/// <param name="Before">The place before the first of them: who was told less needs more rows than these. -1 if none are missing.</param>
/// <param name="Test">The row of the test rows, once the job has ended.</param>
/// <param name="Findings">In the order of their changes; null if they are as before.</param>
public sealed record JobMoment(JobState? State, IReadOnlyList<MetricEvent> Rows, long Before, byte[]? Test,
    IReadOnlyList<FindingEvent>? Findings)
{
    /// <summary>The place of the last row.</summary>
    public long Last => Rows is [.., var last] ? last.Place : Before;

    /// <summary>With what came later.</summary>
    /// <param name="later">Read from <see cref="Last"/> on.</param>
    /// <param name="most">Rows that are kept.</param>
    public JobMoment With(JobMoment later, int most)
    {
        var (rows, before) = (Rows, Before);
        if (later.Rows.Count > 0)
        {
            var all = Rows.Concat(later.Rows).ToArray();
            var gone = Math.Max(0, all.Length - most);
            (rows, before) = (all[gone..], gone > 0 ? all[gone - 1].Place : Before);
        }
        return new(later.State, rows, before, later.Test ?? Test, later.Findings ?? Findings);
    }

    /// <summary>Whether it has nothing else to tell.</summary>
    public bool IsAs(JobMoment other) => State == other.State && Last == other.Last && (Test is null) == (other.Test is null)
        && (ReferenceEquals(Findings, other.Findings) || State is { IsFinished: true });

    /// <summary>Whether all that a reader wasn't told yet is here.</summary>
    public bool Reaches(JobCursor told) => told.Metrics >= Before;

    /// <summary>For one who doesn't want rows: those that are there count as told.</summary>
    public JobCursor PassOverRows(JobCursor told) => told with { Metrics = Math.Max(told.Metrics, Last) };

    /// <summary>
    /// Writes what a reader wasn't told yet, as far as there is room for it, and answers what they were told by then. It follows from the
    /// rows alone, in whichever process and however often it is asked: what isn't there to be told any more, such as a status between
    /// two looks, is left out, but for the beginning, which everyone hears of.
    /// </summary>
    /// <param name="job">Its id.</param>
    /// <param name="told">What they were told.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="kinds">Of events that they want; what others would have told them counts as told.</param>
    /// <param name="onlyRows">For one who is told rows by pages, more of which follow.</param>
    public JobCursor Tell(Guid job, JobCursor told, EventWriter writer, IReadOnlyCollection<string> kinds,
        bool onlyRows = false)
    {
        if (State is not { } state)
            return told;
        var hasRun = state is { Attempt: > 0, Status: not (JobStatus.Queued or JobStatus.Paused) };
        if (told.Attempt < 0)
            Say(told with { Attempt = 0 }, "status", new JobStatusEvent(JobStatus.Queued, 0, state.CreatedAt));
        if (hasRun && told.Attempt < state.Attempt)
            Say(told with { Attempt = state.Attempt, Status = JobStatus.Running, Step = -1, Done = false }, "status",
                new JobStatusEvent(JobStatus.Running, state.Attempt, state.StartedAt));
        foreach (var row in Rows)
            if (row.Place > told.Metrics)
            {
                if (writer.IsFull)
                    return told;
                Write(told with { Metrics = row.Place }, "metrics", row.Json);
            }
        if (onlyRows)
            return told;
        foreach (var finding in Findings ?? [])
            if (finding.Number > told.Findings)
            {
                if (writer.IsFull)
                    return told;
                Write(told with { Findings = finding.Number }, "finding", finding.Json);
            }
        if (hasRun && state.Progress.Step != told.Step)
            Say(told with { Step = state.Progress.Step }, "progress", state.Progress);
        if (state.IsFinished && Test is not null && !told.Test)
            Write(told with { Test = true }, "metrics", Test);
        if ((state.Attempt, state.Status) != (told.Attempt, told.Status))
            Say(told with { Attempt = state.Attempt, Status = state.Status, Done = false }, "status",
                new JobStatusEvent(state.Status, state.Attempt, state.FinishedAt));
        if (state.IsFinished && !told.Done)
            Say(told with { Done = true }, "done", new JobDoneEvent(state.Status, state.Attempt, state.Result, state.Error, state.Findings,
                state.FinishedAt));
        return told;

        void Say<T>(JobCursor then, string name, T data) => Write(then, name, JsonSerializer.SerializeToUtf8Bytes(data, Json.Options));

        void Write(JobCursor then, string name, byte[] json)
        {
            told = then;
            if (kinds.Contains(name))
                writer.Event(name, told.Of(job), json);
        }
    }
}
