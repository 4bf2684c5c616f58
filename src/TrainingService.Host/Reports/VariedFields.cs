using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>What sets the runs of a sweep apart.</summary>
public static class VariedFields
{
    /// <summary>
    /// Of each job what its resolved spec says in the places that arms and tuning set, by dotted name. Jobs of the same template have the
    /// same, and it is made once for them.
    /// </summary>
    public static async Task<Dictionary<Guid, Dictionary<string, JsonNode>>> OfAsync(TrainingDbContext db, Sweep sweep,
        CancellationToken cancellation)
    {
        string[] places = [.. sweep.Spec.Arms.SelectMany(arm => Leaves(JsonSerializer.SerializeToNode(arm.Patch, Json.Options), ""))
            .Concat(sweep.Spec.Tune?.Keys ?? []).Distinct().Where(place => place != "/training/seed")];
        var templates = (await db.JobTemplates.AsNoTracking().Where(template => template.SweepId == sweep.Id)
                .Select(template => new { template.Number, template.Spec }).ToListAsync(cancellation))
            .ToDictionary(template => template.Number, template => Of(template.Spec, places));
        var result = new Dictionary<Guid, Dictionary<string, JsonNode>>();
        await foreach (var job in db.Jobs.AsNoTracking().Where(j => j.SweepId == sweep.Id)
            .Select(j => new { j.Id, j.TemplateNumber, j.OwnSpec }).AsAsyncEnumerable().WithCancellation(cancellation))
            result[job.Id] = job.OwnSpec is { } own ? Of(own, places)
                : job.TemplateNumber is { } number && templates.TryGetValue(number, out var same) ? same : [];
        return result;
    }

    private static Dictionary<string, JsonNode> Of(JobSpec job, string[] places)
    {
        var (spec, values) = (Json.ObjectOf(job), new Dictionary<string, JsonNode>());
        foreach (var place in places)
        {
            string[] parts = [.. place.Split('/').Skip(1).Select(JsonShape.Unescape)];
            Flatten(parts.Aggregate((JsonNode?)spec, (node, part) => (node as JsonObject)?[part]), string.Join('.', parts), values);
        }
        return values;
    }

    private static IEnumerable<string> Leaves(JsonNode? patch, string place) => patch is JsonObject fields
        ? fields.SelectMany(field => Leaves(field.Value, $"{place}/{JsonShape.Escape(field.Key)}"))
        : place.Length == 0 ? [] : [place];

    private static void Flatten(JsonNode? node, string name, Dictionary<string, JsonNode> values)
    {
        if (node is JsonObject fields)
            foreach (var (field, value) in fields)
                Flatten(value, $"{name}.{field}", values);
        else if (node is not null)
            values[name] = node;
    }
}
