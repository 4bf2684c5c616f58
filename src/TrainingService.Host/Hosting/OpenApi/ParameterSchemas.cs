using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>What parameters of requests, in the path, query and headers, may be.</summary>
public static class ParameterSchemas
{
    /// <summary>By name alone: a parameter means the same wherever it occurs.</summary>
    public static IReadOnlyDictionary<string, Action<OpenApiSchema>> ByName { get; } = new Dictionary<string, Action<OpenApiSchema>>
    {
        ["Idempotency-Key"] = schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, 255, "^[ -~]+$"),
        ["cursor"] = schema => schema.MinLength = 1,
        ["status"] = schema => schema.Items = new OpenApiSchema
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
        ["orderBy"] = schema => schema.Enum = Nodes([ListJobs.OldestFirst, ListJobs.NewestFirst]),
        ["study"] = schema => schema.Enum = Nodes(StudyCatalog.All.Select(study => study.Name)),
        ["approximate"] = schema => schema.Enum = Nodes(["none", "tanh"]),
    };

    private static List<JsonNode> Nodes(IEnumerable<string> names) => [.. names.Select(name => (JsonNode)name)];
}
