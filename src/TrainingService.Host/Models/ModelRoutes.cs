using TrainingService.Host.Access;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

public static class ModelRoutes
{
    public static void AddModels(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(ModelLimits.Read(builder.Configuration));
        builder.Services.AddSingleton<ModelCache>();
        builder.Services.AddSingleton<Predictor>();
    }

    /// <summary>Where workers run.</summary>
    public static void AddModelsBesideWorkers(this WebApplicationBuilder builder) =>
        builder.Services.AddHostedService<WeightRetention>();

    public static void MapModels(this IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/jobs/{id:guid}").WithTags("Models");
        jobs.MapPost("/predictions", PredictJob.Handle).WithName("predictByJob").ReadsShared().TakesRows().Refuses(404, 409, 410, 413, 415);
        jobs.MapGet("/mistakes", GetMistakes.Handle).WithName("getMistakes").Refuses(404, 409, 410);
        jobs.MapGet("/boundary", GetBoundary.Handle).WithName("getBoundary").Refuses(404, 409, 410);
        jobs.MapGet("/model", GetModel.Handle).WithName("getModel").GivesFile().Refuses(404, 409, 410);

        var models = api.MapGroup("/models").WithTags("Models");
        models.MapGet("", ListModels.Handle).WithName("listModels");
        models.MapGet("/{name}", GetRegisteredModel.Handle).WithName("getRegisteredModel").Refuses(404);
        models.MapPut("/{name}", PutModel.Handle).WithName("putModel").ReadsShared().Refuses(404, 409, 410, 413, 415);
        models.MapPatch("/{name}", ShareModel.Handle).WithName("shareModel").Changes<ModelVersion>().Refuses(404, 413, 415);
        models.MapDelete("/{name}", DeleteModel.Handle).WithName("deleteModel").Changes<ModelVersion>().Refuses(404);
        models.MapGet("/{name}/model", DownloadModel.Handle).WithName("downloadModel").GivesFile().Refuses(404, 409, 410);
        models.MapPost("/{name}/predictions", PredictModel.Handle).WithName("predictByModel").ReadsShared().TakesRows()
            .Refuses(404, 409, 410, 413, 415);
    }

    private static RouteHandlerBuilder GivesFile(this RouteHandlerBuilder route) =>
        route.Produces<string>(200, "application/octet-stream", MediaTypes.Json);

    private static RouteHandlerBuilder TakesRows(this RouteHandlerBuilder route) =>
        route.Accepts<PredictionSpec>(MediaTypes.Json, MediaTypes.Csv);
}
