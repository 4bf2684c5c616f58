using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;
using Rule = System.Action<System.Collections.Generic.IDictionary<string, Microsoft.OpenApi.IOpenApiSchema>, string>;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>
/// Ranges, names and defaults of a request's fields, for readers of the document. The checks themselves are in JobRules, the dataset registry and
/// the engine; tests hold this table against them by requests on both sides of every bound.
/// </summary>
public static class SpecRules
{
    public static IReadOnlyDictionary<string, Dictionary<string, Rule>> ByComponent { get; } = new Dictionary<string, Dictionary<string, Rule>>
    {
        ["JobSpec"] = new()
        {
            ["name"] = Length(1, 200),
            ["priority"] = OneOf([.. JobRules.Priorities], "normal"),
            ["timeoutSeconds"] = Between(1, 604_800, 3600),
            ["notifyUrl"] = NotYet,
            ["labels"] = Labels,
        },
        ["DatasetSpec"] = new()
        {
            ["name"] = Field(schema => (schema.MinLength, schema.Examples) = (1, ["digits", "iris"])),
            ["validationFraction"] = Between(0, 0.9, 0.1),
            ["maxTrainExamples"] = AtLeast(1),
            ["standardize"] = Default(true),
        },
        ["ModelSpec"] = new()
        {
            ["hiddenLayers"] = Units,
            ["layers"] = Items(1, 1000),
            ["dropout"] = Share(0),
            ["normalization"] = OneOf(["none", "batch_norm", "layer_norm"], "none"),
        },
        ["LayerSpec"] = new()
        {
            ["type"] = OneOf(["dense", "activation", "dropout", "alpha_dropout", "batch_norm", "layer_norm", "residual"]),
            ["units"] = Between(1, 65_536),
            ["rate"] = Share(),
            ["epsilon"] = Above(0),
            ["momentum"] = Field(schema => (schema.ExclusiveMinimum, schema.Maximum) = ("0", "1")),
            ["layers"] = Items(1, 1000),
        },
        ["ActivationSpec"] = new()
        {
            ["name"] = OneOf([.. Activations]),
            ["approximate"] = OneOf(["none", "tanh"]),
            ["lambda"] = AtLeast(0),
        },
        ["InitializerSpec"] = new()
        {
            ["name"] = OneOf([.. Initializers]),
            ["gain"] = Above(0),
            ["std"] = AtLeast(0),
            ["scale"] = Above(0),
            ["mode"] = OneOf(["fan_in", "fan_out", "fan_avg"]),
            ["distribution"] = OneOf(["normal", "truncated_normal", "uniform"]),
            ["sparsity"] = Share(),
        },
        ["TrainingSpec"] = new()
        {
            ["epochs"] = Between(1, 100_000, 10),
            ["batchSize"] = AtLeast(1),
            ["seed"] = Default(1),
            ["loss"] = OneOf(["auto", "cross_entropy", "binary_cross_entropy", "mse", "huber"], "auto"),
            ["huberDelta"] = Above(0),
            ["activityL1"] = AtLeast(0),
            ["clipNorm"] = Above(0),
            ["labelSmoothing"] = Share(0),
        },
        ["EarlyStoppingSpec"] = new()
        {
            ["patience"] = Between(1, int.MaxValue, 5),
            ["minDelta"] = AtLeast(0),
        },
        ["OptimizerSpec"] = new()
        {
            ["name"] = OneOf(["sgd", "adam", "adamw", "rmsprop"]),
            ["learningRate"] = Above(0),
            ["momentum"] = Share(),
            ["weightDecay"] = AtLeast(0),
            ["beta1"] = Share(),
            ["beta2"] = Share(),
            ["epsilon"] = Above(0),
            ["alpha"] = Share(),
        },
        ["ScheduleSpec"] = new()
        {
            ["name"] = OneOf(["constant", "step", "exponential", "cosine", "one_cycle"]),
            ["warmupSteps"] = AtLeast(0),
            ["stepSize"] = AtLeast(1),
            ["gamma"] = Field(schema => (schema.ExclusiveMinimum, schema.Maximum) = ("0", "1")),
            ["tMax"] = AtLeast(1),
            ["etaMin"] = AtLeast(0),
            ["pctStart"] = Field(schema => (schema.ExclusiveMinimum, schema.ExclusiveMaximum) = ("0", "1")),
            ["divFactor"] = Above(0),
            ["finalDivFactor"] = Above(0),
            ["baseMomentum"] = Share(),
            ["maxMomentum"] = Share(),
        },
        ["DiagnosticsSpec"] = new()
        {
            ["everySteps"] = Between(1, int.MaxValue),
            ["evaluationRows"] = Between(1, 100_000, 2048),
            ["effectiveRank"] = Default(false),
        },
        ["RulesSpec"] = RulesPlan.Parameters.ToDictionary(rule => rule.Key, rule => Thresholds(rule.Value)),
        ["SweepSpec"] = new()
        {
            ["name"] = Length(1, 200),
            ["arms"] = Items(1, SweepRules.MaxArms),
            ["grid"] = ByPointer,
            ["seeds"] = Field(schema => (schema.MinItems, schema.MaxItems, schema.UniqueItems) = (1, SweepRules.MaxCells, true)),
            ["seedCount"] = Between(1, SweepRules.MaxCells, SweepRules.DefaultSeeds),
            ["tune"] = ByPointer,
            ["tuneSeedCount"] = Between(1, SweepRules.MaxCells, SweepRules.DefaultTuneSeeds),
            ["metric"] = OneOf([.. SweepMetrics.All.Select(metric => metric.Name)]),
            ["delta"] = Above(0),
            ["contrasts"] = Items(0, SweepRules.MaxContrasts),
        },
        ["ArmSpec"] = new()
        {
            ["name"] = Length(1, 100),
            ["patch"] = Field(schema => schema.Examples = [JsonNode.Parse("""{"model": {"activation": "tanh"}}""")!]),
        },
        ["SweepExtensionSpec"] = new()
        {
            ["arms"] = Items(0, SweepRules.MaxArms),
            ["seeds"] = Field(schema => (schema.MaxItems, schema.UniqueItems) = (SweepRules.MaxCells, true)),
            ["seedCount"] = Between(2, SweepRules.MaxCells),
        },
        ["StudySpec"] = new()
        {
            ["dataset"] = Field(schema => (schema.MinLength, schema.Examples) = (1, ["digits", "wine"])),
            ["seedCount"] = Between(1, SweepRules.MaxCells),
        },
    };

