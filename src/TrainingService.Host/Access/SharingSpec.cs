using TrainingService.Host.Data;

namespace TrainingService.Host.Access;

/// <summary>Who shall read something.</summary>
public sealed record SharingSpec
{
    /// <summary><c>private</c>: its owner and admins; <c>everyone</c>: all who have a key. Only owner and admins change it.</summary>
    public required Visibility Visibility { get; init; }
}
