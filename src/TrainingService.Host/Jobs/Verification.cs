using System.Data.Common;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>Whether a second run of a job gave the same.</summary>
public sealed record VerificationResponse
{
    /// <summary>The job that ran again.</summary>
    public required Guid Id { get; init; }

    /// <summary>The job that it is compared with.</summary>
    public required Guid Verifies { get; init; }

    /// <summary>Of the job that ran again.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>Whether all is equal bit for bit; null until the run is finished, or if there is nothing to compare.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required bool? Equal { get; init; }

    /// <summary>One sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>What differs.</summary>
    public required IReadOnlyList<VerificationDifference> Differences { get; init; }

    /// <summary>
    /// Circumstances that were not the same: engine version, instruction set, data set, spec. By themselves they are no difference.
    /// </summary>
    public required IReadOnlyList<VerificationDifference> Circumstances { get; init; }

    /// <summary>Why the runs may differ; null if they don't.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? LikelyCause { get; init; }
}

/// <summary>One thing that is not the same; of measured rows the first that isn't.</summary>
/// <param name="What"><c>result.testLoss</c>, or <c>job_layers.rms_activation at step 100, layer 2 (and 7 more rows)</c>.</param>
/// <param name="Original">There; null if it is missing.</param>
/// <param name="Rerun">Here; null if it is missing.</param>
public sealed record VerificationDifference(string What, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Original,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Rerun);

/// <summary>Compares two runs.</summary>
public static class Verification
{
    /// <summary>What a finding says because its changes were tried, which a verifying run doesn't do.</summary>
    private const string OfTrials = "'{trial,tried,recommendation,message,severity}'::text[]";

    private static readonly string[] Provenance = ["engineVersion", "instructionSet", "datasetSha256"];

    public static VerificationResponse Pending(Job rerun) => Nothing(rerun, $"The second run is {Json.NameOf(rerun.Status)}.");

    public static async Task<VerificationResponse> Of(TrainingDbContext db, Job? original, Job rerun, CancellationToken cancellation)
    {
        if (original?.Result is null)
            return Nothing(rerun, "The job that this one verifies is gone: there is nothing to compare with.");
        if (rerun.Result is null)
            return Nothing(rerun, $"The second run is {Json.NameOf(rerun.Status)} and has no result to compare"
                + (rerun.ErrorMessage is null ? "." : $" ({rerun.ErrorCode}): {rerun.ErrorMessage}"));

        JsonObject before = Json.ObjectOf(original.Result), after = Json.ObjectOf(rerun.Result);
        // What a version before did not tell, the step of the weights among it, was not different then.
        var told = original.Result.WeightsStep is not null;
        var differences = Compare("result.", before, after,
            name => !Provenance.Contains(name) && !IsTime(name) && (told || before.ContainsKey(name)));
        differences.AddRange(Compare("", Json.ObjectOf(new { original.Status, original.ErrorCode, original.ErrorMessage }),
            Json.ObjectOf(new { rerun.Status, rerun.ErrorCode, rerun.ErrorMessage }), _ => true));
        long rows = 0;
        // What a run leaves behind in rows of its own, whichever feature keeps them.
        foreach (var table in db.Model.GetEntityTypes())
            if (table.FindPrimaryKey()?.Properties is { Count: > 1 } key && key.Any(p => p.Name == "JobId"))
                rows += await CompareAsync(db, table, key, original.Id, rerun.Id, differences, cancellation);
        var circumstances = Compare("", before, after, Provenance.Contains);
        circumstances.AddRange(Compare("spec.", Json.ObjectOf(original.Spec), Json.ObjectOf(rerun.Spec), _ => true));
        return new()
        {
            Id = rerun.Id,
            Verifies = original.Id,
            Status = rerun.Status,
            Equal = differences.Count == 0,
            Summary = differences.Count == 0
                ? $"Equal bit for bit: the weights, all results and {rows:N0} measured rows."
                : $"Differs in {differences.Count}: "
                    + $"{string.Join(", ", differences.Take(3).Select(d => d.What))}{(differences.Count > 3 ? ", ..." : "")}.",
            Differences = differences,
            Circumstances = circumstances,
            LikelyCause = differences.Count == 0 ? null : Cause(circumstances),
        };
    }

    private static VerificationResponse Nothing(Job rerun, string summary) => new()
    {
        Id = rerun.Id,
        Verifies = rerun.Verifies ?? throw new ArgumentException("The job verifies no other.", nameof(rerun)),
        Status = rerun.Status,
        Equal = null,
        Summary = summary,
        Differences = [],
        Circumstances = [],
        LikelyCause = null,
    };

