using TrainingService.Engine.Training;

namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_metrics</c>, primary key (job_id, step, split).</summary>
public sealed record MetricRow : MetricPoint
{
    public Guid JobId { get; init; }
}
