namespace TrainingService.Host.Access;

/// <summary>A row of <c>audit</c>: who asked for which change, and what they were answered. No body and no key is in it.</summary>
public sealed class AuditEntry
{
    /// <summary>UUIDv7 of the time.</summary>
    public Guid Id { get; init; }
    public DateTimeOffset At { get; init; }

    /// <summary>Who asked; '' where access is open.</summary>
    public required string Owner { get; init; }

    /// <summary>By which key; null for the operator's, for tokens of others, and where access is open.</summary>
    public Guid? KeyId { get; init; }
    public string? KeyName { get; init; }
    public required string Method { get; init; }

    /// <summary>As the document has it.</summary>
    public required string Route { get; init; }

    /// <summary>The id or name in the address.</summary>
    public string? Target { get; init; }

    /// <summary>Address of what was made.</summary>
    public string? Made { get; init; }
    public int Status { get; init; }

    /// <summary>Of the caller, or of a proxy that doesn't tell.</summary>
    public string? Address { get; init; }
}
