using TrainingService.Host.Data;

namespace TrainingService.Host.Webhooks;

/// <summary>Whether somebody was told.</summary>
public enum DeliveryStatus
{
    /// <summary>Not yet; it is tried again.</summary>
    Pending,

    /// <summary>The receiver answered with a status of 200 to 299.</summary>
    Delivered,

    /// <summary>It was tried as often as it is.</summary>
    Failed,
}

/// <summary>
/// A row of <c>webhook_deliveries</c>: that something ended, and who is to be told. A trigger of the tables makes it in the very
/// transaction that ends it (<c>Data/Migrations</c>), whoever does.
/// </summary>
public sealed class WebhookDelivery : IOwned
{
    /// <summary>UUIDv7 of the end; the receiver knows repetitions by it.</summary>
    public Guid Id { get; init; }
    public required string Owner { get; init; }

    /// <summary>As <c>job.succeeded</c>.</summary>
    public required string Event { get; init; }
    public Guid? JobId { get; init; }
    public Guid? SweepId { get; init; }
    public required string Url { get; init; }

    /// <summary>JSON, the same at each attempt.</summary>
    public required string Body { get; init; }
    public DeliveryStatus Status { get; init; }
    public int Attempts { get; init; }
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is tried next; null once it no longer is.</summary>
    public DateTimeOffset? NextAt { get; init; }
    public DateTimeOffset? LastAt { get; init; }

    /// <summary>The status of the last answer; null if there was none.</summary>
    public int? Answer { get; init; }

    /// <summary>Why the last attempt was none.</summary>
    public string? Error { get; init; }
}
