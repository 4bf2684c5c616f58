using TrainingService.Host.Access;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class SweepRoutes
{
    public const string Root = JobRoutes.Sweeps;

    public static void AddSweeps(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(SweepLimits.Read(builder.Configuration));
        builder.Services.AddSingleton<SweepRules>();
        builder.Services.AddSingleton<SweepProgress>();
        builder.Services.AddSingleton<SweepAnswers>();
        builder.Services.AddSingleton<JobEnded>(services =>
        {
            var sweeps = services.GetRequiredService<SweepProgress>();
            return (id, cancellation) => id is { } sweep ? sweeps.AdvanceAsync(sweep, cancellation) : Task.CompletedTask;
        });
    }

    /// <summary>Where workers run.</summary>
    public static void AddSweepsBesideWorkers(this WebApplicationBuilder builder)
    {
        builder.Services.AddHostedService<SweepReconciler>();
        builder.Services.AddHostedService<SweepMeasuring>();
    }

    public static void MapSweeps(this IEndpointRouteBuilder api)
    {
        var sweeps = api.MapGroup("/sweeps").WithTags("Sweeps");
        sweeps.MapPost("", CreateSweep.Handle).WithName("createSweep").AddsJobs(cells: true)
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(409, 413, 415, 422);
        sweeps.MapPost("/validate", ValidateSweep.Handle).WithName("validateSweep").WithMetadata(new ChangesNothing()).Refuses(413, 415);
        sweeps.MapGet("", ListSweeps.Handle).WithName("listSweeps");
        sweeps.MapGet("/{id:guid}", GetSweep.Handle).WithName("getSweep").Produces(304)
            .AnswersWith(200, "Retry-After").AnswersWith(304, "Retry-After").Refuses(404);
        sweeps.MapPatch("/{id:guid}", ShareSweep.Handle).WithName("shareSweep").Changes<Sweep>().Refuses(404, 413, 415);
        sweeps.MapDelete("/{id:guid}", DeleteSweep.Handle).WithName("deleteSweep").Changes<Sweep>().Refuses(404, 409);
        sweeps.MapPost("/{id:guid}/cancel", CancelSweep.Handle).WithName("cancelSweep").Changes<Sweep>()
            .AnswersWith(202, "Location", "ETag", "Retry-After").Refuses(404);
        sweeps.MapPost("/{id:guid}/retry-failed", RetryFailed.Handle).WithName("retryFailedCells").Changes<Sweep>().AddsToQueue()
            .AnswersWith(202, "Location", "ETag", "Retry-After").Refuses(404, 409);
        sweeps.MapPost("/{id:guid}/extend", ExtendSweep.Handle).WithName("extendSweep").Changes<Sweep>().AddsJobs(cells: true)
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(404, 409, 413, 415, 422);
        sweeps.MapPost("/{id:guid}/best", TrainBest.Handle).WithName("trainBestArm").Changes<Sweep>().AddsJobs()
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(404, 409, 413, 415, 422);
        sweeps.MapGet("/{id:guid}/jobs", ListSweepJobs.Handle).WithName("listSweepJobs").Refuses(404);
    }
}
