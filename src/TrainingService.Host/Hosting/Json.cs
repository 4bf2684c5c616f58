using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Optimizers;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Hosting;

/// <summary>How everything that leaves or enters as JSON is written: over HTTP and in jsonb columns alike.</summary>
public static class Json
{
    /// <summary>Types for which a request may give a plain string where only the name matters: "relu" for {"name": "relu"}.</summary>
    public static IReadOnlySet<Type> NamedTypes { get; } =
        new HashSet<Type> { typeof(ActivationSpec), typeof(InitializerSpec), typeof(OptimizerSpec), typeof(ScheduleSpec), typeof(DatasetSpec) };

    public static JsonSerializerOptions Options { get; } = Fixed(Configure(new(JsonSerializerDefaults.Web)));

    public static void AddJson(this WebApplicationBuilder builder) => builder.Services.ConfigureHttpJsonOptions(json => Configure(json.SerializerOptions));

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
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        return options;
    }

    private static JsonSerializerOptions Fixed(JsonSerializerOptions options)
    {
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
