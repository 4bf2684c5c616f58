using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Pages;

public static class ShowSweeps
{
    private const int Rows = 25;

    public static async Task<IResult> Handle([FromQuery] string? cursor, [FromQuery] string? study, TrainingDbContext db,
        KnownStudies studies, CancellationToken cancellation)
    {
        var found = await ListSweeps.Handle(Rows, cursor, null, study, null, null, "spec", db, studies, cancellation);
        return found.Result is not Ok<Page<SweepResponse>> { Value: { } page } ? found.Result
            : new PageResult<SweepsPage>(new() { [nameof(SweepsPage.Sweeps)] = page, [nameof(SweepsPage.Study)] = study });
    }
}
