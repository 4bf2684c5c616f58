using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Host.Http;
using TrainingService.Host.Uploads;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>What types can't say of themselves in JSON Schema.</summary>
public static class OpenApiSchemas
{
    public const string Problem = "ProblemDetails";

    private const string NonFinite = "^(NaN|-?Infinity)$", WholeNumber = "^-?[0-9]+$";

    public static Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellation)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(double) || type == typeof(float))
            Number(schema, type, context);
        else if (type.IsEnum)
            (schema.Type, schema.Enum) = (JsonSchemaType.String, Nodes(Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)));
        else if (type == typeof(long))
            Whole(schema, context.JsonPropertyInfo);
        else if (context.JsonTypeInfo.ElementType == typeof(long) && context.JsonTypeInfo.Kind == JsonTypeInfoKind.Enumerable)
            Whole((OpenApiSchema)(schema.Items = new OpenApiSchema()), null);
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
        // each rule has its own fields, and what may be one thing or another says so where it is used
        foreach (var unused in (string[])["RuleSpec", "SeedsSpec", "ClassWeightsSpec"])
            schemas.Remove(unused);
        Forms(document);
        schemas.Remove(nameof(IFormFile));
        foreach (var (name, schema) in ParameterSchemas.Components)
            schemas[name] = schema;
        Lift(document, "SweepSpec", "seeds", "UntilSpec");
        var names = Json.NamedTypes.ToDictionary(type => type.Name, type => NameOf(document, type.Name));
        foreach (var fields in schemas.Values.Select(schema => schema.Properties).OfType<IDictionary<string, IOpenApiSchema>>())
            foreach (var (field, schema) in fields.ToList())
            {
                if (NamedBy(schema) is { } named && names.TryGetValue(named, out var name))
                    fields[field] = ObjectOrName(document, schema, named, name);
                else if (field is "seed" or "seeds")
                    Seed(schema);
            }
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
        var nullable = MayBeNull(property);
        schema.AnyOf = null;
        if (type == typeof(float) || property is null && context.ParameterDescription is null)
        {
            // no union of two schemas: of that, generators make a class with a member for either
            schema.Type = JsonSchemaType.Number | JsonSchemaType.String | (nullable ? JsonSchemaType.Null : 0);
            (schema.Pattern, schema.Enum) = (NonFinite, null);
        }
        else
        {
            schema.Type = JsonSchemaType.Number | (nullable ? JsonSchemaType.Null : 0);
        }
    }

    /// <summary>Of what a converter reads and writes, ASP.NET knows nothing.</summary>
    private static void Whole(OpenApiSchema schema, JsonPropertyInfo? property) =>
        (schema.Type, schema.Format) = (JsonSchemaType.Integer | (MayBeNull(property) ? JsonSchemaType.Null : 0), "int64");

    private static bool MayBeNull(JsonPropertyInfo? property) =>
        property is { IsGetNullable: true } && (IsRequest(property.DeclaringType) || IsAlwaysWritten(property));

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

    /// <summary>Forms stand where they are sent, and files in them: as components they are not known for what they are.</summary>
    private static void Forms(OpenApiDocument document)
    {
        foreach (var form in (string[])[nameof(UploadRequest), nameof(VersionRequest)])
        {
            var schema = Of(document)[form];
            foreach (var (name, field) in schema.Properties?.ToList() ?? [])
                if (NamedBy(field) == nameof(IFormFile))
                    schema.Properties![name] = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Format = "binary",
                        Description = field.Description,
                    };
            foreach (var body in document.Paths.Values.SelectMany(path => (path.Operations ?? []).Values)
                .SelectMany(operation => operation.RequestBody?.Content?.Values ?? []))
                if (body.Schema is OpenApiSchemaReference reference && reference.Reference.Id == form)
                    body.Schema = schema;
            Of(document).Remove(form);
        }
    }

    /// <summary>The object that a field may be becomes a component, so that generators have a name for it.</summary>
    private static void Lift(OpenApiDocument document, string component, string field, string name)
    {
        if (Of(document)[component].Properties?[field].OneOf is not { } choices)
            throw new InvalidOperationException($"{component}.{field} is no union.");
        var index = choices.Index().Single(choice => choice.Item.Type == JsonSchemaType.Object).Index;
        Of(document)[name] = choices[index];
        choices[index] = new OpenApiSchemaReference(name, document);
    }

    /// <summary>Makes an XName of the field by which an XSpec is chosen.</summary>
    private static string NameOf(OpenApiDocument document, string component)
    {
        var name = component.Replace("Spec", "Name", StringComparison.Ordinal);
        var (schemas, schema) = (Of(document), (OpenApiSchema)Of(document)[component]);
        schema.Description = $"{schema.Description} Where it stands, a plain name may stand for an object with only that name.";
        if (schema.Properties is { } fields)
            (schemas[name], fields["name"]) = (fields["name"], new OpenApiSchemaReference(name, document));
        return name;
    }

    /// <summary>The component that a field is, or may be.</summary>
    private static string? NamedBy(IOpenApiSchema schema) =>
        (schema as OpenApiSchemaReference ?? schema.OneOf?.OfType<OpenApiSchemaReference>().FirstOrDefault())?.Reference.Id;

    /// <summary>
    /// The object first: generators that keep only one of a union keep the first. The name is any string, since clients of Kiota look for
    /// an enum's word first, and find none in an object. It may be null in a request as every field may, which isn't told: a third
    /// choice would be a class of its own.
    /// </summary>
    private static OpenApiSchema ObjectOrName(OpenApiDocument document, IOpenApiSchema field, string component, string name) => new()
    {
        Description = field.Description
            ?? field.OneOf?.Select(choice => choice.Description).FirstOrDefault(text => text is not null),
        OneOf = [new OpenApiSchemaReference(component, document), Text($"Only its name: see {name}.")],
    };

    /// <summary>64 bits, of which JavaScript's numbers hold 53.</summary>
    private static void Seed(IOpenApiSchema schema)
    {
        var numbers = (schema.OneOf?.FirstOrDefault(choice => choice.Items is not null) ?? schema).Items ?? schema;
        if (numbers is not OpenApiSchema { Format: "int64" } number)
            return;
        (number.Type, number.Pattern) = ((number.Type ?? 0) | JsonSchemaType.Integer | JsonSchemaType.String, WholeNumber);
        const string Words = "Beyond 2^53, which JavaScript would round, it is a string in answers, and may be one in requests.";
        number.Description = $"{number.Description} {Words}".TrimStart();
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
                "uri"),   // no enum: there will be more, and System.Text.Json knows no words that are no identifiers
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

    private static OpenApiSchema Text(string description, string? format = null) =>
        new() { Type = JsonSchemaType.String, Description = description, Format = format };

    private static List<JsonNode> Nodes(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
}
