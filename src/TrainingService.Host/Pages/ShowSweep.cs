using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Events;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Pages;

public static class ShowSweep
{
    public static async Task<IResult> Handle(Guid id, TrainingDbContext db, SweepEvents events, CancellationToken cancellation)
    {
        // before what is shown, so that nothing in between is missed
        var told = await events.NowAsync(id, cancellation);
        await using var snapshot = await db.SnapshotAsync(cancellation);
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        return new PageResult<SweepPage>(new()
        {
            [nameof(SweepPage.Sweep)] = await SweepResponse.OfAsync(db, sweep, cancellation),
            [nameof(SweepPage.Told)] = told?.Of(id),
            [nameof(SweepPage.Study)] = sweep.Study is { } name ? StudyCatalog.Find(name) : null,
            [nameof(SweepPage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
        });
    }
}
