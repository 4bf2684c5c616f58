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
/// <param name="Step">Optimiser steps done.</param>
/// <param name="Epoch">Passes over the training rows done, with fractions.</param>
/// <param name="Split">Which rows.</param>
/// <param name="Loss">Mean loss.</param>
/// <param name="Accuracy">Share of rows whose largest output is their class.</param>
/// <param name="Rmse">Root of the mean squared error, in the target's unit.</param>
/// <param name="R2">Coefficient of determination.</param>
/// <param name="LearningRate">Rate of the last step (train only).</param>
/// <param name="GradientNorm">2-norm of the last step's gradient over all parameters (train only).</param>
public sealed record MetricPoint(long Step, double Epoch, Split Split, float Loss, float? Accuracy = null, float? Rmse = null, float? R2 = null,
    float? LearningRate = null, float? GradientNorm = null);

/// <summary>A layer's state at one step, measured on the fixed evaluation rows with dropout off.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="Epoch">Passes done, with fractions.</param>
/// <param name="Layer">Index of the dense layer, from 0; the output layer is last.</param>
/// <param name="Sparsity">Share of activations that are exactly 0.</param>
/// <param name="OffRate">Share of pre-activations z &lt;= 0.</param>
/// <param name="DeadFraction">Share of units with z &lt;= 0 on every evaluation row.</param>
/// <param name="BornDeadFraction">Share of units that are dead now and were at step 0.</param>
/// <param name="DiedFraction">Share of units that are dead now and were alive at step 0.</param>
/// <param name="Saturation">Share of entries where f'(z) is below 5 % of the largest f'.</param>
/// <param name="MeanActivation">Mean of h.</param>
/// <param name="RmsActivation">Root mean square of h.</param>
/// <param name="MeanAbsActivation">Mean of |h|.</param>
/// <param name="GradientRms">Root mean square over rows and units of dC/dz, C the loss of one row.</param>
/// <param name="WeightRms">Root mean square of the layer's weights.</param>
/// <param name="UpdateRatio">norm(dW)/norm(W) of the last step; null before the first.</param>
/// <param name="Slope">Mean learned slope (prelu only).</param>
public sealed record LayerPoint(long Step, double Epoch, int Layer, float Sparsity, float OffRate, float DeadFraction, float BornDeadFraction, float DiedFraction,
    float Saturation, float MeanActivation, float RmsActivation, float MeanAbsActivation, float GradientRms, float WeightRms, float? UpdateRatio, float? Slope);

/// <summary>What a layer is, for readers of its points.</summary>
/// <param name="Index">From 0; the output layer is last.</param>
/// <param name="Name"><c>hidden1</c>, <c>hidden2</c>, ... and <c>output</c>.</param>
/// <param name="Units">Number of outputs.</param>
/// <param name="Activation">Canonical name.</param>
/// <param name="Initializer">Canonical name.</param>
public sealed record LayerInfo(int Index, string Name, int Units, string Activation, string Initializer);

/// <summary>Where a run is.</summary>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps finished.</param>
/// <param name="Seconds">Since the run began.</param>
/// <param name="SamplesPerSecond">Training rows per second so far, evaluations included.</param>
public readonly record struct TrainingProgress(int Epoch, long Step, double Seconds, double SamplesPerSecond);

/// <summary>How a run ended.</summary>
public sealed record TrainingResult
{
    /// <summary>Mean loss over all training rows with the final weights (the best ones after early stopping), dropout off, penalties left out.</summary>
    public float TrainLoss { get; init; }

    /// <summary>Null for a number target; so are the other accuracies.</summary>
    public float? TrainAccuracy { get; init; }

    /// <summary>Null without validation rows.</summary>
    public float? ValidationLoss { get; init; }

    /// <summary>Null without validation rows.</summary>
    public float? ValidationAccuracy { get; init; }

    /// <summary>Null without test rows.</summary>
    public float? TestLoss { get; init; }

    /// <summary>Null without test rows.</summary>
    public float? TestAccuracy { get; init; }

    /// <summary>Number targets only, in the target's unit.</summary>
    public float? TestRmse { get; init; }

    /// <summary>Number targets only.</summary>
    public float? TestR2 { get; init; }

    /// <summary>Epoch (from 1) with the lowest validation loss, the last one without validation rows; 0 if no epoch ended.</summary>
    public int BestEpoch { get; init; }

    /// <summary>Wall time of the run.</summary>
    public double Seconds { get; init; }

    /// <summary>Of which the layer evaluations took.</summary>
    public double DiagnosticsSeconds { get; init; }

    /// <summary>Training rows per second over the run.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount { get; init; }

    /// <summary>
    /// SHA-256 over all parameters as little-endian float32: layer by layer the weight (out, in) row by row, the bias, the slopes. Lower-case hex.
    /// </summary>
    public required string WeightsSha256 { get; init; }

    /// <summary>Version of the engine that trained; another one may give other weights.</summary>
    public string? EngineVersion { get; init; }

    /// <summary><c>avx512</c>, <c>avx2</c> or <c>scalar</c>: which vector instructions the kernels used. The numbers are the same with each.</summary>
    public string? InstructionSet { get; init; }

    /// <summary>SHA-256 of the data set's content, lower-case hex; set by whoever knows where the data came from.</summary>
    public string? DatasetSha256 { get; init; }

    /// <summary>Set if the run ended early because a number was no longer finite.</summary>
    public Divergence? Divergence { get; init; }
}

/// <summary>Where the first non-finite number appeared.</summary>
/// <param name="Step">The step (from 1) in which it appeared.</param>
/// <param name="Layer">Name of the first layer with a non-finite parameter or output, or null where only the loss is not finite.</param>
/// <param name="Message">One sentence.</param>
public sealed record Divergence(long Step, string? Layer, string Message);
