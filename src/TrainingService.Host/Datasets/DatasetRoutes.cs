namespace TrainingService.Host.Datasets;

public static class DatasetRoutes
{
    public static void AddDatasets(this WebApplicationBuilder builder)
    {
        var dataFolder = builder.Configuration["TRAINING_DATA_DIR"] is { Length: > 0 } configured ? configured : ".data";
        builder.Services.AddSingleton<StoredDatasets>();
        builder.Services.AddSingleton(services => new DatasetRegistry(DatasetRegistry.BuiltInOnes(
            Path.Combine(Path.GetFullPath(dataFolder), "datasets", "fashion-mnist"),
            "/usr/share/datasets/fashion-mnist"), services.GetRequiredService<StoredDatasets>()));
    }

    public static void MapDatasets(this IEndpointRouteBuilder api)
    {
        var datasets = api.MapGroup("/datasets").WithTags("Datasets");
        datasets.MapGet("", ListDatasets.Handle).WithName("listDatasets").ProducesProblem(400);
        datasets.MapGet("/{name}", GetDataset.Handle).WithName("getDataset").Produces(304).ProducesProblem(400).ProducesProblem(404);
        datasets.MapGet("/{name}/preview", PreviewDataset.Handle).WithName("previewDataset")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
    }
}
