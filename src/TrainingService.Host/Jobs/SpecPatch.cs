using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>
/// A JSON merge patch (RFC 7396) on a job's spec. It is merged into what was asked for, so that defaults follow what the patch changes. Three things go beyond
/// the RFC, since the fields of a spec depend on each other: a new name (of an optimiser, activation, ...) doesn't keep the parameters of the old one;
/// <c>hiddenLayers</c> replaces <c>layers</c> and the other way round; what the model says of all layers reaches those that say the same.
/// </summary>
public sealed record SpecPatch(JsonObject Patch) : IEndpointParameterMetadataProvider
{
    public const string MediaType = "application/merge-patch+json";

    private static readonly string[] OfLayers = ["activation", "initializer", "biasInitializer"];
    private static readonly string[] Named = ["model/activation", "model/initializer", "model/biasInitializer", "training/optimizer", "training/schedule"];

    public static async ValueTask<SpecPatch?> BindAsync(HttpContext context)
    {
        if (context.Request.GetTypedHeaders().ContentType is not { } type || !(type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase)))
            throw new ProblemException(Problems.UnsupportedMediaType($"a patch must be sent as '{MediaType}' (RFC 7396) or 'application/json'"));
        var text = await JsonBody.ReadText(context.Request, context.RequestAborted);
        using var document = JsonBody.Parse(text);
        var shape = new JsonShape();
        if (shape.Read(document.RootElement, typeof(object), "") is JsonObject patch && shape.Errors.Count == 0)
            return new((JsonObject)patch.DeepClone());   // its values belong to the document
        throw new ProblemException(Problems.Invalid(
            shape.Errors.Count > 0 ? shape.Errors : [new("", "the patch must be an object, such as {\"training\": {\"seed\": 2}}")]));
    }

    public static void PopulateMetadata(System.Reflection.ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([MediaType, "application/json"], typeof(JsonObject), isOptional: false));

    /// <summary>The patched spec; null, with errors that point into the patch, if it has not the shape of one.</summary>
    public JobSpec? ApplyTo(Job job, ICollection<SpecError> errors)
    {
        var resolved = JsonSerializer.SerializeToNode(job.Spec, Json.Options)!.AsObject();
        var target = job.Request is null ? (JsonObject)resolved.DeepClone() : JsonSerializer.SerializeToNode(job.Request, Json.Options)!.AsObject();
        var patch = (JsonObject)Patch.DeepClone();
        foreach (var path in Named)
            Rename(target, resolved, patch, path.Split('/'));
        if (patch["model"] is JsonObject model && target["model"] is JsonObject before)
        {
            if (model["layers"] is not null)
                foreach (var field in (string[])["hiddenLayers", "dropout", "normalization"])
                    before.Remove(field);
            if (model["hiddenLayers"] is not null)
                before.Remove("layers");
            foreach (var field in OfLayers.Where(f => model[f] is not null))
                Inherit(before["layers"], field, resolved["model"]![field]);
        }
        Merge(target, patch);
        var shape = new JsonShape();
        var node = shape.Read(JsonSerializer.SerializeToElement(target), typeof(JobSpec), "");
        Point(shape.Errors, errors);
        return shape.Errors.Count > 0 ? null : node.Deserialize<JobSpec>(Json.Options);
    }

    /// <summary>Adds errors of the patched spec, each at the place in the patch that it comes from.</summary>
    public void Point(IEnumerable<SpecError> found, ICollection<SpecError> errors)
    {
        foreach (var error in found)
        {
            JsonNode? place = Patch;
            var pointer = "";
            foreach (var part in error.Pointer.Split('/').Skip(1))
            {
                var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                if (place is JsonObject fields && fields.TryGetPropertyValue(name, out var field))
                    place = field;
                else if (place is JsonArray list && int.TryParse(name, out var index) && index < list.Count)
                    place = list[index];
                else
                    break;
                pointer += $"/{part}";
            }
            errors.Add(error with { Pointer = pointer });
        }
    }

    /// <summary>Another name in the patch drops what the target has under that path; none takes the name that there is.</summary>
    private static void Rename(JsonObject target, JsonObject resolved, JsonObject patch, string[] path)
    {
        var (section, field) = (path[0], path[1]);
        if (patch[section] is not JsonObject patched || patched[field] is not { } given)
            return;
        if (given is JsonValue)
            patched[field] = given = new JsonObject { ["name"] = given.DeepClone() };
        var now = resolved[section]![field]!["name"]!.GetValue<string>();
        var before = (target[section] as JsonObject)?[field];
        if (given is not JsonObject named)
            return;
        if (named["name"] is JsonValue name && name.TryGetValue<string>(out var text) && text != now && text != before?["name"]?.GetValue<string>())
            (target[section] as JsonObject)?.Remove(field);
        else if (before is null && !named.ContainsKey("name"))
            named["name"] = now;
    }

    private static void Inherit(JsonNode? layers, string field, JsonNode? ofModel)
    {
        foreach (var layer in (layers as JsonArray ?? []).OfType<JsonObject>())
        {
            if (JsonNode.DeepEquals(layer[field], ofModel))
                layer.Remove(field);
            Inherit(layer["layers"], field, ofModel);
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
}
