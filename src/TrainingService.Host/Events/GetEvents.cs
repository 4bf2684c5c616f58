using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Events;

public static class GetEvents
{
    private const string Mark = "all.";

    private static readonly TimeSpan AfterOutage = TimeSpan.FromSeconds(1);

    /// <summary>What happens to all that one may see, as it happens</summary>
    /// <remarks>
    /// Server-sent events as those of a job: `job` and `sweep` (`id`, `status`, `at` of an end, of jobs `attempt`) whenever one comes to
    /// another status, or is new; the jobs of a sweep are told by its own stream, and it ends in `status` without having been `running`
    /// here. It begins with `begin`, and with what happens from then on; with `Last-Event-ID` after that event, without a gap or a
    /// repetition, whichever process is asked. Where more than 1,000 have changed since, `begin` comes in their place: then look at the
    /// lists again. What changes twice between two looks is told as it is then.
    /// </remarks>
    /// <param name="last">Where the reader was.</param>
    /// <response code="200">The events.</response>
    public static Results<PushStreamHttpResult, NoContent, ProblemHttpResult> Handle([AsParameters] LastEventId last, HttpContext http,
        AllEvents all, EventStreams streams)
    {
        var told = last.Read(text => text.StartsWith(Mark, StringComparison.Ordinal) ? Place.Read(text[Mark.Length..]) : null, Place.Start);
        var view = View.Current;
        return streams.Answer(http, async (writer, end) =>
        {
            using var following = all.Feeds.Follow(Guid.Empty, Guid.Empty);
            while (true)
            {
                var (moment, next) = following.Now;
                if (moment is not null && told != Place.Start
                    && !(told.Seen.IsSince(moment.From) && moment.Now.IsSince(told.Reading ?? moment.Now)))
                {
                    moment = await all.PageAsync(told.Seen, end);
                    if (moment is null)
                        next = Task.Delay(AfterOutage, end);
                }
                if (moment is not null)
                    told = Tell(moment, told, view, writer);
                await streams.GoesOnAsync(false, next, writer, end);
            }
        });
    }

    private static Place Tell(AllMoment moment, Place told, View view, EventWriter writer)
    {
        if (told == Place.Start || moment.Changes is null)
        {
            told = new(moment.Now);
            writer.Event("begin", Mark + told, "{}"u8);
            return told;
        }
        foreach (var (change, after) in told.Missing(moment.Now, moment.Changes))
        {
            if (writer.IsFull)
                return told;
            told = after;
            if (change.IsSeenBy(view))
                writer.Event(change.IsSweep ? "sweep" : "job", Mark + told, JsonSerializer.SerializeToUtf8Bytes(change, Json.Options));
        }
        // of what others may see alone nothing is said, and nothing is to be looked for again
        return moment.Now.IsSince(told.Reading ?? told.Seen) ? new(moment.Now) : told;
    }
}
