using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_layers</c>, primary key (job_id, step, layer): one dense layer at one evaluation.</summary>
public sealed record LayerRow : LayerPoint
{
    public Guid JobId { get; init; }
}
