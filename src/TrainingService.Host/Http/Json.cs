using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>How everything that leaves or enters as JSON is written: over HTTP and in jsonb columns alike.</summary>
public static class Json
{
    /// <summary>Types with a <see cref="PlainNameAttribute"/>, of the engine and of this program.</summary>
    public static IReadOnlySet<Type> NamedTypes { get; } = new[] { typeof(PlainNameAttribute).Assembly, typeof(Json).Assembly }
        .SelectMany(assembly => assembly.GetTypes()).Where(type => type.IsDefined(typeof(PlainNameAttribute), false)).ToHashSet();

    public static JsonSerializerOptions Options { get; } = Fixed(Configure(new(JsonSerializerDefaults.Web)));

    /// <summary>
    /// What was measured, as rows have it: a field that a later version writes is passed over, since workers may be of that version while
    /// this process still answers. Not for what was asked: half of it would be something else.
    /// </summary>
    public static JsonSerializerOptions Measured { get; } =
        Fixed(new(Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip });

    /// <summary>An enum's name as it stands in JSON, in addresses and in sentences.</summary>
    public static string NameOf<T>(T value) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    /// <summary>As it stands in JSON; of what is an object there.</summary>
    public static JsonObject ObjectOf<T>(T value) => JsonSerializer.SerializeToNode(value, Options) as JsonObject
        ?? throw new ArgumentException($"a {typeof(T).Name} is no object in JSON", nameof(value));

    public static void AddJson(this WebApplicationBuilder builder) =>
        builder.Services.ConfigureHttpJsonOptions(json => Configure(json.SerializerOptions));

    private static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        // "NaN" and the infinities are data in results. Request bodies pass through JsonBody first, which takes only numbers for numbers.
        options.NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.PropertyNameCaseInsensitive = false;
        // Answers are JSON and never part of a page; apostrophes stay readable.
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new LongConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        return options;
    }

    private static JsonSerializerOptions Fixed(JsonSerializerOptions options)
    {
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
