using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Hosting;

namespace TrainingService.Host.Metrics;

/// <summary>All rows as they are stored, one a line, written while they are read.</summary>
public static class RowExport
{
    public const string Json = MediaTypes.Json, Csv = MediaTypes.Csv, Ndjson = MediaTypes.Ndjson;

    /// <summary>The first of the three that the client takes, by its preference; null if none will do.</summary>
    public static string? Choose(HttpRequest request) => MediaTypes.Choose(request, Json, Csv, Ndjson);

    public static ProblemHttpResult NotAcceptable(HttpRequest request) => TypedResults.Problem(statusCode: 406,
        detail: $"Rows come as {Json}, {Csv} or {Ndjson}; '{request.Headers.Accept}' is not supported"
            + (request.Headers.Accept.ToString().Contains("parquet", StringComparison.OrdinalIgnoreCase) ? " yet." : "."));

    /// <summary>CSV: a header, then numbers; an empty field was not measured. NDJSON: an object a line without what was not measured.</summary>
    public static PushStreamHttpResult Write<TRow>(string mediaType, IAsyncEnumerable<TRow> rows, IReadOnlyList<(string Name, Func<TRow, object?> Value)> fields,
        CancellationToken cancellation) => TypedResults.Stream(async stream =>
    {
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16);
        if (mediaType == Csv)
            await writer.WriteAsync(string.Join(',', fields.Select(f => f.Name)) + "\r\n");
        await foreach (var row in rows.WithCancellation(cancellation))
            await writer.WriteAsync(mediaType == Csv
                ? string.Join(',', fields.Select(f => Convert.ToString(f.Value(row), CultureInfo.InvariantCulture))) + "\r\n"
                : JsonSerializer.Serialize(fields.Select(f => (f.Name, Value: f.Value(row))).Where(f => f.Value is not null).ToDictionary(), Hosting.Json.Options) + "\n");
    }, mediaType == Csv ? "text/csv; charset=utf-8" : mediaType);
}
