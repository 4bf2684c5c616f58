using System.Text.Json;
using System.Text.Json.Nodes;

namespace TrainingService.Host.Sweeps;

/// <summary>JSON merge patches (RFC 7396), to which a plain name is an object with only that name: "adam" keeps its name when a learning rate is added.</summary>
public static class MergePatch
{
    /// <summary>The target with the patch applied; neither is changed.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var result = target switch
        {
            JsonObject fields => (JsonObject)fields.DeepClone(),
            JsonValue name when name.GetValueKind() == JsonValueKind.String => new() { ["name"] = name.DeepClone() },
            _ => [],
        };
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
