using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Webhooks;

public static class RetryDelivery
{
    /// <summary>Tell a receiver again</summary>
    /// <remarks>The same body under the same `webhook-id`, at once, whatever became of it before; the signature is a new one.</remarks>
    /// <param name="id">The delivery's id.</param>
    /// <response code="202">The delivery, `pending`.</response>
    public static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> Handle(Guid id, TrainingDbContext db,
        TimeProvider clock, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await db.WebhookDeliveries.Where(row => row.Id == id).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, DeliveryStatus.Pending).SetProperty(row => row.NextAt, now), cancellation);
        return await db.WebhookDeliveries.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellation) is { } row
            ? TypedResults.Accepted((string?)null, DeliveryResponse.Of(row))
            : Problems.NotFound($"There is no delivery {id}; GET {WebhookRoutes.Root}/deliveries lists those there are.");
    }
}
