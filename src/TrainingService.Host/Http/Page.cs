using System.Text.Json.Serialization;

namespace TrainingService.Host.Http;

/// <summary>A page of a list.</summary>
/// <param name="Items">What is on this page.</param>
/// <param name="NextCursor">To be given as <c>cursor</c> for the next page; null on the last one.</param>
/// <param name="Total">How many there are on all pages, where a list was asked for it.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? NextCursor,
    int? Total = null);