    private static string Cause(List<VerificationDifference> circumstances)
    {
        bool Changed(string start) => circumstances.Exists(c => c.What.StartsWith(start, StringComparison.Ordinal));
        return Changed("datasetSha256") ? "The data set's content has changed since."
            : Changed("spec.") ? "The spec means something else to this version than it did then."
            : Changed("engineVersion") ? "Another version of the engine trained, whose formulas or order of sums may differ."
            : Changed("instructionSet")
                ? "Other vector instructions were used, with which the engine promises equal bits: a fault of the engine."
            : "Nothing about the two runs differs: a stored value was changed, or the engine is at fault.";
    }

    private static bool IsTime(string name) => name == "samplesPerSecond" || name.EndsWith("seconds", StringComparison.OrdinalIgnoreCase);

    private static List<VerificationDifference> Compare(string prefix, JsonObject original, JsonObject rerun, Func<string, bool> which) =>
        [.. original.Select(p => p.Key).Union(rerun.Select(p => p.Key)).Where(which)
            .Where(name => !JsonNode.DeepEquals(original[name], rerun[name]))
            .Select(name => new VerificationDifference(prefix + name, original[name]?.ToString(), rerun[name]?.ToString()))];

    private static string? Shortened(string? text) => text is null ? null : Characters.Shorten(text, 200);

    /// <summary>
    /// Adds a difference a column; answers how many rows the original has. As text, every float has its own digits and NaN equals NaN.
    /// </summary>
    private static async Task<long> CompareAsync(TrainingDbContext db, IEntityType table, IReadOnlyList<IProperty> key,
        Guid original, Guid rerun, List<VerificationDifference> differences, CancellationToken cancellation)
    {
        var name = table.GetTableName();
        string[] keys =
            [.. key.Select(p => p.GetColumnName()).Where(column => column != "job_id").OrderBy(column => column == "step" ? 0 : 1)];
        string[] values = [.. table.GetProperties().Where(p => !p.IsPrimaryKey() && !IsTime(p.Name)).Select(p => p.GetColumnName())];
        string Keys(Func<string, int, string> text) => string.Join(", ", keys.Select(text));
        var pairs = $"(SELECT * FROM {name} WHERE job_id = $1) a FULL JOIN (SELECT * FROM {name} WHERE "
            + $"job_id = $2) b USING ({Keys((key, _) => key)})";
        string Differ(string column) =>
            $"a.job_id IS NOT NULL AND b.job_id IS NOT NULL AND {Value("a", column)} IS DISTINCT FROM {Value("b", column)}";

        await db.Database.OpenConnectionAsync(cancellation);
        var counts = await Row($"SELECT count(a.job_id), count(b.job_id), count(*) FILTER (WHERE a.job_id IS NULL OR b.job_id IS NULL), "
            + string.Join(", ", values.Select(column => $"count(*) FILTER (WHERE {Differ(column)})")) + $" FROM {pairs}");
        long Count(int i) => long.Parse(counts[i] ?? "0", CultureInfo.InvariantCulture);
        if (Count(2) > 0)
            differences.Add(new($"{name}, rows that only one of them has: {Count(2)}", $"{Count(0)} rows", $"{Count(1)} rows"));
        for (var i = 0; i < values.Length; i++)
            if (Count(3 + i) is > 0 and var count)
            {
                var first = await Row($"SELECT {Value("a", values[i])}, {Value("b", values[i])}, {Keys((key, _) => key + "::text")} "
                    + $"FROM {pairs} WHERE {Differ(values[i])} ORDER BY {Keys((key, _) => key)} LIMIT 1");
                var more = count > 1 ? $" (and {count - 1} more rows)" : "";
                differences.Add(new($"{name}.{values[i]} at {Keys((key, k) => $"{key} {first[2 + k]}")}{more}",
                    Shortened(first[0]), Shortened(first[1])));
            }
        return Count(0);

        static string Value(string row, string column) =>
            column == "finding" ? $"({row}.finding - {OfTrials})::text" : $"{row}.{column}::text";

        async Task<string?[]> Row(string sql)
        {
            await using var command = (NpgsqlCommand)db.Database.GetDbConnection().CreateCommand();
            // names come from the model and values as parameters
            command.CommandText = sql;
            command.Parameters.Add(new() { Value = original });
            command.Parameters.Add(new() { Value = rerun });
            await using DbDataReader reader = await command.ExecuteReaderAsync(cancellation);
            await reader.ReadAsync(cancellation);
            return [.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : $"{reader.GetValue(i)}")];
        }
    }
}
