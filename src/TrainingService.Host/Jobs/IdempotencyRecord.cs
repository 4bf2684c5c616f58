using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

/// <summary>A row of <c>idempotency_keys</c>: what the first POST with a key was and what it was answered. Kept for 24 hours.</summary>
public sealed class IdempotencyRecord : IOwned
{
    public required string Key { get; init; }
    public string Owner { get; init; } = View.Current.Owner;

    /// <summary>SHA-256 of method, path and body.</summary>
    public required byte[] RequestHash { get; init; }

    public string? Location { get; init; }
    public required string Body { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}
