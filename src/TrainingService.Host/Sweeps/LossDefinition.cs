using System.Text.Json.Nodes;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// What a loss is the mean of. Losses of different definition are in different units and can't be compared. Penalties are no part of it:
/// the losses that are told leave them out.
/// </summary>
public static class LossDefinition
{
    private static readonly string[] Fields = ["loss", "labelSmoothing", "huberDelta", "classWeights", "standardizeTarget"];

    /// <summary>Whether a value under the JSON pointer defines the loss, or holds what does.</summary>
    public static bool IsPartOf(string pointer) => pointer.Split('/') is [_, "training", .. var rest]
        && (rest.Length == 0 || Fields.Contains(rest[0]));

    /// <summary>Of a job, with every default filled in.</summary>
    public static IReadOnlyDictionary<string, string> Of(CheckedJob job)
    {
        var training = Json.ObjectOf(job.Spec)["training"] as JsonObject ?? [];
        return Fields.Where(field => training[field] is not null)
            .ToDictionary(field => field, field => training[field]?.ToJsonString() ?? "");
    }

    /// <summary>The fields in which they differ, in words; null if they agree.</summary>
    public static string? Difference(CheckedJob job, CheckedJob other)
    {
        var (mine, others) = (Of(job), Of(other));
        var differing = Fields.Where(field => mine.GetValueOrDefault(field) != others.GetValueOrDefault(field)).ToList();
        return differing.Count == 0 ? null : string.Join(", ", differing.Select(field =>
            $"{field} is {mine.GetValueOrDefault(field, "none")} against {others.GetValueOrDefault(field, "none")}"));
    }
}
