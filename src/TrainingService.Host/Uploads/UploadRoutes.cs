using Microsoft.AspNetCore.Http.Metadata;
using TrainingService.Host.Access;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

public static class UploadRoutes
{
    public static void AddUploads(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(UploadLimits.Read(builder.Configuration));
        builder.Services.AddSingleton(DatasetQuota.Read(builder.Configuration));
    }

    public static void MapUploads(this IEndpointRouteBuilder api)
    {
        var datasets = api.MapGroup("/datasets").WithTags("Datasets");
        datasets.MapPost("", CreateDataset.Handle).WithName("createDataset").TakesAForm<UploadRequest>().AddsToDatasets()
            .AnswersWith(201, "Location").Refuses(409, 413, 415).Undocumented("dryRun");
        datasets.MapPost("/inspect", InspectDataset.Handle).WithName("inspectDataset").TakesAForm<UploadRequest>().Refuses(413, 415);
        datasets.MapPut("/{name}", ReplaceDataset.Handle).WithName("replaceDataset").TakesAForm<VersionRequest>().AddsToDatasets()
            .AnswersWith(201, "Location").Refuses(409, 413, 415).Undocumented("dryRun");
        datasets.MapPatch("/{name}", ShareDataset.Handle).WithName("shareDataset").Changes<DatasetVersion>().Refuses(404, 409, 413, 415);
        datasets.MapDelete("/{name}", DeleteDataset.Handle).WithName("deleteDataset").Changes<DatasetVersion>().Refuses(404, 409);
        datasets.MapGet("/{name}/versions", ListVersions.Handle).WithName("listDatasetVersions").Refuses(404);
    }

    private static RouteHandlerBuilder TakesAForm<T>(this RouteHandlerBuilder route) =>
        route.WithMetadata(new AcceptsMetadata(["multipart/form-data"], typeof(T), isOptional: false)).DisableAntiforgery();
}
