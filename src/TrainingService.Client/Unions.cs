using System.Text.Json;
using System.Text.Json.Serialization;

namespace TrainingService.Client;

/// <summary>Seeds of a sweep: a list, or as many as it takes to decide.</summary>
[JsonConverter(typeof(Converter))]
public sealed record SeedsSpec
{
    private SeedsSpec(JsonElement json) => Json = json;

    private JsonElement Json { get; }

    /// <summary>The seeds themselves; null where they come until something is decided.</summary>
    public IReadOnlyList<long>? List => Json.ValueKind == JsonValueKind.Array ? Json.Deserialize<IReadOnlyList<long>>(ClientJson.Options)
        : null;

    /// <summary>Seeds in batches until every comparison is decided.</summary>
    public static SeedsSpec UntilDecided(int? atLeast = null, int? atMost = null) =>
        new(JsonSerializer.SerializeToElement(new { until = "decided", atLeast, atMost }, ClientJson.Options));

    /// <summary>These.</summary>
    public static implicit operator SeedsSpec(long[] seeds) => FromInt64Array(seeds);

    /// <summary>These.</summary>
    public static SeedsSpec FromInt64Array(long[] seeds) => new(JsonSerializer.SerializeToElement(seeds, ClientJson.Options));

    private sealed class Converter : JsonConverter<SeedsSpec>
    {
        public override SeedsSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(JsonElement.ParseValue(ref reader));

        public override void Write(Utf8JsonWriter writer, SeedsSpec value, JsonSerializerOptions options) => value.Json.WriteTo(writer);
    }
}
