using System.Text.Json;
using TrainingService.Host.Access;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

public static class StudyRoutes
{
    public const string Root = "/api/v1/studies";

    /// <summary>The studies for those who only know sweeps.</summary>
    public static KnownStudies Known { get; } = new([.. StudyCatalog.All.Select(study => study.Name)],
        [.. StudyCatalog.All.Where(study => study.Measure is not null).Select(study => study.Name)], Measure);

    public static void AddStudies(this WebApplicationBuilder builder) => builder.Services.AddSingleton(Known);

    public static void MapStudies(this IEndpointRouteBuilder api)
    {
        var studies = api.MapGroup("/studies").WithTags("Studies");
        studies.MapGet("", ListStudies.Handle).WithName("listStudies");
        studies.MapGet("/{name}", ListStudies.Get).WithName("getStudy").Refuses(404);
        studies.MapPost("/{name}/validate", ValidateStudy.Handle).WithName("validateStudy").WithMetadata(new ChangesNothing())
            .Refuses(404, 413, 415);
        studies.MapPost("/{name}", RunStudy.Handle).WithName("runStudy").AddsJobs(cells: true)
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(404, 409, 413, 415, 422);
    }

    private static string Measure(Sweep sweep, CancellationToken cancellation) =>
        sweep is { Study: { } study, StudySize: { } size } && StudyCatalog.Find(study)?.Measure is { } measure
            ? JsonSerializer.Serialize(measure(Enum.Parse<StudySize>(size, ignoreCase: true), cancellation), Json.Options)
            : throw new InvalidOperationException($"the study {sweep.Study} measures nothing beside the trainings");
}
