using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>What parameters of requests, in the path, query and headers, may be.</summary>
public static class ParameterSchemas
{
    /// <summary>By name alone: a parameter means the same wherever it occurs, but for the status and the sweep of a delivery.</summary>
    public static IReadOnlyDictionary<string, Action<OpenApiSchema>> ByName { get; } = new Dictionary<string, Action<OpenApiSchema>>
    {
        ["Idempotency-Key"] = schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, 255, "^[ -~]+$"),
        ["cursor"] = schema => schema.MinLength = 1,
        ["status"] = schema => schema.Items = schema.Type is not JsonSchemaType.Array ? null : new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Enum = Nodes(Enum.GetValues<JobStatus>().Select(Json.NameOf)),
        },
        ["label"] = schema => schema.Items = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[^=]+=" },
        ["activation"] = schema => schema.Enum = Nodes(ActivationRegistry.AllNames),
        ["initializer"] = schema => schema.Enum = Nodes(InitializerRegistry.AllNames),
        ["dataset"] = schema => schema.MinLength = 1,
        ["createdAfter"] = schema => schema.Format = "date-time",
        ["createdBefore"] = schema => schema.Format = "date-time",
        ["sweepId"] = schema => schema.Pattern = schema.Format is "uuid" ? null : "^(none|[0-9a-fA-F-]{36})$",
        ["orderBy"] = schema => schema.Enum = Nodes(JobOrder.All),
        ["split"] = schema => schema.Enum = Nodes(["test", "validation"]),
        ["feature"] = schema => schema.Items = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1 },
        ["approximate"] = schema => schema.Enum = Nodes(["none", "tanh"]),
    };

    /// <summary>Names that are fixed, as components, since several operations take them.</summary>
    public static IReadOnlyDictionary<string, OpenApiSchema> Components { get; } = new Dictionary<string, OpenApiSchema>
    {
        ["StudyName"] = new()
        {
            Type = JsonSchemaType.String,
            Enum = Nodes(StudyCatalog.All.Select(study => study.Name)),
            Description = "Name of a study (`GET /studies`).",
        },
        ["PulledDatasetName"] = new()
        {
            Type = JsonSchemaType.String,
            Enum = Nodes(MnistFamily.All(["."], new RowCache()).Select(dataset => dataset.Name)),
            Description = "Name of a data set that is fetched on request.",
        },
    };

    /// <summary>Which of them a parameter is.</summary>
    public static string? ComponentOf(string operation, string parameter) => (operation, parameter) switch
    {
        ("runStudy" or "getStudy", "name") or (_, "study") => "StudyName",
        ("pullDataset" or "getDatasetPull", "name") => "PulledDatasetName",
        _ => null,
    };

    private static List<JsonNode> Nodes(IEnumerable<string> names) => [.. names.Select(name => (JsonNode)name)];
}
