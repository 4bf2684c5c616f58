using TrainingService.Host.Access;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Webhooks;

public static class WebhookRoutes
{
    public const string Root = "/api/v1/webhooks";

    /// <summary>Where the API is served.</summary>
    public static void AddWebhooks(this WebApplicationBuilder builder)
    {
        var reach = builder.Configuration.Word(NotifyUrl.Setting, Reach.Public);
        builder.Services.AddSingleton(WebhookSecrets.Create);
        builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<WebhookSender>(services, reach));
    }

    public static void MapWebhooks(this IEndpointRouteBuilder api)
    {
        var webhooks = api.MapGroup("/webhooks").WithTags("Webhooks");
        // who may only read must not be able to sign
        webhooks.MapGet("/secret", GetWebhookSecret.Handle).WithName("getWebhookSecret").WithMetadata(new NeedsScope(Scope.Submit))
            .AnswersWith(200, "Cache-Control");
        webhooks.MapGet("/deliveries", ListDeliveries.Handle).WithName("listDeliveries");
        webhooks.MapPost("/deliveries/{id:guid}/retry", RetryDelivery.Handle).WithName("retryDelivery").Refuses(404);
    }
}
