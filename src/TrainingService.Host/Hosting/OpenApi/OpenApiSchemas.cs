using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Host.Http;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>What types can't say of themselves in JSON Schema.</summary>
public static class OpenApiSchemas
{
    public const string Problem = "ProblemDetails";

    private static readonly string[] NonFinite = ["NaN", "Infinity", "-Infinity"];

    public static Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellation)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(double) || type == typeof(float))
            Number(schema, type, context);
        else if (type.IsEnum)
            schema.Type = JsonSchemaType.String | (schema.Type ?? 0) & JsonSchemaType.Null;
        else if (context.JsonTypeInfo.ElementType == typeof(object) && context.JsonTypeInfo.Kind == JsonTypeInfoKind.Enumerable)
            schema.Items =
                new OpenApiSchema { Type = JsonSchemaType.Number | JsonSchemaType.String | JsonSchemaType.Boolean | JsonSchemaType.Null };
        else if (context.JsonTypeInfo.Kind == JsonTypeInfoKind.Object && schema.Properties is not null)
            Object(schema, context.JsonTypeInfo);
        return Task.CompletedTask;
    }

    public static IDictionary<string, IOpenApiSchema> Of(OpenApiDocument document) =>
        document.Components?.Schemas ?? throw new InvalidOperationException("The document has no schemas yet.");

    public static void Finish(OpenApiDocument document)
    {
        var schemas = Of(document);
        FieldSchemas.Describe(schemas);
        schemas.Remove("RuleSpec");   // each rule has its own fields
        foreach (var type in Json.NamedTypes)
            NameOrObject(document, type.Name);
        DescribeNames((OpenApiSchema)schemas["ActivationName"], ActivationRegistry.All.Select(a => (a.Name, a.Aliases, a.Formula)));
        DescribeNames((OpenApiSchema)schemas["InitializerName"], InitializerRegistry.All.Select(i => (i.Name, i.Aliases, i.Formula)));
        schemas[Problem] = ProblemSchema();
    }

    /// <summary>
    /// 32-bit floats and the elements of points are measurements and may be anything; requests, times, shares and gains are finite.
    /// </summary>
    private static void Number(OpenApiSchema schema, Type type, OpenApiSchemaTransformerContext context)
    {
        var property = context.JsonPropertyInfo;
        var nullable = property is { IsGetNullable: true } && (IsRequest(property.DeclaringType) || IsAlwaysWritten(property));
        schema.AnyOf = null;
        if (type == typeof(float) || property is null && context.ParameterDescription is null)
        {
            schema.Type = null;
            schema.OneOf =
            [
                new OpenApiSchema { Type = JsonSchemaType.Number, Format = schema.Format },
                new OpenApiSchema { Type = JsonSchemaType.String, Enum = Nodes(NonFinite) },
            ];
            if (nullable)
                schema.OneOf.Add(new OpenApiSchema { Type = JsonSchemaType.Null });
            schema.Format = null;
        }
        else
        {
            schema.Type = JsonSchemaType.Number | (nullable ? JsonSchemaType.Null : 0);
        }
    }

    /// <summary>In an answer, a field without a value is left out unless it says otherwise, and every other field is there.</summary>
    private static void Object(OpenApiSchema schema, JsonTypeInfo type)
    {
        if (IsRequest(type.Type))
            return;
        schema.AdditionalPropertiesAllowed = true;   // answers may grow
        schema.AdditionalProperties = null;
        schema.Required =
            type.Properties.Where(p => p.Get is not null && (!p.IsGetNullable || IsAlwaysWritten(p))).Select(p => p.Name).ToHashSet();
    }

    private static bool IsRequest(Type type) => type.Name.EndsWith("Spec", StringComparison.Ordinal);

    private static bool IsAlwaysWritten(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), true)
            .OfType<JsonIgnoreAttribute>().Any(ignore => ignore.Condition == JsonIgnoreCondition.Never) == true;

    /// <summary>XSpec becomes: an XName (a string) or an XObject.</summary>
    private static void NameOrObject(OpenApiDocument document, string component)
    {
        var (name, wholly) = (component.Replace("Spec", "Name", StringComparison.Ordinal),
            component.Replace("Spec", "Object", StringComparison.Ordinal));
        var schemas = Of(document);
        var schema = (OpenApiSchema)schemas[component];
        schemas[wholly] = schema;
        if (schema.Properties is { } fields)
            (schemas[name], fields["name"]) = (fields["name"], new OpenApiSchemaReference(name, document));
        schemas[component] = new OpenApiSchema
        {
            Description = $"{schema.Description} A plain name stands for an object with only that name.",
            OneOf = [new OpenApiSchemaReference(name, document), new OpenApiSchemaReference(wholly, document)],
        };
    }

    private static void DescribeNames(OpenApiSchema schema,
        IEnumerable<(string Name, IReadOnlyList<string> Aliases, string Formula)> entries)
    {
        static string Also(IReadOnlyList<string> aliases) =>
            aliases.Count == 0 ? "" : $" (also {string.Join(", ", aliases.Select(alias => $"`{alias}`"))})";
        var lines = entries.Select(e => $"- `{e.Name}`{Also(e.Aliases)}: {e.Formula}");
        schema.Description = $"{schema.Description}\n\n{string.Join('\n', lines)}";
    }

    private static OpenApiSchema ProblemSchema() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "RFC 9457 problem details.",
        Required = new HashSet<string> { "type", "title", "status", "detail", "traceId" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = Text(
                "Kind of the problem; stable, to branch "
                + $"on:\n\n{string.Join('\n', Problems.Kinds.Select(k => $"- `{k.Type}` ({k.Status}): {k.Title}"))}",
                "uri",
                [.. Problems.Kinds.Select(k => k.Type)]),
            ["title"] = Text("The kind in words."),
            ["status"] =
                new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "400", Maximum = "599", Description = "The HTTP status." },
            ["detail"] = Text("What went wrong here."),
            ["instance"] = Text("Not used yet.", "uri-reference"),
            ["traceId"] = Text("To find the request in the service's log."),
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "Messages by JSON pointer into the body (`/model/hiddenLayers/0`; empty: "
                    + "the whole body), or by `/` and a parameter's name.",
                AdditionalProperties = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array,
                    MinItems = 1,
                    Items = new OpenApiSchema { Type = JsonSchemaType.String },
                },
            },
        },
        Examples =
        [
            new JsonObject
            {
                ["type"] = "urn:training-service:problem:validation",
                ["title"] = "The request breaks rules",
                ["status"] = 400,
                ["detail"] = "/model/activation: unknown activation 'leaky_rely': did you mean 'leaky_relu'?",
                ["traceId"] = "0af7651916cd43dd8448eb211c80319c",
                ["errors"] =
                    new JsonObject { ["/model/activation"] = new JsonArray("unknown activation 'leaky_rely': did you mean 'leaky_relu'?") },
            },
        ],
    };

    private static OpenApiSchema Text(string description, string? format = null, string[]? values = null) =>
        new() { Type = JsonSchemaType.String, Description = description, Format = format, Enum = values is null ? null : Nodes(values) };

    private static List<JsonNode> Nodes(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
}
