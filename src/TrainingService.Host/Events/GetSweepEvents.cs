using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Events;

public static class GetSweepEvents
{
    /// <summary>What happens to a sweep, as it happens</summary>
    /// <remarks>
    /// Server-sent events as those of a job: `status` (`status`, `at`); `cells` (`cells`, `counts`) with each cell that came to another
    /// status, at first all of them, a hundred at most in one event: `arm`, `seed`, `jobId`, `status`, `attempt`, where the sweep tunes
    /// `candidate`, and of those that failed `errorCode`; `done` (`status`, `counts`, `error`) at the end, after which the stream closes.
    /// A cell that changes twice between two looks is told as it is then. `Last-Event-ID`, comments and 204 as there.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="last">Where the reader was.</param>
    /// <response code="200">The events.</response>
    /// <response code="204">All of them were told, as `Last-Event-ID` says.</response>
    public static async Task<Results<PushStreamHttpResult, NoContent, ProblemHttpResult>> Handle(Guid id,
        [AsParameters] LastEventId last, HttpContext http, TrainingDbContext db, SweepEvents sweeps, EventStreams streams,
        CancellationToken cancellation)
    {
        var told = last.Read(text => SweepCursor.Read(text, id), SweepCursor.Start);
        if (await db.Sweeps.Where(sweep => sweep.Id == id).Select(sweep => new { sweep.Status }).SingleOrDefaultAsync(cancellation)
            is not { } sweep)
            return GetSweep.NotFound(id);
        if (told.Done && told.Status == sweep.Status)
            return TypedResults.NoContent();
        // it was extended since
        told = told with { Done = false };
        var view = View.Current;
        return streams.Answer(http, async (writer, end) =>
        {
            using var following = sweeps.Feeds.Follow(id, id);
            while (true)
            {
                var (moment, next) = following.Now;
                if (moment is { State: var state } && state?.IsSeenBy(view) != true)
                    return;
                if (moment is not null)
                    told = moment.Tell(id, told, writer);
                if (!await streams.GoesOnAsync(told.Done, next, writer, end))
                    return;
            }
        });
    }
}
