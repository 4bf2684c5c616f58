namespace TrainingService.Engine.Training;

/// <summary>Which rows a metric was computed on.</summary>
public enum Split
{
    /// <summary>Rows that the weights are fitted to; while training, the running mean over the batches since the last point.</summary>
    Train,

    /// <summary>Rows held out of the training split to watch the run.</summary>
    Validation,

    /// <summary>Rows that no decision of the run looks at.</summary>
    Test,
}

/// <summary>Metrics of one split at one step; a null was not measured there, NaN was measured and is not a number.</summary>
public record MetricPoint
{
    /// <summary>Optimiser steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Passes over the training rows done, with fractions.</summary>
    public required double Epoch { get; init; }

    /// <summary>Which rows.</summary>
    public required Split Split { get; init; }

    /// <summary>Mean loss in the target's unit, weighted where classes are, penalties left out.</summary>
    public required float Loss { get; init; }

    /// <summary>What activity L1 adds to the loss that is minimised (train only, where there is one).</summary>
    public float? Penalty { get; init; }

    /// <summary>Share of rows whose largest output is their class.</summary>
    public float? Accuracy { get; init; }

    /// <summary>Root of the mean squared error, in the target's unit.</summary>
    public float? Rmse { get; init; }

    /// <summary>Coefficient of determination.</summary>
    public float? R2 { get; init; }

    /// <summary>Rate of the last step (train only).</summary>
    public float? LearningRate { get; init; }

    /// <summary>2-norm of the last step's gradient over all parameters (train only).</summary>
    public float? GradientNorm { get; init; }
}

/// <summary>Where a run is.</summary>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps finished.</param>
/// <param name="Seconds">Since the run began.</param>
/// <param name="SamplesPerSecond">Training rows per second so far, evaluations included.</param>
public readonly record struct TrainingProgress(int Epoch, long Step, double Seconds, double SamplesPerSecond);

/// <summary>What a run has taken so far.</summary>
/// <param name="Seconds">See <see cref="TrainingResult.Seconds"/>.</param>
/// <param name="DiagnosticsSeconds">See <see cref="TrainingResult.DiagnosticsSeconds"/>.</param>
/// <param name="FastestEpochSeconds">See <see cref="TrainingResult.FastestEpochSeconds"/>.</param>
public readonly record struct TrainingTimes(double Seconds, double DiagnosticsSeconds, double? FastestEpochSeconds);

/// <summary>How a run ended.</summary>
public sealed record TrainingResult
{
    /// <summary>
    /// Mean loss over all training rows with the final weights (the best ones after early stopping), dropout off, penalties left out; in
    /// the target's unit, and weighted by class where the training is. So are the other losses.
    /// </summary>
    public float TrainLoss { get; init; }

    /// <summary>Null for a number target, and for a run that diverged; so are the other accuracies.</summary>
    public float? TrainAccuracy { get; init; }

    /// <summary>Null without validation rows.</summary>
    public float? ValidationLoss { get; init; }

    /// <summary>Null without validation rows.</summary>
    public float? ValidationAccuracy { get; init; }

    /// <summary>Null without test rows.</summary>
    public float? TestLoss { get; init; }

    /// <summary>Null without test rows.</summary>
    public float? TestAccuracy { get; init; }

    /// <summary>
    /// Mean over the classes among the test rows of the share of each that was found (its recall): what guessing one class has is 1 / K.
    /// </summary>
    public float? BalancedAccuracy { get; init; }

    /// <summary>The same on the validation rows.</summary>
    public float? ValidationBalancedAccuracy { get; init; }

    /// <summary>Number targets only, in the target's unit; null for a run that diverged. So are the other errors.</summary>
    public float? TrainRmse { get; init; }

    /// <summary>Null without validation rows.</summary>
    public float? ValidationRmse { get; init; }

    /// <summary>Null without test rows.</summary>
    public float? TestRmse { get; init; }

