using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Events;

public static class GetJobEvents
{
    private const string Kind = "(status|progress|metrics|finding|done)";

    private static readonly TimeSpan AfterOutage = TimeSpan.FromSeconds(1);
    private static readonly string[] Kinds = ["status", "progress", "metrics", "finding", "done"];

    /// <summary>What happens to a job, as it happens</summary>
    /// <remarks>
    /// Server-sent events (`text/event-stream`), for `EventSource` and the like; `data` is JSON. `status` (`status`, `attempt`, `at`) when
    /// the job comes to a status; `progress` as the job has it; `metrics` for each row of its metrics, as in their NDJSON; `finding` for
    /// each finding and each time that it gets worse or is tried, as in `/findings`; `done` (`status`, `result`, `error`, `findings`) at
    /// the end, after which the stream closes. It begins with the first event there ever was; with `Last-Event-ID` after that one, without
    /// a gap or a repetition, whichever process is asked. A run that goes on elsewhere measures the same again, which isn't told twice. A
    /// comment every 15 seconds keeps the stream open; after half an hour it ends, to be asked for again. Where nothing can follow any
    /// more the answer is 204, which tells an `EventSource` to stop.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="last">Where the reader was.</param>
    /// <param name="types">Only these kinds of events, separated by commas: status, progress, metrics, finding, done.</param>
    /// <response code="200">The events.</response>
    /// <response code="204">All of them were told, as `Last-Event-ID` says.</response>
    public static async Task<Results<PushStreamHttpResult, NoContent, ProblemHttpResult>> Handle(Guid id,
        [AsParameters] LastEventId last, [FromQuery, RegularExpression($"^{Kind}(,{Kind})*$")] string? types, HttpContext http,
        TrainingDbContext db, JobEvents jobs, EventStreams streams,
        CancellationToken cancellation)
    {
        var kinds = types?.Split(',') ?? Kinds;
        if (kinds.FirstOrDefault(kind => !Kinds.Contains(kind)) is { } unknown)
            return Problems.Invalid("/types", $"there is no kind of event '{Characters.Shorten(unknown, 100)}'; known are "
                + string.Join(", ", Kinds));
        var told = last.Read(text => JobCursor.Read(text, id), JobCursor.Start);
        if (await db.Jobs.Where(job => job.Id == id).Select(job => new { job.SweepId, job.Status, job.Attempt })
            .SingleOrDefaultAsync(cancellation) is not { } job)
            return GetJob.NotFound(id);
        if (told.Done && (job.Attempt, job.Status) == (told.Attempt, told.Status))
            return TypedResults.NoContent();
        // it was run again since
        told = told with { Done = false };
        var view = View.Current;
        return streams.Answer(http, async (writer, end) =>
        {
            using var following = jobs.Feeds.Follow(id, job.SweepId ?? id);
            while (true)
            {
                var (moment, next) = following.Now;
                if (moment is { State: var state } && state?.IsSeenBy(view) != true)
                    return;
                if (!kinds.Contains("metrics"))
                    told = moment?.PassOverRows(told) ?? told;
                if (moment is not null && !moment.Reaches(told))
                {
                    if (await jobs.PageAsync(id, told, end) is not { } page)
                        next = Task.Delay(AfterOutage, end);
                    else if (page.Rows.Count > 0)
                        (told, next) = (page.Tell(id, told, writer, kinds, onlyRows: true), Task.CompletedTask);
                    else
                        // the run began anew, and has not yet come to where the reader is
                        moment = moment with { Rows = [], Before = -1 };
                }
                if (moment?.Reaches(told) == true)
                    told = moment.Tell(id, told, writer, kinds);
                if (!await streams.GoesOnAsync(told.Done, next, writer, end))
                    return;
            }
        });
    }
}
