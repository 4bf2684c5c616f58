namespace TrainingService.Engine.Diagnostics;

/// <summary>When and on how many rows the layers are measured.</summary>
public sealed record DiagnosticsSpec
{
    /// <summary>Training steps between evaluations, at least 1; there is always one before the first step and one after the last. Default 100.</summary>
    public int? EverySteps { get; init; }

    /// <summary>Training rows that the layers are measured on, the same at every evaluation; all where there are fewer. 1 to 100,000; default 2048.</summary>
    public int? EvaluationRows { get; init; }

    /// <summary>Thresholds of the findings; not supported yet (only an empty object).</summary>
    public IReadOnlyDictionary<string, object>? Rules { get; init; }
}
