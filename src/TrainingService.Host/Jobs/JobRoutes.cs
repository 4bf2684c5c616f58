using System.Globalization;
using TrainingService.Host.Access;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;
using TrainingService.Host.Webhooks;

namespace TrainingService.Host.Jobs;

public static class JobRoutes
{
    public const string Root = "/api/v1/jobs";

    /// <summary>Where sweeps are, which know jobs, and not the other way round.</summary>
    public const string Sweeps = "/api/v1/sweeps";

    public static void AddJobs(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(new JobLimits(Megabytes("TRAINING_JOB_MEMORY_MB", 4096),
            Megabytes("TRAINING_JOB_STORED_MB", JobLimits.StandardStoredMegabytes),
            builder.Configuration.Word(NotifyUrl.Setting, Reach.Public)));
        builder.Services.AddSingleton(QueueLimit.Read(builder.Configuration));
        builder.Services.AddSingleton(OwnerQuota.Read(builder.Configuration));
        builder.Services.AddSingleton<JobRules>();
        builder.Services.AddSingleton<WakeUps>();

        int Megabytes(string setting, int otherwise) => builder.Configuration[setting] switch
        {
            null or "" => otherwise,
            var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 => value,
            var text => throw new StartRefusedException($"{setting} must be a whole number of megabytes, at least 1, not '{text}'."),
        };
    }

    /// <summary>Where workers run.</summary>
    public static void AddJobsBesideWorkers(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(RetentionLimits.Read(builder.Configuration));
        builder.Services.AddHostedService<Retention>();
    }

    public static void MapJobs(this IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/jobs").WithTags("Jobs");
        jobs.MapPost("", CreateJob.Handle).WithName("createJob").AddsJobs()
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(409, 413, 415, 422).Undocumented("validateOnly");
        jobs.MapPost("/validate", ValidateJob.Handle).WithName("validateJob").WithMetadata(new ChangesNothing()).Refuses(413, 415);
        jobs.MapGet("", ListJobs.Handle).WithName("listJobs");
        jobs.MapPost("/bulk", BulkJobs.Handle).WithName("changeJobs").Refuses(413, 415);
        jobs.MapGet("/{id:guid}", GetJob.Handle).WithName("getJob").Produces(304)
            .AnswersWith(200, "Retry-After").AnswersWith(304, "Retry-After").Refuses(404);
        jobs.MapPatch("/{id:guid}", ShareJob.Handle).WithName("shareJob").Changes<Job>().Refuses(404, 409, 413, 415);
        jobs.MapDelete("/{id:guid}", DeleteJob.Handle).WithName("deleteJob").Changes<Job>().Refuses(404, 409, 412);
        jobs.MapPost("/{id:guid}/verify", VerifyJob.Handle).WithName("verifyJob").ReadsShared().AddsJobs()
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(404, 409, 422);
        jobs.MapGet("/{id:guid}/verification", GetVerification.Handle)
            .WithName("getVerification").AnswersWith(200, "Retry-After").Refuses(404);
        jobs.MapPost("/{id:guid}/cancel", CancelJob.Handle).WithName("cancelJob").Changes<Job>()
            .AnswersWith(202, "Location", "ETag", "Retry-After").Refuses(404, 412);
        jobs.MapPost("/{id:guid}/pause", PauseJob.Handle).WithName("pauseJob").Changes<Job>()
            .AnswersWith(202, "Location", "ETag", "Retry-After").Refuses(404, 409, 412);
        jobs.MapPost("/{id:guid}/resume", ResumeJob.Handle).WithName("resumeJob").Changes<Job>()
            .AnswersWith(202, "Location", "ETag", "Retry-After").Refuses(404, 409, 412);
        jobs.MapGet("/{id:guid}/checkpoints", ListCheckpoints.Handle).WithName("listCheckpoints").Refuses(404);
        jobs.MapPost("/{id:guid}/retry", RetryJob.Handle).WithName("retryJob").Changes<Job>().AddsToQueue()
            .AnswersWith(202, "Location", "ETag", "Retry-After").Refuses(404, 409, 412);
        jobs.MapPost("/{id:guid}/clone", CloneJob.Handle).WithName("cloneJob").ReadsShared().AddsJobs()
            .AnswersWith(202, "Location", "Retry-After", Idempotency.ReplayedHeader)
            .Refuses(404, 409, 413, 415, 422);
    }
}
