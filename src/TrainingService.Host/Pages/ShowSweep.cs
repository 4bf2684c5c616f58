using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Pages;

public static class ShowSweep
{
    public static async Task<IResult> Handle(Guid id, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        var found = await GetSweep.Handle(id, http, db, cancellation);
        return found.Result is not Ok<SweepResponse> { Value: { } sweep } ? found.Result : new PageResult<SweepPage>(new()
        {
            [nameof(SweepPage.Sweep)] = sweep,
            [nameof(SweepPage.Study)] = sweep.Study is { } name ? StudyCatalog.Find(name) : null,
            [nameof(SweepPage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
        });
    }
}
