using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace TrainingService.Host.Http;

/// <summary>
/// A job's ETag is its row's version. While it is queued its place in the queue follows, which changes without a write to the row;
/// <c>If-Match</c> looks at the version only, so that a cancellation doesn't fail because the queue moved.
/// </summary>
public static class EntityTags
{
    public static string Of(uint version, int? queuePosition) =>
        queuePosition is null ? $"\"{version}\"" : $"\"{version}-{queuePosition}\"";

    public static bool NoneMatch(HttpRequest request, string tag) =>
        request.GetTypedHeaders().IfNoneMatch.Any(given => given.Tag == "*" || given.Tag == tag);

    /// <summary>The versions that <c>If-Match</c> allows; null without the header or with <c>*</c>, which any version satisfies.</summary>
    public static IReadOnlyList<uint>? Versions(string? ifMatch)
    {
        if (ifMatch is null or "*")
            return null;
        if (!EntityTagHeaderValue.TryParseStrictList([ifMatch], out var tags))
            throw new ProblemException(Problems.Invalid("/If-Match", "must be * or entity tags in double quotes, as in an ETag header"));
        return [.. tags.Where(tag => !tag.IsWeak).Select(tag => tag.Tag.AsSpan().Trim('"').ToString().Split('-')[0])
            .Select(text => uint.TryParse(text, CultureInfo.InvariantCulture, out var version) ? version : 0)];
    }

    public static ProblemHttpResult Changed(uint version) =>
        Problems.PreconditionFailed($"The job is not any more as it was under the ETag in If-Match; its version is {version} now.");
}
