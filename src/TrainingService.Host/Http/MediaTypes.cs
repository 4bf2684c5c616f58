using Microsoft.Net.Http.Headers;

namespace TrainingService.Host.Http;

/// <summary>What a client takes.</summary>
public static class MediaTypes
{
    public const string Json = "application/json", Csv = "text/csv", Ndjson = "application/x-ndjson",
        Parquet = "application/vnd.apache.parquet", Markdown = "text/markdown", Html = "text/html";

    /// <summary>The first of those offered that the client takes, by its preference; null if none will do.</summary>
    public static string? Choose(HttpRequest request, params IReadOnlyList<string> offered)
    {
        var accepted = request.GetTypedHeaders().Accept;
        return accepted.Count == 0 ? offered[0] : accepted.OrderByDescending(a => a.Quality ?? 1).Where(a => a.Quality != 0)
            .Select(a => new MediaTypeHeaderValue(a.MediaType))
            .Select(a => offered.FirstOrDefault(type => new MediaTypeHeaderValue(type).IsSubsetOf(a)))
            .FirstOrDefault(type => type is not null);
    }
}
