using TrainingService.Host.Hosting.OpenApi;

namespace TrainingService.Host.Reports;

public static class ReportRoutes
{
    public static void MapReports(this IEndpointRouteBuilder api)
    {
        api.MapGet("/jobs/{id:guid}/plots/{plot}.svg", GetJobPlot.Handle).WithName("getJobPlot").WithTags("Metrics").Produces<string>(200, GetJobPlot.MediaType)
            .Produces(304).AnswersWith(200, "Retry-After").AnswersWith(304, "Retry-After").Refuses(404);
    }
}
