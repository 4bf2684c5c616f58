namespace TrainingService.Host.Metrics;

/// <summary>A measured value of a row, under the name that clients see. Null was not measured there.</summary>
public sealed record Column<TRow>(string Name, Func<TRow, float?> Value);
