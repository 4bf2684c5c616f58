using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

public static class GetSweepCells
{
    /// <summary>A sweep as one flat table</summary>
    /// <remarks>
    /// A row a cell: arm, seed, candidate (-1 for what arms are compared by), job, status, each field that an arm or the tuning sets
    /// (as the job's resolved spec has it: `model.activation.name`), and every result. `pandas.read_csv(address)` reads it.
    /// Without `format` the Accept header decides; CSV by default.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="format">csv, ndjson or parquet.</param>
    /// <response code="200">The rows.</response>
    public static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Handle(Guid id,
        [FromQuery, RegularExpression("^(csv|ndjson|parquet)$"), DefaultValue("csv")] string? format,
        HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        string[] offered = [MediaTypes.Csv, MediaTypes.Ndjson, MediaTypes.Parquet];
        if (format is not (null or "csv" or "ndjson" or "parquet"))
            return Problems.Invalid("/format", $"the rows come as csv, ndjson or parquet, not '{Characters.Shorten(format, 100)}'");
        if ((format is null ? MediaTypes.Choose(http.Request, offered)
            : offered.First(type => type.EndsWith(format, StringComparison.Ordinal))) is not { } mediaType)
            return Problems.NotAcceptable(http.Request, offered);
        await using var snapshot = await db.SnapshotAsync(cancellation);
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        http.Response.Headers.Vary = "Accept";
        if (!sweep.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        var cells = await SweepCells.ReadAsync(db, sweep, cancellation);
        var varied = await VariedAsync(db, sweep, cancellation);
        var rows = ReportRows.Of(sweep.Spec).ToList();
        // in front of the results
        rows.InsertRange(6, Fields(varied));
        return RowExport.Write(mediaType, cells.ToAsyncEnumerable(), rows, cancellation);
    }

    /// <summary>Of each job what its spec says in the places that arms and tuning set, by dotted name.</summary>
    private static async Task<Dictionary<Guid, Dictionary<string, JsonNode>>> VariedAsync(TrainingDbContext db, Sweep sweep,
        CancellationToken cancellation)
    {
        string[] places = [.. sweep.Spec.Arms.SelectMany(arm => Leaves(JsonSerializer.SerializeToNode(arm.Patch, Json.Options), ""))
            .Concat(sweep.Spec.Tune?.Keys ?? []).Distinct().Where(place => place != "/training/seed")];
        var result = new Dictionary<Guid, Dictionary<string, JsonNode>>();
        await foreach (var job in db.Jobs.AsNoTracking().Where(j => j.SweepId == sweep.Id).Select(j => new { j.Id, j.Spec })
            .AsAsyncEnumerable().WithCancellation(cancellation))
        {
            var spec = Json.ObjectOf(job.Spec);
            var values = result[job.Id] = [];
            foreach (var place in places)
            {
                string[] parts = [.. place.Split('/').Skip(1).Select(JsonShape.Unescape)];
                Flatten(parts.Aggregate((JsonNode?)spec, (node, part) => (node as JsonObject)?[part]), string.Join('.', parts), values);
            }
        }
        return result;
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

    private static IEnumerable<RowField<CellResult>> Fields(Dictionary<Guid, Dictionary<string, JsonNode>> varied)
    {
        foreach (var column in varied.Values.SelectMany(values => values).GroupBy(value => value.Key)
            .OrderBy(values => values.Key, StringComparer.Ordinal))
        {
            JsonNode? Of(CellResult cell) => varied.GetValueOrDefault(cell.JobId)?.GetValueOrDefault(column.Key);
            yield return column.All(value => value.Value.GetValueKind() is JsonValueKind.Number)
                ? new(column.Key, typeof(double), cell => Of(cell)?.GetValue<double>())
                : new(column.Key, typeof(string), cell => Of(cell) is { } node
                    ? node.GetValueKind() is JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString() : null);
        }
    }
}
