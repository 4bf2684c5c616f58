using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>
/// What a change of a job's spec means, wherever one is made: in clones, arms, grids and tuning. It is a JSON merge patch (RFC 7396)
/// on what was asked for, so that defaults follow what it changes. Some things go beyond the RFC, since the fields of a spec depend
/// on each other. A plain name is an object with only that name. A new name (of an optimiser, activation, ...) doesn't keep the
/// parameters of the old one, nor a new loss those of the old; an object that names nothing belongs to what is there, or to the default.
/// <c>hiddenLayers</c> replaces <c>layers</c> and the other way round. What the model says of all layers reaches those that say the same.
/// </summary>
public static class MergePatch
{
    private static readonly NamedField[] NamedFields =
    [
        new("model", "activation", name => ActivationRegistry.Find(name)?.Name ?? name), new("model", "initializer", Initializer),
        new("model", "biasInitializer", Initializer), new("training", "optimizer", name => name), new("training", "schedule", name => name),
    ];

    private static readonly string[] OfShortForm = ["hiddenLayers", "dropout", "normalization"];

    /// <summary>The spec with the patch applied; neither is changed.</summary>
    public static JsonObject Apply(JsonObject spec, JsonObject patch)
    {
        var (result, changes) = (Copy(spec), WithObjectsForNames(patch));
        if (result["training"] is JsonObject training && changes["training"] is JsonObject changedTraining)
            DropLoss(training, changedTraining);
        if (result["model"] is JsonObject model && changes["model"] is JsonObject changedModel)
            DropForm(model, changedModel);
        foreach (var field in NamedFields)
            DropParameters(field, result, changes);
        Merge(result, changes);
        foreach (var field in NamedFields)
            if (Field(result[field.Section], field.Name) is JsonObject named
                && !named.ContainsKey("name") && DefaultName(field, result) is { } name)
                named["name"] = name;
        return result;
    }

    /// <summary>
    /// The patch that puts each value in place of all that the spec has under its JSON pointer (RFC 6901, without list indexes), or into
    /// another value that is put around that place; null takes the place out.
    /// </summary>
    public static JsonObject Replacing(JsonObject spec, IEnumerable<KeyValuePair<string, object?>> values)
    {
        var patch = new JsonObject();
        // So that what holds a place comes before the place: an optimizer before its learning rate.
        foreach (var (pointer, value) in values.OrderBy(value => value.Key, StringComparer.Ordinal))
            Put(patch, spec, [.. pointer.Split('/').Skip(1).Select(JsonShape.Unescape)],
                JsonSerializer.SerializeToNode(value, Json.Options));
        return patch;
    }

    private static void Put(JsonObject patch, JsonObject spec, string[] path, JsonNode? value)
    {
        JsonNode? there = spec;
        foreach (var (depth, name) in path.SkipLast(1).Index())
        {
            there = Field(there, name);
            var given = patch.TryGetPropertyValue(name, out var around);
            // What isn't there needs not be taken out, and an object without fields may mean something.
            if (value is null && (given ? around is null : there is null))
                return;
            if (around is not JsonObject inner)
                patch[name] = inner = !given ? []
                    : Whole(IsNamed(path[..(depth + 1)]) && Text(around) is { } plain ? WithName(plain) : [], there);
            patch = inner;
        }
        there = Field(there, path[^1]);
        patch[path[^1]] = IsNamed(path) && Text(value) is { } only ? Whole(WithName(only), there)
            : value is JsonObject fields ? Whole(fields, there) : value?.DeepClone();
    }

    /// <summary>The patch that leaves nothing but the fields.</summary>
    private static JsonObject Whole(JsonObject fields, JsonNode? there)
    {
        var result = new JsonObject();
        foreach (var (name, value) in fields)
            result[name] = value is JsonObject inner ? Whole(inner, Field(there, name)) : value?.DeepClone();
        foreach (var (name, _) in there as JsonObject ?? [])
            if (!fields.ContainsKey(name))
                result[name] = null;
        return result;
    }

    private static JsonObject WithObjectsForNames(JsonObject patch)
    {
        var result = Copy(patch);
        foreach (var field in NamedFields)
            if (result[field.Section] is JsonObject section && Text(section[field.Name]) is { } name)
                section[field.Name] = WithName(name);
        if (Text(result["dataset"]) is { } dataset)
            result["dataset"] = WithName(dataset);
        return result;
    }

