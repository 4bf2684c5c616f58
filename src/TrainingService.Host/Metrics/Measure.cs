using System.Text.Json;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Metrics;

/// <summary>What is measured at one point of a run. Null was not measured there; NaN and infinities are data.</summary>
/// <param name="Name">That clients see, camelCase.</param>
/// <param name="Value">Of a point.</param>
/// <param name="IsStored">In the column of the same name; what isn't follows from what is.</param>
public sealed record Measure<TPoint>(string Name, Func<TPoint, float?> Value, bool IsStored = true)
{
    /// <summary>snake_case.</summary>
    public string Column { get; } = JsonNamingPolicy.SnakeCaseLower.ConvertName(Name);
}

/// <summary>All measures, in the order in which they are shown.</summary>
public static class Measures
{
    public static readonly Measure<MetricPoint>[] OfMetrics =
    [
        new("loss", p => p.Loss),
        new("penalty", p => p.Penalty),
        new("accuracy", p => p.Accuracy),
        new("rmse", p => p.Rmse),
        new("r2", p => p.R2),
        new("learningRate", p => p.LearningRate),
        new("gradientNorm", p => p.GradientNorm),
    ];

    public static readonly Measure<LayerPoint>[] OfLayers =
    [
        new("sparsity", p => p.Sparsity),
        new("offRate", p => p.OffRate),
        new("deadFraction", p => p.DeadFraction),
        new("bornDeadFraction", p => p.BornDeadFraction),
        new("diedFraction", p => p.DiedFraction),
        new("revivedFraction", p => p.RevivedFraction),
        new("nearDeadFraction", p => p.NearDeadFraction),
        new("negativeLockedFraction", p => p.NegativeLockedFraction),
        new("offEveryRowFraction", p => p.OffEveryRowFraction, IsStored: false),
        new("cameBackFraction", p => p.CameBackFraction, IsStored: false),
        new("dormantFraction", p => p.DormantFraction),
        new("dormantFractionAt0", p => p.DormantFractionAt0),
        new("dormantFractionAt10", p => p.DormantFractionAt10),
        new("saturation", p => p.Saturation),
        new("saturationAbove95", p => p.SaturationAbove95),
        new("saturationAbove99", p => p.SaturationAbove99),
        new("saturatedUnitFraction", p => p.SaturatedUnitFraction),
        new("meanActivation", p => p.MeanActivation),
        new("rmsActivation", p => p.RmsActivation),
        new("activationVariance", p => (float)p.ActivationVariance, IsStored: false),
        new("meanAbsActivation", p => p.MeanAbsActivation),
        new("centredness", p => p.Centredness, IsStored: false),
        new("relativeL1", p => p.RelativeL1, IsStored: false),
        new("effectiveRank", p => p.EffectiveRank),
        new("gradientRms", p => p.GradientRms),
        new("updateRatio", p => p.UpdateRatio),
        new("weightRms", p => p.WeightRms),
        new("slope", p => p.Slope),
        new("slopeMin", p => p.SlopeMin),
        new("slopeMax", p => p.SlopeMax),
    ];

    public static Measure<TPoint> Named<TPoint>(this Measure<TPoint>[] measures, string name) =>
        measures.First(measure => measure.Name == name);
}
