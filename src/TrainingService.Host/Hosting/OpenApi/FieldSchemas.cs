using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Models;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>
/// Turns the rules of requests' fields into keywords of their schemas: attributes on the fields, and of what is chosen by name,
/// the parameters of all that could be chosen. The same rules are what requests are checked by.
/// </summary>
public static class FieldSchemas
{
    /// <summary>What neither an attribute nor a parameter can say.</summary>
    private static readonly Dictionary<(Type, string), Action<IDictionary<string, IOpenApiSchema>, string>> Others = new()
    {
        [(typeof(LayerSpec), "type")] = (fields, name) => OneOf((OpenApiSchema)fields[name], LayerSpec.Types),
        [(typeof(TrainingSpec), "classWeights")] = ClassWeights,
        [(typeof(JobSpec), "labels")] = Labels,
        [(typeof(PredictionSpec), "inputs")] = ListsOrObjects,
        [(typeof(SweepSpec), "seeds")] = ListedOrUntil,
        [(typeof(SweepSpec), "grid")] = ByPointer,
        [(typeof(SweepSpec), "tune")] = ByPointer,
        [(typeof(SweepSpec), "metric")] =
            (fields, name) => OneOf((OpenApiSchema)fields[name], SweepMetrics.Names),
        [(typeof(ArmSpec), "patch")] = (fields, name) =>
            ((OpenApiSchema)fields[name]).Examples = [new JsonObject { ["model"] = new JsonObject { ["activation"] = "tanh" } }],
    };

    /// <summary>Completes the components that stand for requests.</summary>
    public static void Describe(IDictionary<string, IOpenApiSchema> components)
    {
        foreach (var type in typeof(ModelSpec).Assembly.GetExportedTypes().Concat(typeof(JobSpec).Assembly.GetExportedTypes()))
            if (components.TryGetValue(type.Name, out var component) && component.Properties is { } fields)
                foreach (var field in Fields.Of(type).Where(field => fields.ContainsKey(field.Name)))
                    Describe(type, field, fields);
    }

    private static void Describe(Type type, Field field, IDictionary<string, IOpenApiSchema> fields)
    {
        if (Others.TryGetValue((type, field.Name), out var other))
            other(fields, field.Name);
        else if (type == typeof(RulesSpec))
            fields[field.Name] = Thresholds(fields[field.Name], RulesPlan.Parameters[field.Name]);
        else if (field.Rule is { } rule)
            Apply((OpenApiSchema)fields[field.Name], rule);
        else if (FieldWords.Chosen.TryGetValue(type, out var chosen) && field.Name == "name")
            OneOf((OpenApiSchema)fields[field.Name], chosen.Names);
        else if (chosen.Parameters?.Where(p => p.Name == field.Name).ToArray() is { Length: > 0 } parameters)
            Apply((OpenApiSchema)fields[field.Name], parameters);
    }

    private static void Apply(OpenApiSchema schema, FieldRuleAttribute rule)
    {
        switch (rule)
        {
            case BoundsAttribute { Bounds: var bounds }:
                Apply(schema, [bounds]);
                if (rule is AtLeastAttribute { All: true })
                    schema.Maximum = Text(int.MaxValue);
                break;
            case LengthAttribute length:
                (schema.MinLength, schema.MaxLength) = (length.Fewest, length.Most == int.MaxValue ? null : length.Most);
                break;
            case OneOfAttribute choice:
                OneOf(schema, choice.Words);
                break;
            case ItemsAttribute items:
                (schema.MinItems, schema.MaxItems) = (items.Fewest, items.MostItems);
                if (items.Unique)
                    schema.UniqueItems = true;
                if (items.Most > 0 && schema.Items is OpenApiSchema item)
                    (item.Minimum, item.Maximum) = (Text(items.Least), Text(items.Most));
                break;
        }
        if (rule.Default is { } standard)
            Tell(schema, standard);
        if (rule.Examples is { } examples)
            schema.Examples = [.. examples.Select(example => (JsonNode)example)];
    }

    /// <summary>
    /// In words: of the keyword <c>default</c> generators make a field that must be given, or one that is sent as if the user had chosen
    /// it, though in a sweep, say, another default would hold.
    /// </summary>
    private static void Tell(OpenApiSchema schema, object standard)
    {
        if (schema.Description?.Contains("efault", StringComparison.Ordinal) != true)
            schema.Description = $"{schema.Description} Default {JsonSerializer.Serialize(standard, Json.Options)}.".TrimStart();
    }

    private static void Apply(OpenApiSchema schema, ParameterInfo[] parameters)
    {
        if (parameters[0] is ChoiceParameter)
            OneOf(schema, parameters.OfType<ChoiceParameter>().SelectMany(p => p.Words).Distinct());
        else
            Apply(schema, [.. parameters.Select(BoundsOf).OfType<Bounds>()]);
    }

    /// <summary>What any of them allows.</summary>
    private static void Apply(OpenApiSchema schema, IReadOnlyList<Bounds> alternatives)
    {
        if (alternatives.Count == 0)
            return;
        if (alternatives.All(b => b.Above is not null))
            schema.ExclusiveMinimum = Text(alternatives.Min(b => b.Above));
        else if (alternatives.All(b => (b.Least ?? b.Above) is not null))
            schema.Minimum = Text(alternatives.Min(b => b.Least ?? b.Above));
        if (alternatives.All(b => b.Below is not null))
            schema.ExclusiveMaximum = Text(alternatives.Max(b => b.Below));
        else if (alternatives.All(b => (b.Most ?? b.Below) is not null))
            schema.Maximum = Text(alternatives.Max(b => b.Most ?? b.Below));
    }