    /// <summary>Number targets only: 1 - sum (y - prediction)^2 / sum (y - mean y)^2; null for a run that diverged. So are the
    /// others.</summary>
    public float? TrainR2 { get; init; }

    /// <summary>Null without validation rows.</summary>
    public float? ValidationR2 { get; init; }

    /// <summary>Null without test rows.</summary>
    public float? TestR2 { get; init; }

    /// <summary>
    /// Test rows by class, true (rows) and predicted (columns), in the order of <see cref="PerClass"/>; null above 50 classes.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>>? Confusion { get; init; }

    /// <summary>How well each class was told on the test rows; null above 200 classes.</summary>
    public IReadOnlyList<ClassScore>? PerClass { get; init; }

    /// <summary>
    /// Of a standardised target: the network's output times the deviation plus the mean is the prediction in the target's unit.
    /// </summary>
    public TargetScale? TargetScale { get; init; }

    /// <summary>
    /// Epoch (from 1) with the lowest validation loss, or the best of what early stopping watches; the last one without validation rows; 0
    /// if no epoch ended.
    /// </summary>
    public int BestEpoch { get; init; }

    /// <summary>
    /// Optimiser steps that the returned weights have behind them: all, or after early stopping those up to the end of the best epoch.
    /// The last measurement of the layers, units and histograms is of these weights and stands at this step.
    /// </summary>
    public long? WeightsStep { get; init; }

    /// <summary>What was done otherwise than the spec lets one expect, a sentence each; null if nothing was.</summary>
    public IReadOnlyList<string>? Notes { get; init; }

    /// <summary>Wall time of the run.</summary>
    public double Seconds { get; init; }

    /// <summary>
    /// Of which the layer evaluations took, without the passes before the first step and after the last that tell the train loss, too.
    /// </summary>
    public double DiagnosticsSeconds { get; init; }

    /// <summary>
    /// Wall time of the fastest epoch, evaluations left out: what the training itself costs, since whatever else the machine does can only
    /// add to it. Null if no epoch was trained from its beginning to its end.
    /// </summary>
    public double? FastestEpochSeconds { get; init; }

    /// <summary>Training rows per second over the run.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount { get; init; }

    /// <summary>
    /// SHA-256 over all parameters as little-endian float32: layer by layer the weight (out, in) row by row, the bias,
    /// the slopes. Lower-case hex.
    /// </summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>Version of the engine that trained; another one may give other weights.</summary>
    public string? EngineVersion { get; init; }

    /// <summary>
    /// <c>avx512</c>, <c>avx2</c> or <c>scalar</c>: which vector instructions the kernels used. The numbers are the same with each.
    /// </summary>
    public string? InstructionSet { get; init; }

    /// <summary>SHA-256 of the data set's content, lower-case hex; set by whoever knows where the data came from.</summary>
    public string? DatasetSha256 { get; init; }

    /// <summary>
    /// Rows of measurements that are stored: one a split and step of the metrics, one a layer and evaluation; set by whoever stores them.
    /// </summary>
    public long? StoredRows { get; init; }

    /// <summary>Generalisation gap: <see cref="TrainAccuracy"/> minus <see cref="TestAccuracy"/>; null where one of them is.</summary>
    public float? AccuracyGap => TrainAccuracy - TestAccuracy;

    /// <summary>Generalisation gap: <see cref="TrainLoss"/> minus <see cref="TestLoss"/>; null without test rows.</summary>
    public float? LossGap => TrainLoss - TestLoss;

    /// <summary>Set if the run ended early because a number was no longer finite.</summary>
    public Divergence? Divergence { get; init; }
}

/// <summary>Where the first non-finite number appeared.</summary>
/// <param name="Step">The step (from 1) in which it appeared.</param>
/// <param name="Layer">Name of the first layer with a non-finite parameter or output, or null where only the loss is not finite.</param>
/// <param name="Message">One sentence.</param>
public sealed record Divergence(long Step, string? Layer, string Message);
