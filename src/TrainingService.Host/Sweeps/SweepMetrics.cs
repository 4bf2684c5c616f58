using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Sweeps;

/// <summary>What arms can be compared by.</summary>
/// <param name="Outcome">Its name and how its differences are told.</param>
/// <param name="Value">Of a run that ended by itself; null if it wasn't measured.</param>
/// <param name="Delta">Default of the difference that doesn't matter, in the outcome's unit: of times relative; null where the scale
/// depends on the data, so that the request must say it.</param>
/// <param name="Target">Only for this kind of target; null for both.</param>
/// <param name="OnValidationRows">The same on validation rows, where it is measured on rows and not on these; else null.</param>
public sealed record SweepMetric(Outcome Outcome, Func<CellResult, double?> Value, double? Delta, TargetKind? Target,
    SweepMetric? OnValidationRows = null)
{
    public string Name => Outcome.Name;

    /// <summary>Of a value: fraction (of 1), decades (log10), seconds, or number.</summary>
    public string Unit => Outcome.IsRelative ? "seconds" : Outcome.Unit;

    /// <summary>
    /// What tuning chooses by, in which the test rows have no part: the same on validation rows, or itself where rows have no part in it
    /// anyway; the validation loss where neither more nor less of it is good.
    /// </summary>
    public SweepMetric TunedBy => OnValidationRows ?? (Outcome.HigherIsBetter is null ? SweepMetrics.ValidationLoss : this);

    /// <summary>Whether it is the mean of what the job minimises, whose unit depends on how the job defines it.</summary>
    public bool IsLoss => Name.EndsWith("Loss", StringComparison.Ordinal);

    /// <summary>Whether test rows take part in it.</summary>
    public bool IsOnTestRows => Name.StartsWith("test", StringComparison.Ordinal)
        || Name is "balancedAccuracy" or SweepMetrics.GeneralizationGap;

    /// <summary>Whether it is of validation rows.</summary>
    public bool IsOnValidationRows => Name.StartsWith("validation", StringComparison.Ordinal);

    /// <summary>Whether it counts rows that are right.</summary>
    public bool IsShareOfRows => Name is "testAccuracy" or "validationAccuracy" or SweepMetrics.GeneralizationGap;

    /// <summary>
    /// A cell's value: NaN if it diverged, null if it has no outcome or none that is a number: no gradient flows through a dead layer.
    /// </summary>
    public double? Of(CellResult cell) => cell.Diverged ? double.NaN
        : cell.HasOutcome && cell.Result is not null && Value(cell) is { } value && double.IsFinite(value)
            && (value > 0 || !Outcome.IsRelative) ? value : null;
}

/// <summary>A cell's run, as far as metrics look at it.</summary>
/// <param name="Arm">Index of the arm.</param>
/// <param name="Candidate">Tuned combination; -1 for a cell that arms are compared by.</param>
/// <param name="Seed">The seed.</param>
/// <param name="JobId">The job.</param>
/// <param name="Status">The job's.</param>
/// <param name="ErrorCode">The job's.</param>
/// <param name="Epochs">That the job has trained: early stopping may leave some out.</param>
/// <param name="Result">Null without one.</param>
/// <param name="Layers">What the layers are.</param>
/// <param name="First">The layers before training.</param>
/// <param name="Last">The layers' last measurement.</param>
public sealed record CellResult(int Arm, int Candidate, long Seed, Guid JobId,
    JobStatus Status, string? ErrorCode, int Epochs, TrainingResult? Result,
    IReadOnlyList<LayerInfo> Layers, IReadOnlyList<LayerRow> First, IReadOnlyList<LayerRow> Last)
{
    /// <summary>What theory says of the net; for one seed of each arm, which hardly changes it, and where a reading asks for it.</summary>
    public Preflight? Preflight { get; init; }

    /// <summary>Whether a number that tells how well it went is none: a run may end in time and still predict infinities.</summary>
    public bool Diverged => ErrorCode == "diverged" || (Status == JobStatus.Succeeded && Result is { } result
        && !(float.IsFinite(result.TrainLoss) && float.IsFinite(result.ValidationLoss ?? 0) && float.IsFinite(result.TestLoss ?? 0)));

    /// <summary>Whether it says something about its arm: it ran to its end, or diverged.</summary>
    public bool HasOutcome => Status == JobStatus.Succeeded || Diverged;

    /// <summary>Wall time of training, evaluations of layers left out.</summary>
    public double? SecondsPerEpoch =>
        Result is null || Diverged || Epochs == 0 ? null : (Result.Seconds - Result.DiagnosticsSeconds) / Epochs;

    /// <summary>Mean over the units of the hidden layers, of one measurement.</summary>
    public double? OverHidden(IReadOnlyList<LayerRow> rows, Func<LayerPoint, float?> value)
    {
        double sum = 0, units = 0;
        foreach (var row in rows)
        {
            if (row.Layer >= Layers.Count - 1 || value(row) is not { } x)
                continue;
            sum += (double)x * Layers[row.Layer].Units;
            units += Layers[row.Layer].Units;
        }
        return units > 0 ? sum / units : null;
    }

    /// <summary>Gradient flow of one measurement; null with fewer than two hidden layers.</summary>
    public double? GradientFlow(IReadOnlyList<LayerRow> rows) =>
        Engine.Diagnostics.GradientFlow.Last(Layers) < 1 ? null : Engine.Diagnostics.GradientFlow.Of(rows, Layers);
}

