using TrainingService.Host.Catalog;
using TrainingService.Host.Http;

namespace TrainingService.Host.Reports;

public static class ReportRoutes
{
    public static void MapReports(this IEndpointRouteBuilder api)
    {
        api.MapGet("/sweeps/{id:guid}/report", GetSweepReport.Handle)
            .WithName("getSweepReport").WithTags("Sweeps").AnswersWith(200, "Retry-After")
            .AlsoAs(GetSweepReport.OtherFormats).Refuses(404, 406);
        api.MapGet("/sweeps/{id:guid}/cells", GetSweepCells.Handle).WithName("getSweepCells").WithTags("Sweeps")
            .Produces<string>(200, MediaTypes.Csv, MediaTypes.Ndjson, MediaTypes.Parquet).AnswersWith(200, "Retry-After").Refuses(404, 406);
        api.MapGet("/sweeps/{id:guid}/importance", GetSweepImportance.Handle).WithName("getSweepImportance").WithTags("Sweeps")
            .AnswersWith(200, "Retry-After").Refuses(404);
        api.MapGet("/jobs/{id:guid}/plots/{plot}.svg", GetJobPlot.Handle).WithName("getJobPlot")
            .WithTags("Metrics").Produces<string>(200, GetJobPlot.MediaType)
            .Produces(304).AnswersWith(200, "Retry-After").AnswersWith(304, "Retry-After").Refuses(404);
        api.MapGroup("").WithTags("Catalogue").UnchangedUntilNextBuild()
            .MapGet("/activations/{name}/plot.svg", GetActivationPlot.Handle)
            .WithName("getActivationPlot").Produces<string>(200, GetJobPlot.MediaType).Refuses(404);
    }
}
