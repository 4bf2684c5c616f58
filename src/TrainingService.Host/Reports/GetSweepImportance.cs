using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>What a result depends on, of all that a sweep varied.</summary>
/// <param name="Result">Which result.</param>
/// <param name="Runs">Runs that have it.</param>
/// <param name="LeftOut">Runs without it: not ended, failed, or diverged.</param>
/// <param name="Combinations">Different combinations of values among the runs.</param>
/// <param name="Full">Whether every combination that there could be is among them. If not, fields share what they explain, and shares are
/// rough.</param>
/// <param name="Fields">The fields that were varied, the most important first.</param>
/// <param name="Pairs">What two fields do together beyond what both do by themselves, the most first; those above 1 %.</param>
/// <param name="More">What three and more fields do together.</param>
/// <param name="Seeds">What is left to the seeds; null with one run of each combination, when it can't be told.</param>
/// <param name="Method">How it was computed.</param>
public sealed record SweepImportance(string Result, int Runs, int LeftOut, int Combinations, bool Full,
    IReadOnlyList<FieldImportance> Fields, IReadOnlyList<PairImportance> Pairs, double More,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Seeds, string Method);

/// <summary>A field that was varied.</summary>
/// <param name="Field">As a column of <c>/cells</c>: <c>training.optimizer.learningRate</c>.</param>
/// <param name="Values">How many values it had.</param>
/// <param name="Share">Of the variance over all runs.</param>
public sealed record FieldImportance(string Field, int Values, double Share);

/// <summary>Two fields together.</summary>
/// <param name="Fields">Both.</param>
/// <param name="Share">Of the variance over all runs.</param>
public sealed record PairImportance(IReadOnlyList<string> Fields, double Share);

public static class GetSweepImportance
{
    private const string Method = "Functional ANOVA of the combinations' means: shares of the variance over all runs, less what seeds "
        + "alone would give them. Of an activation or initialiser all parameters count as part of its name.";

    /// <summary>What is less than this is not listed of pairs.</summary>
    private const double Little = 0.01;

    /// <summary>Of these the parameters belong to the name: no value of one goes with every name.</summary>
    private static readonly string[] Whole = ["model.activation", "model.initializer", "model.biasInitializer"];

    /// <summary>Get what a sweep's results depend on</summary>
    /// <remarks>
    /// How much of the variance of a result over all runs each varied field explains, by functional ANOVA: exact where the grid is full,
    /// rough where it isn't, which `full` tells. It says what mattered within the values that were tried, not beyond them.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="result">Which result; the sweep's metric if left out.</param>
    /// <response code="200">The fields with their shares.</response>
    public static async Task<Results<Ok<SweepImportance>, ProblemHttpResult>> Handle(Guid id,
        [FromQuery, Description("A result, as a column of `/cells` is called; the sweep's metric if left out.")] string? result,
        HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        await using var snapshot = await db.SnapshotAsync(cancellation);
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        var name = result ?? sweep.Spec.Metric;
        if (SweepMetrics.Find(name) is not { } metric)
            return Problems.Invalid("/result", $"unknown result '{Characters.Shorten(name, 100)}'"
                + $"{Names.DidYouMean(name, SweepMetrics.Names)}; allowed are {string.Join(", ", SweepMetrics.Names)}");
        if (!sweep.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        var layers = metric.Outcome.HigherIsBetter is null ? LayerRows.FirstAndLast : LayerRows.None;
        var cells = (await SweepCells.ReadAsync(db, sweep, cancellation, layers)).Where(cell => cell.Candidate < 0).ToList();
        var varied = await VariedFields.OfAsync(db, sweep, cancellation);
        return TypedResults.Ok(Of(metric, cells, varied));
    }

    private static SweepImportance Of(SweepMetric metric, List<CellResult> cells, Dictionary<Guid, Dictionary<string, JsonNode>> varied)
    {
        // jobs of an arm share what they are asked for
        var known = new Dictionary<Dictionary<string, JsonNode>, Dictionary<string, string>>(ReferenceEqualityComparer.Instance);
        var runs = cells.Select(cell => (Value: metric.Of(cell), Fields: Together(varied.GetValueOrDefault(cell.JobId) ?? [], known)))
            .Where(run => run.Value is { } value && double.IsFinite(value)).ToList();
        var values = runs.SelectMany(run => run.Fields.Keys).Distinct().Order(StringComparer.Ordinal)
            .Select(field => (Field: field, Levels: runs.Select(run => run.Fields.GetValueOrDefault(field, "")).Distinct().Index()
                .ToDictionary(level => level.Item, level => level.Index))).Where(field => field.Levels.Count > 1).ToList();
        var shares = VarianceShares.Of([.. runs.Select(run => (int[])[.. values.Select(field =>
            field.Levels[run.Fields.GetValueOrDefault(field.Field, "")])])], [.. runs.Select(run => run.Value ?? double.NaN)]);
        return new(metric.Name, runs.Count, cells.Count - runs.Count, shares?.Combinations ?? 0, shares?.IsFull ?? false,
            [.. values.Select((field, i) => new FieldImportance(field.Field, field.Levels.Count, Share(shares?.Fields[i] ?? 0)))
                .OrderByDescending(field => field.Share)],
            [.. (shares?.Pairs ?? []).Where(pair => pair.Share >= Little).OrderByDescending(pair => pair.Share)
                .Select(pair => new PairImportance([values[pair.One].Field, values[pair.Other].Field], Share(pair.Share)))],
            Share(shares?.More ?? 0), shares?.Seeds is { } seeds ? Share(seeds) : null, Method);
    }

    private static double Share(double share) => Math.Round(share, 4);

    private static Dictionary<string, string> Together(Dictionary<string, JsonNode> fields,
        Dictionary<Dictionary<string, JsonNode>, Dictionary<string, string>> known)
    {
        if (known.TryGetValue(fields, out var same))
            return same;
        var together = new Dictionary<string, string>();
        foreach (var (field, value) in fields.OrderBy(field => !field.Key.EndsWith(".name", StringComparison.Ordinal)))
        {
            var text = value.GetValueKind() is JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString();
            if (Whole.FirstOrDefault(whole => field.StartsWith($"{whole}.", StringComparison.Ordinal)) is { } owner)
                together[owner] = together.TryGetValue(owner, out var before) ? $"{before} {field[(owner.Length + 1)..]} {text}" : text;
            else
                together[field] = text;
        }
        return known[fields] = together;
    }
}
