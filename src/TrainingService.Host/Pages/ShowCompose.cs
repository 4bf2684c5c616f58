using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Pages;

public static class ShowCompose
{
    public static async Task<IResult> Handle(TrainingDbContext db, CancellationToken cancellation) => new PageResult<ComposePage>(new()
    {
        [nameof(ComposePage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
    });
}
