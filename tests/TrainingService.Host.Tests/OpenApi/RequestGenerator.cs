using System.Text.Json;
using System.Text.Json.Nodes;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>
/// Job bodies from the document's schemas, by a seed. What the schemas can't say (which parameters a name has) is put right afterwards.
/// </summary>
public sealed class RequestGenerator(Document document, int seed)
{
    private static readonly string[] Datasets = ["digits", "iris", "wine", "breast_cancer", "penguins"];

    private static readonly Dictionary<string, string[]> Parameters = new()
    {
        ["sgd"] = ["learningRate", "momentum", "weightDecay"],
        ["adam"] = ["learningRate", "weightDecay", "beta1", "beta2", "epsilon"],
        ["adamw"] = ["learningRate", "weightDecay", "beta1", "beta2", "epsilon"],
        ["rmsprop"] = ["learningRate", "momentum", "weightDecay", "alpha", "epsilon"],
        ["step"] = ["stepSize", "gamma"],
        ["exponential"] = ["gamma"],
        ["cosine"] = ["tMax", "etaMin"],
        ["one_cycle"] = ["pctStart", "divFactor", "finalDivFactor", "cycleMomentum", "baseMomentum", "maxMomentum"],
        ["leaky_relu"] = ["negativeSlope"],
        ["lrelu"] = ["negativeSlope"],
        ["elu"] = ["alpha"],
        ["prelu"] = ["init"],
        ["gelu"] = ["approximate"],
        ["kaiming_normal"] = ["gain"],
        ["he_uniform"] = ["gain"],
        ["xavier_uniform"] = ["gain"],
        ["normal"] = ["mean", "std"],
        ["constant"] = ["value"],
        ["variance_scaling"] = ["scale", "mode", "distribution"],
    };

    private static readonly string[] ForBias = ["constant", "normal", "ones", "zeros", "torch_default"];

    private readonly Random _random = new(seed);

    public JsonObject Valid()
    {
        var body = (JsonObject)Value(document.Schema("JobSpec"), 0)!;
        PutRight(body);
        return body;
    }

    /// <summary>A valid body made invalid, with what was done to it.</summary>
    public (string Body, string What) Invalid()
    {
        var body = Valid();
        var text = body.ToJsonString();
        switch (_random.Next(13))
        {
            case 0:
                body.Remove("dataset");
                return (body.ToJsonString(), "no dataset");
            case 1:
                var host = Objects(body).Where(o => o.Parent is not JsonObject { } parent || parent["labels"] != o)
                    .Where(o => o != body["labels"]).ToList();
                Pick(host)[Pick(["modl", "activation_", "x", "Name", ""])] = 1;
                return (body.ToJsonString(), "unknown field");
            case 2:
                return (Replaced(body, leaf => leaf.GetValueKind() == JsonValueKind.Number ? JsonValue.Create("12") : new JsonArray(1.5)),
                    "wrong type");
            case 3:
                return (Replaced(body, _ => JsonNode.Parse("\"NaN\"")!, JsonValueKind.Number), "NaN as a string");
            case 4:
                return (Replaced(body, _ => JsonValue.Create("nothing of the kind"), JsonValueKind.String, "name", "labels"),
                    "unknown name");
            case 5:
                (body["training"] = new JsonObject())["epochs"] = Pick([0, -1, 100_001, int.MaxValue]);
                return (body.ToJsonString(), "epochs out of range");
            case 6:
                body["model"] = JsonNode.Parse(Pick(["""{"hiddenLayers": [1000000000]}""", """{"hiddenLayers": []}""",
                    """{"hiddenLayers": [-1]}""", """{"layers": [null]}""", """{"hiddenLayers": [65536, 65536]}""",
                    """{"activation": {"name": "leaky_relu", "negativeSlope": 1e999}}"""]));
                return (body.ToJsonString(), "impossible model");
            case 7:
                return (text[..^_random.Next(1, text.Length)], "cut off");
            case 8:
                return (text[..^1] + Pick([",}", "}}", "} x", ", \"x\": NaN}", ", \"x\": 01}"]), "malformed");
            case 9:
                return ($"{text[..^1]}, \"dataset\": \"iris\"}}", "duplicate key");
            case 10:
                return ($"{text[..^1]}, \"labels2\": {new string('[', 10_000)}{new string(']', 10_000)}}}", "deep");
            case 11:
                return ($"{text[..^1]}, \"name2\": \"{new string('x', 1 << 20)}\"}}", "huge");
            default:
                body["name"] = Pick(["a\0b", "", new string('n', 201)]);
                return (body.ToJsonString(), "impossible name");
        }
    }

