using TrainingService.Engine.Training;

namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_metrics</c>, primary key (job_id, step, split). Null was not measured; NaN and infinities are data.</summary>
public sealed class MetricRow
{
    public Guid JobId { get; init; }
    public long Step { get; init; }
    public Split Split { get; init; }
    public double Epoch { get; init; }
    public float Loss { get; init; }
    public float? Accuracy { get; init; }
    public float? Rmse { get; init; }
    public float? R2 { get; init; }
    public float? LearningRate { get; init; }
    public float? GradientNorm { get; init; }
}