    /// <summary>By name alone: a parameter means the same wherever it occurs.</summary>
    public static IReadOnlyDictionary<string, Action<OpenApiSchema>> ByParameter { get; } = new Dictionary<string, Action<OpenApiSchema>>
    {
        ["Idempotency-Key"] = schema => (schema.MinLength, schema.MaxLength, schema.Pattern) = (1, 255, "^[ -~]+$"),
        ["cursor"] = schema => schema.MinLength = 1,
        ["status"] = schema => schema.Items = new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Enum = Nodes(Enum.GetValues<JobStatus>().Select(Json.NameOf)),
        },
        ["label"] = schema => schema.Items = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[^=]+=" },
        ["activation"] = schema => schema.Enum = Nodes(Activations),
        ["initializer"] = schema => schema.Enum = Nodes(Initializers),
        ["dataset"] = schema => schema.MinLength = 1,
        ["createdAfter"] = schema => schema.Format = "date-time",
        ["createdBefore"] = schema => schema.Format = "date-time",
        ["orderBy"] = schema => schema.Enum = Nodes([ListJobs.OldestFirst, ListJobs.NewestFirst]),
        ["study"] = schema => schema.Enum = Nodes(StudyCatalog.All.Select(study => study.Name)),
        ["approximate"] = schema => schema.Enum = Nodes(["none", "tanh"]),
    };

    private static IEnumerable<string> Activations => ActivationRegistry.AllNames;

    private static IEnumerable<string> Initializers => InitializerRegistry.AllNames;

    private static List<JsonNode> Nodes(IEnumerable<string> names) => [.. names.Select(name => (JsonNode)name)];

    private static Rule Field(Action<OpenApiSchema> change) => (fields, name) => change((OpenApiSchema)fields[name]);

    private static Rule Between(double min, double max, double? standard = null) => Field(schema =>
        (schema.Minimum, schema.Maximum, schema.Default) = (Text(min), Text(max), standard is null ? null : JsonNode.Parse(Text(standard.Value))));

    private static Rule AtLeast(double min) => Field(schema => schema.Minimum = Text(min));

    private static Rule Above(double min) => Field(schema => schema.ExclusiveMinimum = Text(min));

    private static Rule Share(double? standard = null) => Field(schema =>
        (schema.Minimum, schema.ExclusiveMaximum, schema.Default) = ("0", "1", standard is null ? null : JsonNode.Parse(Text(standard.Value))));

    /// <summary>A rule has only some of the fields that its type has.</summary>
    private static Rule Thresholds(IEnumerable<ParameterInfo> parameters) => (fields, name) => fields[name] = new OpenApiSchema
    {
        Type = JsonSchemaType.Object | JsonSchemaType.Null,
        Description = fields[name].Description ?? fields[name].OneOf?.Select(choice => choice.Description).FirstOrDefault(text => text is not null),
        AdditionalPropertiesAllowed = false,
        Properties = parameters.ToDictionary(p => p.Name, p => (IOpenApiSchema)new OpenApiSchema
        {
            Type = JsonSchemaType.Null | (p.Default is bool ? JsonSchemaType.Boolean
                : p.Name == "evaluations" ? JsonSchemaType.Integer : JsonSchemaType.Number),
            Description = p.Description,
            Default = JsonSerializer.SerializeToNode(p.Default),
            Minimum = p.Name == "evaluations" ? "1" : p.Range == "[0, 1)" ? "0" : null,
            Maximum = p.Name == "evaluations" ? $"{RulesPlan.MostEvaluations}" : null,
            ExclusiveMinimum = p.Range == "> 0" && p.Name != "evaluations" ? "0" : null,
            ExclusiveMaximum = p.Range == "[0, 1)" ? "1" : null,
        }),
    };

    private static Rule Default(JsonNode value) => Field(schema => schema.Default = value.DeepClone());

    private static Rule Length(int min, int max) => Field(schema => (schema.MinLength, schema.MaxLength) = (min, max));

    private static Rule Items(int min, int max) => Field(schema => (schema.MinItems, schema.MaxItems) = (min, max));

    private static Rule OneOf(string[] names, string? standard = null) => Field(schema =>
    {
        schema.Enum = Nodes(names);
        if (schema.Type?.HasFlag(JsonSchemaType.Null) == true)
            schema.Enum.Add(JsonNullSentinel.JsonNull);
        schema.Default = standard;
    });

    private static void NotYet(IDictionary<string, IOpenApiSchema> fields, string name) =>
        fields[name] = new OpenApiSchema { Type = JsonSchemaType.Null, Description = "Not supported yet: leave it out or give null." };

    /// <summary>Lists of anything a job can hold, by JSON pointer.</summary>
    private static void ByPointer(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var schema = (OpenApiSchema)fields[name];
        schema.MinProperties = 1;
        schema.PatternProperties = new Dictionary<string, IOpenApiSchema>
        {
            ["^/."] = new OpenApiSchema { Type = JsonSchemaType.Array, MinItems = 1, Items = new OpenApiSchema { Description = "A value that the job can have there." } },
        };
        (schema.AdditionalProperties, schema.AdditionalPropertiesAllowed) = (null, false);
        schema.Examples = [JsonNode.Parse("""{"/model/activation": ["relu", {"name": "leaky_relu", "negativeSlope": 0.1}]}""")!];
    }

    private static void Units(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var schema = (OpenApiSchema)fields[name];
        (schema.MinItems, schema.MaxItems, schema.Default) = (1, 1000, JsonNode.Parse("[256, 128]"));
        var units = (OpenApiSchema)schema.Items!;
        (units.Minimum, units.Maximum) = ("1", "65536");
    }

    private static void Labels(IDictionary<string, IOpenApiSchema> fields, string name)
    {
        var schema = (OpenApiSchema)fields[name];
        schema.MaxProperties = 32;
        schema.PatternProperties = new Dictionary<string, IOpenApiSchema>
        {
            ["^[^=]{1,63}$"] = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
        };
        (schema.AdditionalProperties, schema.AdditionalPropertiesAllowed) = (null, false);
        schema.Examples = [JsonNode.Parse("""{"team": "a"}""")!];
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
