using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Events;

/// <summary>A cell of a sweep, and how the job that runs it is.</summary>
/// <param name="Arm">The arm's name.</param>
/// <param name="Candidate">The tuned combination that is tried; left out of what arms are compared by.</param>
/// <param name="Seed">The seed.</param>
/// <param name="JobId">The job, which equal cells share.</param>
/// <param name="Status">Where it is in its life.</param>
/// <param name="Attempt">How often a worker has begun with it.</param>
/// <param name="ErrorCode">Why it failed; left out unless it did.</param>
public sealed record CellState(string Arm, int? Candidate, long Seed, Guid JobId, JobStatus Status, int Attempt, string? ErrorCode)
    : IChanged
{
    /// <summary>By which transaction it came to that.</summary>
    [JsonIgnore]
    public ulong Transaction { get; init; }

    /// <summary>Sets it apart from others, in an address, too.</summary>
    [JsonIgnore]
    public string Key { get; init; } = "";
}

/// <summary>How a sweep's own row is.</summary>
public sealed record SweepState(string Owner, bool IsShared, JobStatus Status, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt,
    JobError? Error)
{
    public bool IsSeenBy(View view) => view.SeesAll || Owner == view.Owner || (view.ReadsShared && IsShared);
}

/// <summary>That a sweep came to a status.</summary>
public sealed record SweepStatusEvent(JobStatus Status, DateTimeOffset? At);

/// <summary>Cells that are otherwise than before.</summary>
/// <param name="Cells">Those.</param>
/// <param name="Counts">Of all jobs of the sweep.</param>
public sealed record SweepCellsEvent(IReadOnlyList<CellState> Cells, SweepCounts Counts);

/// <summary>How a sweep ended; the last event.</summary>
public sealed record SweepDoneEvent(JobStatus Status, SweepCounts Counts, JobError? Error, DateTimeOffset? FinishedAt);

/// <summary>What a sweep has to tell at a moment.</summary>
/// <param name="State">How it is; null if it is gone.</param>
/// <param name="Now">What the look saw that found it.</param>
/// <param name="Cells">All, by their keys.</param>
public sealed record SweepMoment(SweepState? State, Snapshot Now, IReadOnlyDictionary<string, CellState> Cells)
{
    /// <summary>Cells of one event.</summary>
    private const int Most = 100;

    private SweepCounts? _counts;

    private SweepCounts Counts => _counts ??= CountsOf(Cells.Values.DistinctBy(cell => cell.JobId));

    /// <summary>A sweep runs once a job of it does.</summary>
    private JobStatus? Status => State is { Status: JobStatus.Queued } && Cells.Values.Any(cell => cell.Attempt > 0)
        ? JobStatus.Running : State?.Status;

    /// <summary>
    /// Writes what a reader wasn't told yet, as far as there is room for it, and answers what they were told by then. It follows from
    /// the rows alone.
    /// </summary>
    public SweepCursor Tell(Guid sweep, SweepCursor told, EventWriter writer)
    {
        if (State is not { } state || Status is not { } status)
            return told;
        if (told.Status is null)
            Say(told with { Status = JobStatus.Queued }, "status", new SweepStatusEvent(JobStatus.Queued, state.CreatedAt));
        if (state.FinishedAt is null && told.Status != status)
            Say(told with { Status = status, Done = false }, "status", new SweepStatusEvent(status, null));
        foreach (var some in told.Place.Missing(Now, [.. Cells.Values]).Chunk(Most))
        {
            if (writer.IsFull)
                return told;
            Say(told with { Place = some[^1].After }, "cells", new SweepCellsEvent([.. some.Select(each => each.Changed)], Counts));
        }
        if (told.Status != status)
            Say(told with { Status = status, Done = false }, "status", new SweepStatusEvent(status, state.FinishedAt));
        if (state.FinishedAt is not null && !told.Done)
            Say(told with { Done = true }, "done", new SweepDoneEvent(status, Counts, state.Error, state.FinishedAt));
        return told;

        void Say<T>(SweepCursor then, string name, T data)
        {
            told = then;
            writer.Event(name, told.Of(sweep), JsonSerializer.SerializeToUtf8Bytes(data, Json.Options));
        }
    }

    private static SweepCounts CountsOf(IEnumerable<CellState> jobs)
    {
        var (by, diverged) = (new int[Enum.GetValues<JobStatus>().Length], 0);
        foreach (var job in jobs)
        {
            by[(int)job.Status]++;
            diverged += job is { Status: JobStatus.Failed, ErrorCode: "diverged" } ? 1 : 0;
        }
        int Of(JobStatus status) => by[(int)status];
        return new(Of(JobStatus.Queued), Of(JobStatus.Running), Of(JobStatus.Canceling), Of(JobStatus.Succeeded), Of(JobStatus.Failed),
            Of(JobStatus.Canceled), diverged, Of(JobStatus.Paused) + Of(JobStatus.Pausing));
    }
}

/// <summary>What a reader of a sweep's events was told, as the id of the last of them says it.</summary>
/// <param name="Status">The last that was told; null if nothing was.</param>
/// <param name="Place">Of the cells.</param>
/// <param name="Done">Whether the end was told.</param>
public sealed record SweepCursor(JobStatus? Status, Place Place, bool Done)
{
    public static readonly SweepCursor Start = new(null, Place.Start, false);

    public string Of(Guid sweep) =>
        $"{JobCursor.Mark(sweep)}.{(Status is { } status ? Json.NameOf(status) : "")}.{Place}{(Done ? ".done" : "")}";

    /// <summary>Null if it is none of this sweep's.</summary>
    public static SweepCursor? Read(string id, Guid sweep) =>
        id.Split('.') is [var mark, var status, var place, .. var end] && mark == JobCursor.Mark(sweep) && end is [] or ["done"]
        && JobStatusNames.Find(status) is { } known && Place.Read(place) is { } at ? new(known, at, end.Length > 0) : null;
}