    /// <summary>What a client would not send, in the places of a body that it would: a text that may be no JSON any more.</summary>
    public string Hostile(JsonElement schema)
    {
        var root = new JsonObject { ["body"] = Value(document.Schemas.Resolve(schema), 0) };
        var values = new List<string>();
        for (var left = _random.Next(4); left > 0; left--)
        {
            var mark = $"@{values.Count}@";
            if (_random.Next(4) == 0 && Objects(root).Skip(1).ToList() is { Count: > 0 } objects)
                Pick(objects)[Pick(["modl", "Name", "", "__proto__", "a/b~c", "🙂"])] = mark;
            else if (Leaves(root).ToList() is { Count: > 0 } leaves)
                Pick(leaves).ReplaceWith(JsonValue.Create(mark));
            else
                root["body"] = mark;
            values.Add(Pick(Values));
        }
        var text = root["body"]?.ToJsonString() ?? "null";
        foreach (var (index, value) in values.Index())
            text = text.Replace($"\"@{index}@\"", value, StringComparison.Ordinal);
        return _random.Next(8) switch
        {
            0 => text[..^_random.Next(1, text.Length + 1)],
            1 => text.Insert(_random.Next(text.Length), Pick([",", "}", "\"", "\0", "\uFEFF", "//", "\u2028"])),
            _ => text,
        };
    }

    private static readonly string[] Values =
    [
        "null", "true", "0", "-0", "-1", "1e308", "1e999", "-1e-999", "0.1", "2147483648", "9007199254740993", "99999999999999999999999",
        "\"NaN\"", "\"Infinity\"", "\"\"", "\" \"", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00x\"", "\"2026-13-45T99:00:00Z\"",
        "\"../../etc/passwd\"", "\"'; DROP TABLE jobs; --\"", "\"<script>alert(1)</script>\"", "\"%s%n{0}\"", "\"🙂\"",
        "[]", "{}", "[null]", "{\"a\": 1, \"a\": 2}", "{\"name\": {\"name\": {\"name\": 1}}}", $"\"{new string('x', 100_000)}\"",
        $"{new string('[', 500)}{new string(']', 500)}", $"[{string.Join(',', Enumerable.Repeat("1", 20_000))}]",
    ];

    public T Pick<T>(IReadOnlyList<T> choices) => choices[_random.Next(choices.Count)];

    /// <summary>Of a string that is a name, those that there are: the schema says so in words alone.</summary>
    private JsonElement NameOrOther(JsonElement schema) => schema.TryGetProperty("description", out var text)
        && text.GetString()!.Split("Only its name: see ") is ["", var component] ? document.Schema(component.TrimEnd('.')) : schema;

