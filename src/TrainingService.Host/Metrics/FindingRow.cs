using TrainingService.Host.Findings;

namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_findings</c>, primary key (job_id, rule, layer).</summary>
public sealed class FindingRow
{
    public Guid JobId { get; init; }
    public required string Rule { get; init; }

    /// <summary>Name of the layer, empty for the whole run.</summary>
    public required string Layer { get; init; }
    public required Finding Finding { get; set; }
}
