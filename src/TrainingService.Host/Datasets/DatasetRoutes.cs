using TrainingService.Host.Http;

namespace TrainingService.Host.Datasets;

public static class DatasetRoutes
{
    public const string Root = "/api/v1/datasets";

    public static void AddDatasets(this WebApplicationBuilder builder)
    {
        var source = DatasetSource.Read(builder.Configuration);
        builder.Services.AddSingleton(source);
        builder.Services.AddSingleton<DatasetPulls>();
        builder.Services.AddSingleton<RowCache>(_ => new());
        builder.Services.AddSingleton<StoredDatasets>();
        builder.Services.AddSingleton<DatasetRegistry>(services => new(
            DatasetRegistry.BuiltInOnes(source.Folders, services.GetRequiredService<RowCache>()),
            services.GetRequiredService<RowCache>(), services.GetRequiredService<StoredDatasets>()));
    }

    public static void MapDatasets(this IEndpointRouteBuilder api)
    {
        var datasets = api.MapGroup("/datasets").WithTags("Datasets");
        datasets.MapGet("", ListDatasets.Handle).WithName("listDatasets").ProducesProblem(400);
        datasets.MapGet("/{name}", GetDataset.Handle).WithName("getDataset").Produces(304).ProducesProblem(400).ProducesProblem(404);
        datasets.MapGet("/{name}/preview", PreviewDataset.Handle).WithName("previewDataset")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        datasets.MapGet("/{name}/histograms", GetHistograms.Handle).WithName("getHistograms")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        datasets.MapPost("/{name}/pull", PullDataset.Handle).WithName("pullDataset")
            .AnswersWith(202, "Location", "Retry-After").Refuses(404, 409);
        datasets.MapGet("/{name}/pull", GetPull.Handle).WithName("getDatasetPull").AnswersWith(200, "Retry-After").Refuses(404);
    }
}