    private static void DropParameters(NamedField field, JsonObject result, JsonObject changes)
    {
        if (Field(changes[field.Section], field.Name) is not JsonObject named || !named.TryGetPropertyValue("name", out var given)
            || result[field.Section] is not JsonObject section || Text(Field(section[field.Name], "name")) is not { } before)
            return;
        if ((given is null ? DefaultName(field, result) : Text(given)) is { } name && field.Canonical(name) != field.Canonical(before))
            section.Remove(field.Name);
    }

    /// <summary>A loss's parameters stand beside its name.</summary>
    private static void DropLoss(JsonObject training, JsonObject changes)
    {
        if (!changes.TryGetPropertyValue("loss", out var given)
            || (Text(given) ?? "auto") is not { } loss || loss == (Text(training["loss"]) ?? "auto"))
            return;
        if (loss != "huber")
            training.Remove("huberDelta");
        if (loss is not ("cross_entropy" or "auto"))
            training.Remove("labelSmoothing");
    }

    private static void DropForm(JsonObject model, JsonObject changes)
    {
        if (changes["layers"] is not null)
            foreach (var field in OfShortForm)
                model.Remove(field);
        if (changes["hiddenLayers"] is not null)
            model.Remove("layers");
        if (model["layers"] is not JsonArray layers || Resolved(model) is not { } resolved)
            return;
        foreach (var field in NamedFields.Where(field => field.Section == "model" && changes.ContainsKey(field.Name)))
            Inherit(layers, field.Name, [model[field.Name], resolved[field.Name]]);
    }

    private static void Inherit(JsonArray layers, string field, JsonNode?[] ofModel)
    {
        foreach (var layer in layers.OfType<JsonObject>())
        {
            if (ofModel.Any(same => JsonNode.DeepEquals(layer[field], same)))
                layer.Remove(field);
            Inherit(layer["layers"] as JsonArray ?? [], field, ofModel);
        }
    }

    /// <summary>RFC 7396, section 2.</summary>
    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
            if (value is null)
                target.Remove(name);
            else if (value is not JsonObject fields)
                target[name] = value.DeepClone();
            else if (target[name] is JsonObject into)
                Merge(into, fields);
            else
                Merge((target[name] = new JsonObject()).AsObject(), fields);
    }

    /// <summary>What is meant where the spec leaves the field out; null if the rest of the model is no model.</summary>
    private static string? DefaultName(NamedField field, JsonObject spec)
    {
        if (field.Section == "training")
            return field.Name == "optimizer" ? OptimizerSpec.Default.Name : ScheduleSpec.Default.Name;
        var model = new JsonObject();
        foreach (var other in NamedFields)
            if (other.Section == "model" && other != field && Field(spec["model"], other.Name) is { } value)
                model[other.Name] = value.DeepClone();
        return Text(Field(Resolved(model)?[field.Name], "name"));
    }

    /// <summary>The model's fields for all layers, with their defaults.</summary>
    private static JsonObject? Resolved(JsonObject model)
    {
        var ofAll = new JsonObject();
        foreach (var field in NamedFields)
            if (field.Section == "model" && model[field.Name] is { } value)
                ofAll[field.Name] = value.DeepClone();
        return JsonBody.Read<ModelSpec>(JsonSerializer.SerializeToElement(ofAll), []) is { } spec && JobRules.Resolve(spec) is { } resolved
            ? JsonSerializer.SerializeToNode(resolved, Json.Options) as JsonObject : null;
    }

    private static bool IsNamed(string[] path) =>
        path is ["dataset"] || (path.Length == 2 && NamedFields.Any(field => field.Section == path[0] && field.Name == path[1]));

    private static JsonNode? Field(JsonNode? fields, string name) => (fields as JsonObject)?[name];

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static JsonObject WithName(string name) => new() { ["name"] = name };

    private static JsonObject Copy(JsonObject fields) => (JsonObject)fields.DeepClone();

    private static string Initializer(string name) => InitializerRegistry.Find(name)?.Name ?? name;

    /// <summary>A field that says by name what it is, with parameters of its own.</summary>
    /// <param name="Section">The spec's field that it stands in.</param>
    /// <param name="Name">Of the field.</param>
    /// <param name="Canonical">What stands for a name and its aliases.</param>
    private sealed record NamedField(string Section, string Name, Func<string, string> Canonical);
}
