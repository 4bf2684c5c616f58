using TrainingService.Host.Http;

namespace TrainingService.Host.Metrics;

public static class MetricRoutes
{
    public static void MapMetrics(this IEndpointRouteBuilder api)
    {
        var metrics = api.MapGroup("/jobs/{id:guid}").WithTags("Metrics");
        metrics.MapGet("/metrics", GetMetrics.Handle).WithName("getMetrics").AlsoAsRows();
        metrics.MapGet("/layers/{layer:int}/units", GetUnits.Handle).WithName("getUnits").AnswersWith(200, "Retry-After").Refuses(404);
        metrics.MapGet("/layers", GetLayers.Handle).WithName("getLayers").AlsoAsRows();
        metrics.MapGet("/tensorboard", GetTensorBoard.Handle).WithName("getTensorBoard")
            .Produces<string>(200, "application/octet-stream").AnswersWith(200, "Retry-After").Refuses(404);
        metrics.MapGet("/findings", GetFindings.Handle).WithName("getFindings").AnswersWith(200, "Retry-After").Refuses(404);
        metrics.MapGet("/preflight", GetPreflight.Handle).WithName("getPreflight").AnswersWith(200, "Retry-After").Refuses(404);
    }

    private static void AlsoAsRows(this RouteHandlerBuilder route) =>
        route.AnswersWith(200, "Retry-After").AlsoAs(RowExport.Others).Refuses(404, 406).LimitsExports();
}
