using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Events;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Pages;

public static class ShowSweep
{
    public static async Task<IResult> Handle(Guid id, HttpContext http, TrainingDbContext db, SweepEvents events,
        CancellationToken cancellation)
    {
        // before what is shown, so that nothing in between is missed
        var told = await events.NowAsync(id, cancellation);
        var found = await GetSweep.Handle(id, http, db, cancellation);
        return found.Result is not Ok<SweepResponse> { Value: { } sweep } ? found.Result : new PageResult<SweepPage>(new()
        {
            [nameof(SweepPage.Sweep)] = sweep,
            [nameof(SweepPage.Told)] = told?.Of(id),
            [nameof(SweepPage.Study)] = sweep.Study is { } name ? StudyCatalog.Find(name) : null,
            [nameof(SweepPage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
        });
    }
}
