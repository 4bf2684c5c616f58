using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>
/// A JSON request body. Binding to <typeparamref name="T"/> alone would stop at the first mistake and name it in terms of C#;
/// so the text is compared with T's fields first, and all mistakes are answered at once, each with its JSON pointer.
/// </summary>
public sealed record JsonBody<T>(T Value) : IEndpointParameterMetadataProvider where T : class
{
    /// <summary>Without a body all fields have their defaults, if they have any.</summary>
    private static readonly bool IsOptional = !Json.Options.GetTypeInfo(typeof(T)).Properties.Any(field => field.IsRequired);

    public static async ValueTask<JsonBody<T>?> BindAsync(HttpContext context)
    {
        var text = IsOptional && JsonBody.HasNone(context) ? "{}"u8.ToArray()
            : await JsonBody.ReadText(context.Request, context.RequestAborted);
        using var document = JsonBody.Parse(text);
        var errors = new List<SpecError>();
        return JsonBody.Read<T>(document.RootElement, errors) is { } value ? new(value)
            : throw new ProblemException(Problems.Invalid(errors));
    }

    public static void PopulateMetadata(System.Reflection.ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T), IsOptional));
}

internal static class JsonBody
{
    // Less than Kestrel's own limit, beyond which it cuts the connection while the client still sends, and the
    // client never sees the answer.
    public const int MaxBytes = 1 << 20;

    public static async Task<ReadOnlyMemory<byte>> ReadText(HttpRequest request, CancellationToken cancellation, int maxBytes = MaxBytes)
    {
        if (!request.HasJsonContentType())
            throw new ProblemException(Problems.UnsupportedMediaType(Problems.SentAs(request)));
        if (request.GetTypedHeaders().ContentType is { Charset.Length: > 0 } type && type.Encoding is not UTF8Encoding
            || request.Headers.ContentEncoding.Count > 0)
            throw new ProblemException(
                Problems.UnsupportedMediaType("the body must be sent as 'application/json' in UTF-8, not compressed"));
        var text = await ReadBytes(request, maxBytes, cancellation);
        return text.Span.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text;
    }

    /// <summary>The body as it is, up to a limit.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadBytes(HttpRequest request, int maxBytes, CancellationToken cancellation)
    {
        if (request.ContentLength > maxBytes)
            throw new ProblemException(Problems.TooLarge(maxBytes));
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellation);
            var body = read.Buffer.Length <= maxBytes && read.IsCompleted ? read.Buffer.ToArray() : null;
            var isTooLarge = read.Buffer.Length > maxBytes;
            request.BodyReader.AdvanceTo(read.IsCompleted || isTooLarge ? read.Buffer.End : read.Buffer.Start, read.Buffer.End);
            if (isTooLarge)
                throw new ProblemException(Problems.TooLarge(maxBytes));
            if (body is not null)
                return body;
        }
    }

    public static JsonDocument Parse(ReadOnlyMemory<byte> text)
    {
        if (!Utf8.IsValid(text.Span))
            throw new ProblemException(
                Problems.Malformed($"it is not valid UTF-8: the first wrong byte is number {FirstInvalid(text.Span) + 1}"));
        if (text.Span.Trim(" \t\r\n"u8).IsEmpty)
            throw new ProblemException(Problems.Malformed("it is empty; send a JSON object"));
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException e)
        {
            var reason = InWords(e.Message.Split(" LineNumber:")[0].TrimEnd('.', ' '));
            throw new ProblemException(Problems.Malformed($"{reason} (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})"));
        }
    }

    /// <summary>JSON as a <typeparamref name="T"/>; null and an error for each place that does not fit.</summary>
    public static T? Read<T>(JsonElement json, List<SpecError> errors) where T : class
    {
        var shape = new JsonShape();
        var node = shape.Read(json, typeof(T), "");
        errors.AddRange(shape.Errors);
        return node is null || shape.Errors.Count > 0 ? null : node.Deserialize<T>(Json.Options);
    }

    /// <summary>Whether the request has no body at all.</summary>
    public static bool HasNone(HttpContext http) =>
        http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == false || http.Request.ContentLength == 0;

    /// <summary>The mistakes that are most frequent, without the parser's own terms.</summary>
    private static string InWords(string reason) => reason switch
    {
        _ when reason.Contains("trailing comma", StringComparison.Ordinal) =>
            "there is a trailing comma before the closing bracket: take it away",
        _ when reason.StartsWith("''' is an invalid start", StringComparison.Ordinal) =>
            "texts and names of fields stand in double quotes (\"), not in single ones",
        _ when reason.Contains("invalid start of a property name", StringComparison.Ordinal) =>
            $"{reason}: names of fields stand in double quotes",
        _ when reason.Contains("open JSON object or array", StringComparison.Ordinal) => "it ends before all brackets are closed",
        _ => reason,
    };

    private static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        var characters = new char[text.Length];
        Utf8.ToUtf16(text, characters, out var read, out _, replaceInvalidSequences: false);
        return read;
    }
}