    private static Bounds? BoundsOf(ParameterInfo parameter) => parameter switch
    {
        NumberParameter number => number.Bounds,
        OptionalNumberParameter number => number.Bounds,
        CountParameter count => count.Bounds,
        _ => null,
    };

    /// <summary>A rule has only some of the fields that its type has.</summary>
    private static OpenApiSchema Thresholds(IOpenApiSchema rule, IEnumerable<ParameterInfo> parameters) => new()
    {
        Type = JsonSchemaType.Object | JsonSchemaType.Null,
        Description = rule.Description ?? rule.OneOf?.Select(choice => choice.Description).FirstOrDefault(text => text is not null),
        AdditionalPropertiesAllowed = false,
        Properties = parameters.ToDictionary(p => p.Name, IOpenApiSchema (p) => Threshold(p)),
    };

    private static OpenApiSchema Threshold(ParameterInfo parameter)
    {
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Null | parameter switch
            {
                FlagParameter => JsonSchemaType.Boolean,
                CountParameter => JsonSchemaType.Integer,
                _ => JsonSchemaType.Number,
            },
            Description = parameter.Description,
        };
        if (parameter.Default is { } standard)
            Tell(schema, standard);
        Apply(schema, [parameter]);
        return schema;
    }

    private static void OneOf(OpenApiSchema schema, IEnumerable<string> names)
    {
        schema.Enum = [.. names.Select(name => (JsonNode)name)];
        if (schema.Type?.HasFlag(JsonSchemaType.Null) == true)
            schema.Enum.Add(JsonNullSentinel.JsonNull);
    }

    /// <summary>Not supported yet.</summary>
    /// <summary>Lists of anything a job can hold, by JSON pointer.</summary>
    private static void ByPointer(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var schema = (OpenApiSchema)fields[name];
        schema.MinProperties = 1;
        schema.AdditionalProperties = new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            MinItems = 1,
            Items = new OpenApiSchema { Description = "A value that the job can have there." },
        };
        schema.Examples = [new JsonObject
        {
            ["/model/activation"] = new JsonArray("relu", new JsonObject { ["name"] = "leaky_relu", ["negativeSlope"] = 0.1 }),
        }];
    }

    private static void ListsOrObjects(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var field = (OpenApiSchema)fields[name];
        OpenApiSchema Cell() =>
            new() { Type = JsonSchemaType.Number | JsonSchemaType.String | JsonSchemaType.Boolean | JsonSchemaType.Null };
        field.MinItems = 1;
        field.MaxItems = InputRows.MaxRows;
        field.Items = new OpenApiSchema
        {
            OneOf =
            [
                new OpenApiSchema { Type = JsonSchemaType.Array, Items = Cell() },
                new OpenApiSchema { Type = JsonSchemaType.Object, AdditionalProperties = Cell() },
            ],
        };
        field.Examples = [new JsonArray(new JsonArray(5.1, 3.5, 1.4, 0.2))];
    }

    private static void ClassWeights(IDictionary<string, IOpenApiSchema> fields, string name) => fields[name] = new OpenApiSchema
    {
        Description = fields[name].Description,
        OneOf =
        [
            new OpenApiSchema { Type = JsonSchemaType.Null },
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [ClassWeightsSpec.Word] },
            new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                MinProperties = 1,
                AdditionalProperties = new OpenApiSchema
                {
                    Type = JsonSchemaType.Number,
                    ExclusiveMinimum = Text(0),
                    Description = "Of the class with this name or index.",
                },
            },
        ],
    };

    /// <summary>A list of seeds, or until when there shall be more.</summary>
    private static void ListedOrUntil(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var until = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "until" },
            AdditionalPropertiesAllowed = false,
            Properties = Fields.Of(typeof(UntilSpec)).ToDictionary(field => field.Name, IOpenApiSchema (field) =>
            {
                var schema = new OpenApiSchema { Type = JsonSchemaType.Integer | JsonSchemaType.Null, Format = "int32" };
                if (field.Rule is { } rule)
                    Apply(schema, rule);
                return schema;
            }),
            Description = "Seeds 1, 2, 3, ... in batches: after `atLeast` of them and after each batch the sweep looks, and it stops when "
                + "every comparison is decided (a verdict other than inconclusive) or can't be decided any more, at `atMost`, or when "
                + "`budgetSeconds` are over. The adjusted p-values pay for all looks.",
            Examples = [new JsonObject { ["until"] = UntilSpec.Decided, ["atLeast"] = 6, ["atMost"] = 60 }],
        };
        (until.Properties["until"], fields[name]) = (
            new OpenApiSchema { Type = JsonSchemaType.String, Enum = [UntilSpec.Decided], Description = "What the sweep waits for." },
            new OpenApiSchema
            {
                Description = fields[name].Description,
                OneOf =
                [
                    new OpenApiSchema { Type = JsonSchemaType.Null },
                    new OpenApiSchema
                    {
                        Type = JsonSchemaType.Array,
                        MinItems = 1,
                        MaxItems = SweepRules.MaxCells,
                        UniqueItems = true,
                        Items = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
                        Description = "The seeds themselves.",
                    },
                    until,
                ],
            });
    }

    private static void Labels(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var schema = (OpenApiSchema)fields[name];
        schema.MaxProperties = JobRules.MaxLabels;
        schema.AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = JobRules.MaxLabelValue };
        schema.Examples = [new JsonObject { ["team"] = "a" }];
    }

    private static string? Text(double? value) => value?.ToString(CultureInfo.InvariantCulture);
}
