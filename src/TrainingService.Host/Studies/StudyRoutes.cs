using TrainingService.Host.Http;
using TrainingService.Host.Jobs;


namespace TrainingService.Host.Studies;

public static class StudyRoutes
{
    public const string Root = "/api/v1/studies";

    public static void MapStudies(this IEndpointRouteBuilder api)
    {
        var studies = api.MapGroup("/studies").WithTags("Studies");
        studies.MapGet("", ListStudies.Handle).WithName("listStudies");
        studies.MapGet("/{name}", ListStudies.Get).WithName("getStudy").Refuses(404);
        studies.MapPost("/{name}", RunStudy.Handle).WithName("runStudy").AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(404, 409, 413, 415, 422);
    }
}
