using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;

namespace TrainingService.Host.Webhooks;

/// <summary>By what a receiver knows that it was called by this service, for this owner.</summary>
/// <param name="Secret">`whsec_` and base64, as Standard Webhooks' libraries take it.</param>
public sealed record WebhookSecret(string Secret);

public static class GetWebhookSecret
{
    /// <summary>What one's webhooks are signed with</summary>
    /// <remarks>
    /// Each owner has a secret of their own. Whoever is at a `notifyUrl` verifies with it that a call is from here: `webhook-signature` is
    /// `v1,` and the base64 of the HMAC-SHA256 of `webhook-id`, `webhook-timestamp` and the body, with dots between.
    /// </remarks>
    /// <response code="200">The caller's secret.</response>
    public static async Task<Ok<WebhookSecret>> Handle(HttpContext http, WebhookSecrets secrets, CancellationToken cancellation)
    {
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new WebhookSecret(WebhookSecrets.Text(await secrets.OfAsync(View.Current.Owner, cancellation))));
    }
}
