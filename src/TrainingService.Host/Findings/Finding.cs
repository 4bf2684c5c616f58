using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace TrainingService.Host.Findings;

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    /// <summary>A hint.</summary>
    Info,

    /// <summary>The run is likely worse than it could be.</summary>
    Warning,

    /// <summary>The run is not doing what it was meant to.</summary>
    Error,

    /// <summary>The run can't succeed any more.</summary>
    Critical,
}

/// <summary>What a rule found in a run. There is one for each rule and layer, as it was at its worst.</summary>
public sealed record Finding
{
    /// <summary>The rule's name, as in <c>diagnostics.rules</c>.</summary>
    public required string Rule { get; init; }

    /// <summary>How bad it is; it may rise while the run goes on, and never falls.</summary>
    public required Severity Severity { get; init; }

    /// <summary>Name of the layer (<c>hidden1</c>, ..., <c>output</c>); null where it concerns the whole run.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Layer { get; init; }

    /// <summary>Optimiser steps done when it was found like this.</summary>
    public required long Step { get; init; }

    /// <summary>What was measured.</summary>
    public required float Value { get; init; }

    /// <summary>The threshold that it crossed; null where the rule has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required float? Threshold { get; init; }

    /// <summary>One sentence.</summary>
    public required string Message { get; init; }

    /// <summary>
    /// What to change. Null where nothing is known, or where all that was tried did not help: then <see cref="Tried"/> has it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required Recommendation? Recommendation { get; init; }

    /// <summary>
    /// How the recommended change did once it was tried, or the best of those that did not help; null where none was tried.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public Trial? Trial { get; init; }

    /// <summary>All changes that were tried for it, in the order of their likelihood; null where none was.</summary>
    public IReadOnlyList<TriedChange>? Tried { get; init; }

    /// <summary>Of the run's changes of findings the one that made it so; a run that is taken up again numbers them alike.</summary>
    [JsonIgnore]
    public int Number { get; init; }
}

/// <summary>One change to the job's spec.</summary>
/// <param name="Sentence">In words.</param>
/// <param name="Patch">As a JSON merge patch (RFC 7396): POST it to <c>/jobs/{id}/clone</c> as it is.</param>
public sealed record Recommendation(string Sentence, JsonObject Patch);

/// <summary>How many findings a job has.</summary>
/// <param name="Info">Hints.</param>
/// <param name="Warning">Warnings.</param>
/// <param name="Error">Errors.</param>
/// <param name="Critical">Of those that the run can't survive.</param>
public sealed record FindingCounts(int Info, int Warning, int Error, int Critical)
{
    public static FindingCounts None { get; } = new(0, 0, 0, 0);

    public static FindingCounts Of(IEnumerable<Finding> findings)
    {
        var counts = findings.CountBy(f => f.Severity).ToDictionary();
        return new(counts.GetValueOrDefault(Severity.Info), counts.GetValueOrDefault(Severity.Warning),
            counts.GetValueOrDefault(Severity.Error), counts.GetValueOrDefault(Severity.Critical));
    }
}
