using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Pages;

public static class ShowAsk
{
    public static async Task<IResult> Handle(string? study, string? dataset, TrainingDbContext db, DatasetRegistry datasets,
        CancellationToken cancellation)
    {
        var found = ListDatasets.Handle(datasets, Paging.Most, null, null);
        return new PageResult<AskPage>(new()
        {
            [nameof(AskPage.Datasets)] = found.Result is Ok<Page<DatasetSummary>> { Value.Items: { } items }
                ? (IReadOnlyList<DatasetSummary>)[.. items.Where(one => one.Status is DatasetStatus.Ready)] : [],
            [nameof(AskPage.Studies)] = ListStudies.Handle(datasets).Value?.Items ?? [],
            [nameof(AskPage.Study)] = study,
            [nameof(AskPage.Dataset)] = dataset,
            [nameof(AskPage.Workers)] = await QueuePositions.WorkersAsync(db, cancellation),
        });
    }
}
