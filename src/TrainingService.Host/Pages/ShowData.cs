using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Pages;

public static class ShowData
{
    private const int Rows = 8;

    public static IResult All(string? cursor, DatasetRegistry datasets)
    {
        var found = ListDatasets.Handle(datasets, null, cursor, null);
        return found.Result is Ok<Page<DatasetSummary>> { Value: { } page }
            ? new PageResult<DatasetsPage>(new() { [nameof(DatasetsPage.Datasets)] = page }) : found.Result;
    }

    public static IResult Handle(string name, HttpContext http, DatasetRegistry datasets)
    {
        var found = GetDataset.Handle(name, null, http, datasets);
        return found.Result is not Ok<DatasetDetails> { Value: { } dataset } ? found.Result : new PageResult<DatasetPage>(new()
        {
            [nameof(DatasetPage.Dataset)] = dataset,
            [nameof(DatasetPage.Preview)] = (PreviewDataset.Handle(name, datasets, Rows).Result as Ok<DatasetPreview>)?.Value,
        });
    }
}