/// <summary>All metrics, by name.</summary>
public static class SweepMetrics
{
    public const string GeneralizationGap = "generalizationGap";

    public static readonly SweepMetric ValidationLoss = Loss("validationLoss", r => r.ValidationLoss);

    private static readonly SweepMetric ValidationAccuracy = Accuracy("validationAccuracy", r => r.ValidationAccuracy),
        ValidationBalancedAccuracy = Accuracy("validationBalancedAccuracy", r => r.ValidationBalancedAccuracy),
        ValidationRmse = Number("validationRmse", r => r.ValidationRmse, null),
        ValidationR2 = Number("validationR2", r => r.ValidationR2, 0.01),
        ValidationGap = Gap("validationGeneralizationGap", r => r.ValidationAccuracy);

    public static IReadOnlyList<SweepMetric> All { get; } =
    [
        Accuracy("testAccuracy", r => r.TestAccuracy, ValidationAccuracy),
        ValidationAccuracy,
        Accuracy("trainAccuracy", r => r.TrainAccuracy, ValidationAccuracy),
        Accuracy("balancedAccuracy", r => r.BalancedAccuracy, ValidationBalancedAccuracy),
        ValidationBalancedAccuracy,
        Number("testRmse", r => r.TestRmse, null, ValidationRmse),
        ValidationRmse,
        Number("testR2", r => r.TestR2, 0.01, ValidationR2),
        ValidationR2,
        Number("trainRmse", r => r.TrainRmse, null, ValidationRmse),
        Number("trainR2", r => r.TrainR2, 0.01, ValidationR2),
        Loss("testLoss", r => r.TestLoss, ValidationLoss),
        ValidationLoss,
        Loss("trainLoss", r => r.TrainLoss, ValidationLoss),
        Gap(GeneralizationGap, r => r.TestAccuracy, ValidationGap),
        new(new("secondsPerEpoch", false, false, 0), c => c.SecondsPerEpoch, 0.05, null),
        new(new("fastestEpochSeconds", false, false, 0), c => c.Result?.FastestEpochSeconds, 0.05, null),
        OfLayers("sparsity"),
        OfLayers("offRate"),
        OfLayers("offEveryRowFraction"),
        // of the units of all hidden layers together
        new(new("cameBackFraction", null, true, 0), CameBack, 0.05, null),
        OfLayers("deadFraction"),
        OfLayers("bornDeadFraction"),
        OfLayers("diedFraction"),
        OfLayers("saturation"),
        // |mean| / rms of the activations: the further from 0, the more each layer's weights see a constant (LeCun et al. 1998;
        // "bias shift": Clevert et al. 2016)
        new(new("biasShift", null, false, 0), c => c.OverHidden(c.Last, BiasShift), 0.05, null),
        new(new("initialBiasShift", null, false, 0), c => c.OverHidden(c.First, BiasShift), 0.05, null),
        new(new("gradientFlow", null, false, 0), c => c.GradientFlow(c.Last), null, null),
        new(new("initialGradientFlow", null, false, 0), c => c.GradientFlow(c.First), null, null),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(metric => metric.Name)];

    public static SweepMetric? Find(string name) => All.FirstOrDefault(metric => metric.Name == name);

    /// <exception cref="ArgumentException">There is none.</exception>
    public static SweepMetric Named(string name) => Find(name) ?? throw new ArgumentException($"there is no metric '{name}'", nameof(name));

    private static Func<CellResult, double?> Of(Func<TrainingResult, float?> value) =>
        cell => cell.Result is { } result ? value(result) : null;

    private static SweepMetric Accuracy(string name, Func<TrainingResult, float?> value, SweepMetric? onValidationRows = null) =>
        new(Outcome.Of(name), Of(value), 0.005, TargetKind.Classes, onValidationRows);

    private static SweepMetric Number(string name, Func<TrainingResult, float?> value, double? delta,
        SweepMetric? onValidationRows = null) => new(Outcome.Of(name, 0), Of(value), delta, TargetKind.Number, onValidationRows);

    private static SweepMetric Loss(string name, Func<TrainingResult, float?> value, SweepMetric? onValidationRows = null) =>
        new(Outcome.Of(name, 0), Of(value), 0.02, null, onValidationRows);

    private static SweepMetric Gap(string name, Func<TrainingResult, float?> accuracy, SweepMetric? onValidationRows = null) =>
        new(new(name, false, true, 0), Of(r => r.TrainAccuracy - accuracy(r)), 0.005, TargetKind.Classes, onValidationRows);

    private static SweepMetric OfLayers(string name)
    {
        var measure = Measures.OfLayers.Named(name);
        return new(new(name, null, true, 0), c => c.OverHidden(c.Last, measure.Value), 0.01, null);
    }

    private static double? CameBack(CellResult cell) => cell.OverHidden(cell.Last, p => p.RevivedFraction) is { } revived
        && revived + cell.OverHidden(cell.Last, p => p.OffEveryRowFraction) is > 0 and var ever ? revived / ever : null;

    // a layer that is dead throughout has no shift
    private static float? BiasShift(LayerPoint point) => Math.Abs(point.Centredness ?? 0);
}
