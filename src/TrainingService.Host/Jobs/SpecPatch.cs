using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>A change of a job's spec, as a request brings it; see <see cref="MergePatch"/> for its meaning.</summary>
public sealed record SpecPatch(JsonObject Patch) : IEndpointParameterMetadataProvider
{
    public const string MediaType = "application/merge-patch+json";

    public static async ValueTask<SpecPatch?> BindAsync(HttpContext context)
    {
        if (JsonBody.HasNone(context))
            return new([]);
        if (context.Request.GetTypedHeaders().ContentType is not { } type
            || !(type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase)))
            throw new ProblemException(
                Problems.UnsupportedMediaType($"a patch must be sent as '{MediaType}' (RFC 7396) or 'application/json'"));
        var text = await JsonBody.ReadText(context.Request, context.RequestAborted);
        using var document = JsonBody.Parse(text);
        var shape = new JsonShape();
        if (shape.Read(document.RootElement, typeof(object), "") is JsonObject patch && shape.Errors.Count == 0)
            return new((JsonObject)patch.DeepClone());   // its values belong to the document
        throw new ProblemException(Problems.Invalid(
            shape.Errors.Count > 0 ? shape.Errors : [new("", "the patch must be an object, such as {\"training\": {\"seed\": 2}}")]));
    }

    public static void PopulateMetadata(System.Reflection.ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([MediaType, "application/json"], typeof(JsonObject), isOptional: true));

    /// <summary>
    /// The patched spec, with the labels that the job has by now; null, with errors that point into the patch, if it has not the shape of
    /// one.
    /// </summary>
    public JobSpec? ApplyTo(Job job, ICollection<SpecError> errors) =>
        ApplyTo((job.Request ?? job.Spec) with { Labels = job.Labels.Count > 0 ? job.Labels : null }, errors);

    /// <summary>The same of what was asked for.</summary>
    public JobSpec? ApplyTo(JobSpec request, ICollection<SpecError> errors)
    {
        var target = MergePatch.Apply(Json.ObjectOf(request), Patch);
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
                var name = JsonShape.Unescape(part);
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
}
