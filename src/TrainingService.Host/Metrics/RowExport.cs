using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Http;

namespace TrainingService.Host.Metrics;

/// <summary>All rows as they are stored, written while they are read.</summary>
public static class RowExport
{
    public const string Json = MediaTypes.Json;

    /// <summary>The formats besides JSON.</summary>
    public static readonly string[] Others = [MediaTypes.Csv, MediaTypes.Ndjson, MediaTypes.Parquet];

    /// <summary>The first format that the client takes, by its preference; null if none will do.</summary>
    public static string? Choose(HttpRequest request) => MediaTypes.Choose(request, [Json, .. Others]);

    public static ProblemHttpResult NotAcceptable(HttpRequest request) => Problems.NotAcceptable(request, [Json, .. Others]);

    /// <summary>
    /// CSV: a header, then numbers; an empty field was not measured. NDJSON: an object a line without what was not
    /// measured. Parquet: it is null.
    /// </summary>
    public static PushStreamHttpResult Write<TRow>(string mediaType, IAsyncEnumerable<TRow> rows,
        IReadOnlyList<RowField<TRow>> fields, CancellationToken cancellation) =>
        TypedResults.Stream(async stream =>
        {
            if (mediaType == MediaTypes.Parquet)
            {
                await ParquetRows.WriteAsync(stream, rows, fields, cancellation);
                return;
            }
            await using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16);
            if (mediaType == MediaTypes.Csv)
                await writer.WriteAsync(string.Join(',', fields.Select(f => Quoted(f.Name))) + "\r\n");
            await foreach (var row in rows.WithCancellation(cancellation))
                await writer.WriteAsync(mediaType == MediaTypes.Csv
                    ? string.Join(',', fields.Select(f => Quoted(Convert.ToString(f.Value(row), CultureInfo.InvariantCulture) ?? "")))
                        + "\r\n"
                    : JsonSerializer.Serialize(fields.Select(f => (f.Name, Value: f.Value(row)))
                        .Where(f => f.Value is not null).ToDictionary(), Http.Json.Options) + "\n");
        }, mediaType == MediaTypes.Csv ? "text/csv; charset=utf-8" : mediaType);

    /// <summary>RFC 4180, section 2.</summary>
    private static string Quoted(string field) => field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field
        : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
