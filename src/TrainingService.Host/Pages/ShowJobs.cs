using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Pages;

public static class ShowJobs
{
    public static async Task<IResult> Handle([AsParameters] JobFilter filter, TrainingDbContext db, DatasetRegistry datasets,
        CancellationToken cancellation)
    {
        // a form sends its empty fields, too
        filter = filter with
        {
            Status = Given(filter.Status),
            Label = Given(filter.Label),
            Activation = Given(filter.Activation),
            Initializer = Given(filter.Initializer),
            Dataset = Given(filter.Dataset),
            SweepId = Given(filter.SweepId),
            Arm = Given(filter.Arm),
            CreatedAfter = Given(filter.CreatedAfter),
            CreatedBefore = Given(filter.CreatedBefore),
            Owner = Given(filter.Owner),
            Visibility = Given(filter.Visibility),
            OrderBy = Given(filter.OrderBy),
            Cursor = Given(filter.Cursor),
            Fields = "spec",
        };
        var found = await ListJobs.Handle(filter, db, datasets, cancellation);
        if (found.Result is not Ok<Page<JobResponse>> { Value: { } page })
            return found.Result;
        return new PageResult<JobsPage>(new()
        {
            [nameof(JobsPage.Filter)] = filter,
            [nameof(JobsPage.Jobs)] = page,
            [nameof(JobsPage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
        });
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string[]? Given(string[]? texts) =>
        texts?.Select(Given).OfType<string>().ToArray() is { Length: > 0 } given ? given : null;
}
