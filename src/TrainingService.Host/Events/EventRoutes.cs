using TrainingService.Host.Http;

namespace TrainingService.Host.Events;

public static class EventRoutes
{
    public static void AddEvents(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Changes>();
        builder.Services.AddSingleton<JobEvents>();
        builder.Services.AddSingleton<SweepEvents>();
        builder.Services.AddSingleton<AllEvents>();
        builder.Services.AddSingleton(EventStreams.Create);
    }

    public static void MapEvents(this IEndpointRouteBuilder api)
    {
        api.MapGet("/events", GetEvents.Handle).WithName("getEvents").WithTags("Jobs").IsStream();
        api.MapGet("/jobs/{id:guid}/events", GetJobEvents.Handle).WithName("getJobEvents").WithTags("Jobs").IsStream().Refuses(404);
        api.MapGet("/sweeps/{id:guid}/events", GetSweepEvents.Handle).WithName("getSweepEvents").WithTags("Sweeps").IsStream().Refuses(404);
    }

    private static RouteHandlerBuilder IsStream(this RouteHandlerBuilder route) => route.Produces<string>(200, EventStreams.MediaType)
        .AnswersWith(200, "Cache-Control")
        // how long somebody looks is no measure of the service
        .DisableHttpMetrics();
}
