namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_layers</c>, primary key (job_id, step, layer): one dense layer at one evaluation.</summary>
public sealed class LayerRow
{
    public Guid JobId { get; init; }
    public long Step { get; init; }
    public short Layer { get; init; }
    public double Epoch { get; init; }
    public float Sparsity { get; init; }
    public float OffRate { get; init; }
    public float DeadFraction { get; init; }
    public float BornDeadFraction { get; init; }
    public float DiedFraction { get; init; }
    public float RevivedFraction { get; init; }
    public float NearDeadFraction { get; init; }
    public float? NegativeLockedFraction { get; init; }
    public float DormantFraction { get; init; }
    public float DormantFractionAt0 { get; init; }
    public float DormantFractionAt10 { get; init; }
    public float Saturation { get; init; }
    public float? SaturationAbove95 { get; init; }
    public float? SaturationAbove99 { get; init; }
    public float? SaturatedUnitFraction { get; init; }
    public float MeanActivation { get; init; }
    public float RmsActivation { get; init; }
    public float MeanAbsActivation { get; init; }
    public float? EffectiveRank { get; init; }
    public float GradientRms { get; init; }
    public float WeightRms { get; init; }
    public float? UpdateRatio { get; init; }
    public float? Slope { get; init; }
    public float? SlopeMin { get; init; }
    public float? SlopeMax { get; init; }

    /// <summary>Lower edge, upper edge, counts by bin; before the first step and after the last only.</summary>
    public float[]? Histogram { get; init; }
}
