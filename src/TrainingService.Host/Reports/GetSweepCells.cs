using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
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
        var varied = await VariedFields.OfAsync(db, sweep, cancellation);
        var rows = ReportRows.Of(sweep.Spec).ToList();
        // in front of the results
        rows.InsertRange(6, Fields(varied));
        return RowExport.Write(mediaType, cells.ToAsyncEnumerable(), rows, cancellation);
    }

    private static IEnumerable<RowField<CellResult>> Fields(
        Dictionary<Guid, Dictionary<string, JsonNode>> varied)
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
