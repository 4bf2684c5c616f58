namespace TrainingService.Host.Access;

/// <summary>An access key, without the key itself.</summary>
public record KeyResponse
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>What it is for.</summary>
    public required string Name { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Owner { get; init; }

    /// <summary>What its holder may do.</summary>
    public required IReadOnlyList<Scope> Scopes { get; init; }

    /// <summary>The key's first characters.</summary>
    public required string Start { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is no longer taken; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was used last, to the minute; null if it never was.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>When it was taken back; null if it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    public static KeyResponse Of(ApiKey key) => new()
    {
        Id = key.Id,
        Name = key.Name,
        Owner = key.Owner,
        Scopes = [.. Enum.GetValues<Scope>().Where(scope => scope <= key.Scope)],
        Start = key.Start,
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt,
        LastUsedAt = key.LastUsedAt,
        RevokedAt = key.RevokedAt,
    };
}

/// <summary>A new access key.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Key">The key, which is told this once: only its hash is kept.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Scopes">What its holder may do.</param>
/// <param name="ExpiresAt">From when on it is no longer taken; null for never.</param>
public sealed record NewKey(Guid Id, string Key, string Name, string Owner, IReadOnlyList<Scope> Scopes, DateTimeOffset? ExpiresAt)
{
    public static NewKey Of(ApiKey row, string key)
    {
        var told = KeyResponse.Of(row);
        return new(told.Id, key, told.Name, told.Owner, told.Scopes, told.ExpiresAt);
    }
}