    private JsonNode? Value(JsonElement schema, int depth)
    {
        schema = document.Schemas.Resolve(schema);
        if (schema.TryGetProperty("enum", out var names))
            return JsonNode.Parse(Pick(names.EnumerateArray().ToList()).GetRawText());
        if (schema.TryGetProperty("oneOf", out var choices))
            return Value(Pick(choices.EnumerateArray().Select(NameOrOther).ToList()), depth);
        var types = !schema.TryGetProperty("type", out var type) ? ["null"]
            : type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!).ToList() : [type.GetString()!];
        if (types.Count > 1 && _random.Next(5) > 0)
            types.Remove("null");
        return Pick(types) switch
        {
            "object" => Object(schema, depth),
            "array" =>
                new JsonArray([.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Value(schema.GetProperty("items"), depth + 1))]),
            "integer" => JsonValue.Create((long)Number(schema, 20)),
            "number" => JsonValue.Create(Math.Round(Number(schema, 2), 3)),
            "boolean" => JsonValue.Create(_random.Next(2) == 0),
            "string" when schema.TryGetProperty("pattern", out var pattern) && pattern.GetString() == "^-?[0-9]+$" =>
                JsonValue.Create(Pick(["-9223372036854775808", "9007199254740993", "7"])),
            "string" => JsonValue.Create(Pick(["a", "long name", "Größe", "日本 \"x\"", "emoji 🙂"])),
            _ => null,
        };
    }

    private JsonObject Object(JsonElement schema, int depth)
    {
        var result = new JsonObject();
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(n => n.GetString()).ToHashSet() : [];
        if (schema.TryGetProperty("properties", out var properties))
            foreach (var property in properties.EnumerateObject())
                if (required.Contains(property.Name) || _random.Next(2) == 0)
                    result[property.Name] = Value(property.Value, depth + 1);
        if (schema.TryGetProperty("additionalProperties", out var values) && values.ValueKind == JsonValueKind.Object)
            foreach (var key in (string[])["team", "a.b/c", "é"])
                result[key] = Value(values, depth + 1);
        return result;
    }

    private double Number(JsonElement schema, double most)
    {
        double? Bound(string keyword) => schema.TryGetProperty(keyword, out var bound) ? bound.GetDouble() : null;
        var min = Bound("minimum") ?? Bound("exclusiveMinimum") + 0.01 ?? 0;
        var max = Bound("maximum") ?? Bound("exclusiveMaximum") - 0.01 ?? most;
        return min + _random.NextDouble() * (Math.Min(max, min + most) - min);
    }

    private void PutRight(JsonObject body)
    {
        // an address, which no pattern describes
        body.Remove("notifyUrl");
        if (body["dataset"] is JsonObject dataset)
        {
            dataset["name"] = Pick(Datasets);
            // that of a version there is
            dataset.Remove("sha256");
            if (dataset["maxTrainExamples"] is not null)
                dataset["maxTrainExamples"] = 50;
        }
        else
        {
            body["dataset"] = Pick(Datasets);
        }
        var named =
            Objects(body).Where(o => o.ContainsKey("name") && o.Parent is not null && o.GetPropertyName() is not ("dataset" or "labels"));
        foreach (var spec in named.ToList())
            Keep(spec, [.. Parameters.GetValueOrDefault(spec["name"]!.ToString(), []), "name"]);
        foreach (var holder in Objects(body).Where(o => o["biasInitializer"] is not null).ToList())
            holder["biasInitializer"] = Pick(ForBias);
        if (body["training"] is JsonObject training)
        {
            training["loss"] = "auto";
            training.Remove("huberDelta");
            // needs validation rows, which the data set may have got none of
            training.Remove("earlyStopping");
            // of numbers, which these data sets don't predict
            training.Remove("standardizeTarget");
            if (training["classWeights"] is not null)
                training["classWeights"] = "balanced";
            if (training["batchSize"] is not null)
                training["batchSize"] = _random.Next(1, 8);
        }
        if (body["model"] is JsonObject model)
        {
            if (model["layers"] is JsonArray layers)
            {
                Keep(model, ["layers", "activation", "initializer", "biasInitializer"]);
                foreach (var (index, layer) in layers.Index())
                    Layer((JsonObject)layer!, index % 2 == 1);
            }
            // of one unit there is nothing to be normalized
            if (model["hiddenLayers"] is JsonArray widths)
                for (var index = 0; index < widths.Count; index++)
                    if (widths[index]!.ToString() is "1")
                        widths[index] = 2;
        }
    }

    private void Layer(JsonObject layer, bool dropout)
    {
        layer["type"] = dropout ? "dropout" : "dense";
        layer[dropout ? "rate" : "units"] = dropout ? 0.5 : _random.Next(1, 20);
        Keep(layer, dropout ? ["type", "rate"] : ["type", "units", "activation", "initializer", "biasInitializer"]);
    }

    private static void Keep(JsonObject value, string[] names)
    {
        foreach (var name in value.Select(p => p.Key).Where(name => !names.Contains(name)).ToList())
            value.Remove(name);
    }

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => node switch
    {
        JsonObject value => value.SelectMany(p => Objects(p.Value)).Prepend(value),
        JsonArray list => list.SelectMany(Objects),
        _ => [],
    };

    private string Replaced(JsonObject body, Func<JsonNode, JsonNode> change, JsonValueKind? kind = null, params string[] except)
    {
        (body["training"] ??= new JsonObject())["epochs"] = 3;
        body["priority"] = "low";
        var leaves = Leaves(body).Where(leaf => kind is null || leaf.GetValueKind() == kind)
            .Where(leaf => !except.Any(name => leaf.GetPath().Contains(name, StringComparison.Ordinal)));
        var chosen = Pick(leaves.ToList());
        chosen.ReplaceWith(change(chosen));
        return body.ToJsonString();
    }

    private static IEnumerable<JsonNode> Leaves(JsonNode? node) => node switch
    {
        JsonObject value => value.SelectMany(p => Leaves(p.Value)),
        JsonArray list => list.SelectMany(Leaves),
        null => [],
        _ => [node],
    };
}
