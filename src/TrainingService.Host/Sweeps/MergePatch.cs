using System.Text.Json.Nodes;

namespace TrainingService.Host.Sweeps;

/// <summary>JSON merge patches (RFC 7396).</summary>
public static class MergePatch
{
    /// <summary>The target with the patch applied; neither is changed.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var result = target is JsonObject fields ? (JsonObject)fields.DeepClone() : [];
        foreach (var (name, change) in changes)
        {
            if (change is null)
                result.Remove(name);
            else
                result[name] = Apply(result[name], change);
        }
        return result;
    }

    /// <summary>The patch that sets the place under a JSON pointer (RFC 6901) without list indexes.</summary>
    public static JsonObject At(string pointer, JsonNode? value)
    {
        var names = pointer.Split('/').Skip(1).Select(name => name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray();
        return (JsonObject)names.Reverse().Aggregate(value?.DeepClone(), (inner, name) => new JsonObject { [name] = inner })!;
    }
}
