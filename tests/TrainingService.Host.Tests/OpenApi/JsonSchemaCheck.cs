using System.Text.Json;
using System.Text.RegularExpressions;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>
/// Holds JSON against a schema of an OpenAPI 3.1 document: the keywords that ours uses. Stricter than JSON Schema in one way:
/// an object that lists its properties may have no others, so that an answer can't carry what the document doesn't tell.
/// </summary>
public sealed class JsonSchemaCheck(JsonElement document)
{
    public List<string> Errors(JsonElement schema, JsonElement value, string pointer = "")
    {
        var errors = new List<string>();
        Check(schema, value, pointer, errors);
        return errors;
    }

    public JsonElement Resolve(JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out var reference))
        {
            schema = document;
            foreach (var part in reference.GetString()!.Split('/').Skip(1))
                schema = schema.GetProperty(part);
        }
        return schema;
    }

    private void Check(JsonElement schema, JsonElement value, string pointer, List<string> errors)
    {
        schema = Resolve(schema);
        if (schema.TryGetProperty("oneOf", out var choices))
        {
            var fitting = choices.EnumerateArray().Count(choice => Errors(choice, value).Count == 0);
            if (fitting != 1)
                errors.Add($"{pointer}: {fitting} of the choices fit {value}: "
                    + string.Join("; ", choices.EnumerateArray().SelectMany(choice => Errors(choice, value, pointer))));
        }
        if (schema.TryGetProperty("type", out var type) && !Types(type).Any(name => IsOf(name, value)))
        {
            errors.Add($"{pointer}: {value} is not {type}");
            return;
        }
        if (schema.TryGetProperty("enum", out var names) && !names.EnumerateArray().Any(name => JsonElement.DeepEquals(name, value)))
            errors.Add($"{pointer}: {value} is none of {names}");
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                CheckNumber(schema, value.GetDouble(), pointer, errors);
                break;
            case JsonValueKind.String:
                CheckText(schema, value.GetString()!, pointer, errors);
                break;
            case JsonValueKind.Array:
                CheckCount(schema, "Items", value.GetArrayLength(), pointer, errors);
                if (schema.TryGetProperty("items", out var items))
                    foreach (var (index, item) in value.EnumerateArray().Index())
                        Check(items, item, $"{pointer}/{index}", errors);
                break;
            case JsonValueKind.Object:
                CheckObject(schema, value, pointer, errors);
                break;
        }
    }

    private void CheckObject(JsonElement schema, JsonElement value, string pointer, List<string> errors)
    {
        CheckCount(schema, "Properties", value.EnumerateObject().Count(), pointer, errors);
        if (schema.TryGetProperty("required", out var required))
            errors.AddRange(required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _))
                .Select(name => $"{pointer}: {name} is missing"));
        foreach (var property in value.EnumerateObject())
        {
            var place = $"{pointer}/{property.Name}";
            if (schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(property.Name, out var known))
                Check(known, property.Value, place, errors);
            else if (schema.TryGetProperty("additionalProperties", out var additional) && additional.ValueKind == JsonValueKind.Object)
                Check(additional, property.Value, place, errors);
            else if (additional.ValueKind == JsonValueKind.False || properties.ValueKind == JsonValueKind.Object)
                errors.Add($"{place}: not in the schema");
        }
    }

    private static void CheckNumber(JsonElement schema, double value, string pointer, List<string> errors)
    {
        if (schema.TryGetProperty("minimum", out var min) && value < min.GetDouble()
            || schema.TryGetProperty("maximum", out var max) && value > max.GetDouble()
            || schema.TryGetProperty("exclusiveMinimum", out var above) && value <= above.GetDouble()
            || schema.TryGetProperty("exclusiveMaximum", out var below) && value >= below.GetDouble())
            errors.Add($"{pointer}: {value} is out of range");
        if (schema.TryGetProperty("format", out var format) && format.GetString() == "int32" && value is < int.MinValue or > int.MaxValue)
            errors.Add($"{pointer}: {value} is no int32");
    }

    private static void CheckText(JsonElement schema, string value, string pointer, List<string> errors)
    {
        // RFC 8259 characters, not UTF-16 units
        CheckCount(schema, "Length", value.EnumerateRunes().Count(), pointer, errors);
        if (schema.TryGetProperty("pattern", out var pattern) && !Regex.IsMatch(value, pattern.GetString()!))
            errors.Add($"{pointer}: does not match {pattern}");
        var fits = !schema.TryGetProperty("format", out var format) || format.GetString() switch
        {
            "uuid" => Guid.TryParseExact(value, "D", out _),
            "date-time" => DateTimeOffset.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out _),
            "uri" => Uri.TryCreate(value, UriKind.Absolute, out _),
            _ => true,
        };
        if (!fits)
            errors.Add($"{pointer}: '{value}' is no {format}");
    }

    private static void CheckCount(JsonElement schema, string what, int count, string pointer, List<string> errors)
    {
        if (schema.TryGetProperty($"min{what}", out var min) && count < min.GetInt32()
            || schema.TryGetProperty($"max{what}", out var max) && count > max.GetInt32())
            errors.Add($"{pointer}: {count} {what} are too few or too many");
    }

    private static IEnumerable<string> Types(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!) : [type.GetString()!];

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && Math.Floor(value.GetDouble()) == value.GetDouble(),
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => false,
    };
}
