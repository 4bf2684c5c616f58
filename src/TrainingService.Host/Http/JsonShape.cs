using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Http;

/// <summary>
/// Walks a JSON text along a type's fields and collects what does not fit: unknown, missing and repeated fields, wrong types,
/// numbers out of the type's range, text that Postgres can't store. Answers the same JSON with plain names ("relu") written
/// out as objects ({"name": "relu"}), and known words as the service writes them ("ReLU" as "relu").
/// </summary>
internal sealed class JsonShape
{
    // A body of a megabyte could hold a hundred thousand mistakes; nobody reads more than these.
    private const int MaxErrors = 50;

    private Type? _root;

    public List<SpecError> Errors { get; } = [];

    public JsonNode? Read(JsonElement value, Type type, string pointer)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        _root ??= type;
        if (value.ValueKind == JsonValueKind.String && Json.NamedTypes.Contains(type))
            return new JsonObject { ["name"] = Word(Text(value, pointer), type, "name") };
        if (type == typeof(object))
            return Anything(value, pointer);
        if (type == typeof(ClassWeightsSpec))
            return value.ValueKind == JsonValueKind.String ? Text(value, pointer)
                : Expect(value, JsonValueKind.Object, $"'{ClassWeightsSpec.Word}' or an object with a weight by class", pointer)
                    ? Map(value, typeof(double), pointer) : null;
        if (type.GetCustomAttribute<ListOrObjectAttribute>() is { } either)
            return value.ValueKind == JsonValueKind.Array ? Read(value, either.List, pointer)
                : value.ValueKind == JsonValueKind.Number && either.Count is { } count
                    ? Refuse(pointer, $"must be a list or an object, not {Show(value)}: did you mean '{count}': {Show(value)}?")
                : Expect(value, JsonValueKind.Object, "a list or an object", pointer) ? Read(value, either.Fields, pointer) : null;
        var info = Json.Options.GetTypeInfo(type);
        return info switch
        {
            { Kind: JsonTypeInfoKind.Object } =>
                Expect(value, JsonValueKind.Object, Named(type), pointer) ? Object(value, info, pointer) : null,
            { Kind: JsonTypeInfoKind.Dictionary, ElementType: { } element } =>
                Expect(value, JsonValueKind.Object, "an object", pointer) ? Map(value, element, pointer) : null,
            { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element } =>
                Expect(value, JsonValueKind.Array, "a list", pointer) ? List(value, element, pointer) : null,
            _ => Scalar(value, type, pointer),
        };
    }

    private static string Named(Type type) => Json.NamedTypes.Contains(type) ? "a name or an object" : "an object";

    private JsonObject Object(JsonElement value, JsonTypeInfo info, string pointer)
    {
        var result = new JsonObject();
        foreach (var (name, element, place) in Fields(value, pointer))
        {
            if (info.Properties.FirstOrDefault(p => p.Name == name) is not { } field)
            {
                if (info.Type.GetCustomAttributes<RetiredAttribute>().FirstOrDefault(retired => retired.Name == name) is { } retired)
                    Add(place, retired.Why);
                else
                    Add(place, $"unknown field '{Shorten(name)}'{Hint(name, pointer, info)}", info);
            }
            else if (element.ValueKind != JsonValueKind.Null)
                result[name] = Word(Read(element, field.PropertyType, place), info.Type, name);
            else if (field.IsRequired)
                Add(place, "must not be null");
        }
        foreach (var field in info.Properties.Where(p => p.IsRequired && !value.TryGetProperty(p.Name, out _)))
            Add($"{pointer}/{field.Name}", $"'{field.Name}' is required");
        return result;
    }

    private static JsonNode? Word(JsonNode? read, Type type, string field) =>
        read is JsonValue text && text.TryGetValue(out string? given) && FieldWords.Of(type, field) is { } words
            && Names.Same(given, words) is { } word ? JsonValue.Create(word) : read;

    private JsonObject Map(JsonElement value, Type elementType, string pointer)
    {
        var result = new JsonObject();
        foreach (var (name, element, place) in Fields(value, pointer))
            result[name] = Read(element, elementType, place);
        return result;
    }

    private JsonArray List(JsonElement value, Type elementType, string pointer)
    {
        var result = new JsonArray();
        foreach (var (index, element) in value.EnumerateArray().Index())
        {
            if (Errors.Count >= MaxErrors)
                break;
            result.Add(Read(element, elementType, $"{pointer}/{index}"));
        }
        return result;
    }

    private JsonNode? Anything(JsonElement value, string pointer) => value.ValueKind switch
    {
        JsonValueKind.Object => Map(value, typeof(object), pointer),
        JsonValueKind.Array => List(value, typeof(object), pointer),
        JsonValueKind.String => Text(value, pointer),
        JsonValueKind.Number => Number(value, pointer),
        _ => JsonValue.Create(value),
    };

    private JsonValue? Scalar(JsonElement value, Type type, string pointer)
    {
        if (type == typeof(string))
            return Expect(value, JsonValueKind.String, "a string", pointer) ? Text(value, pointer) : null;
        if (type == typeof(bool))
            return Expect(value, value.ValueKind is JsonValueKind.True ? JsonValueKind.True : JsonValueKind.False, "true or false", pointer)
                ? JsonValue.Create(value) : null;
        if (type == typeof(double) || type == typeof(float))
            return Expect(value, JsonValueKind.Number, "a number", pointer) ? Number(value, pointer) : null;
        if (type == typeof(long) && value.ValueKind == JsonValueKind.String
            && LongConverter.TryParse(TryText(value.GetString), out var whole))
            return JsonValue.Create(whole);
        if (type == typeof(int) || type == typeof(long))
            return Expect(value, JsonValueKind.Number, "an integer", pointer) ? Integer(value, type, pointer) : null;
        try
        {
            value.Deserialize(type, Json.Options);
            return JsonValue.Create(value);
        }
        catch (JsonException)
        {
            Add(pointer, type.IsEnum
                ? $"must be one of {string.Join(", ", Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName))}, "
                    + $"not {Show(value)}"
                : $"{Show(value)} is not a valid {type.Name}");
            return null;
        }
    }

    private JsonValue? Integer(JsonElement value, Type type, string pointer)
    {
        if (type == typeof(int) ? value.TryGetInt32(out _) : value.TryGetInt64(out _))
            return JsonValue.Create(value);
        Add(pointer, type == typeof(int)
            ? $"must be a whole number between {int.MinValue} and {int.MaxValue}, written without point or exponent, not {Show(value)}"
            : $"must be a whole number of 64 bits, written without point or exponent, not {Show(value)}");
        return null;
    }

    private JsonValue? Number(JsonElement value, string pointer)
    {
        if (double.IsFinite(value.GetDouble()))
            return JsonValue.Create(value);
        Add(pointer,
            $"{Show(value)} is too large: numbers must be finite, at most {double.MaxValue.ToString("R", CultureInfo.InvariantCulture)}");
        return null;
    }

    private JsonValue? Text(JsonElement value, string pointer)
    {
        if (TryText(value.GetString) is { } text)
            return JsonValue.Create(text);
        Add(pointer, "the text holds a NUL character or half of a surrogate pair, which can't be stored");
        return null;
    }

    private IEnumerable<(string Name, JsonElement Value, string Pointer)> Fields(JsonElement value, string pointer)
    {
        var seen = new HashSet<string>();
        foreach (var property in value.EnumerateObject())
        {
            if (Errors.Count >= MaxErrors)
                yield break;
            var name = TryText(() => property.Name);
            var place = $"{pointer}/{Escape(Shorten(name ?? ""))}";
            if (name is null)
                Add(pointer, "a field's name holds a NUL character or half of a surrogate pair");
            else if (!seen.Add(name))
                Add(place, $"the field '{Shorten(name)}' is given more than once");
            else
                yield return (name, property.Value, place);
        }
    }

    private bool Expect(JsonElement value, JsonValueKind kind, string wanted, string pointer)
    {
        if (value.ValueKind == kind)
            return true;
        var hint = value.ValueKind == JsonValueKind.String && TryText(value.GetString) is "NaN" or "Infinity" or "-Infinity"
            ? "; a request's numbers must be finite" : "";
        Add(pointer, $"must be {wanted}, not {Show(value)}{hint}");
        return false;
    }

    /// <summary>What was probably meant by an unknown field: one of that name elsewhere, or one here that is written much alike.</summary>
    private string Hint(string name, string pointer, JsonTypeInfo info) =>
        _root is not null && FieldPlaces.Of(_root).Nearest(name, pointer) is { } place ? $": did you mean '{place}'?"
            : Names.DidYouMean(name, info.Properties.Select(p => p.Name));

    private JsonNode? Refuse(string pointer, string message)
    {
        Errors.Add(new(pointer, message));
        return null;
    }

    private void Add(string pointer, string message, JsonTypeInfo? info = null)
    {
        if (info is not null && !message.Contains("did you mean", StringComparison.Ordinal))
            message += $"; known are {string.Join(", ", info.Properties.Select(p => p.Name))}";
        Errors.Add(new(pointer, message));
    }

    private static string? TryText(Func<string?> read)
    {
        try
        {
            return read() is { } text && !text.Contains('\0') ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;   // "\ud800" alone: legal JSON, but no text
        }
    }

    private static string Show(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"the string {Shorten(value.GetRawText())}",
        _ => Shorten(value.GetRawText()),
    };

    private static string Shorten(string text) => Characters.Shorten(text, 100);

    /// <summary>A part of a JSON pointer as the name that it stands for.</summary>
    public static string Unescape(string part) =>
        part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);

    /// <summary>A name as a part of a JSON pointer (RFC 6901).</summary>
    public static string Escape(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
