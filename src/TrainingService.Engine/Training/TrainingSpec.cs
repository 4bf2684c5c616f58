using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Training;

/// <summary>How a network is trained.</summary>
public sealed record TrainingSpec
{
    /// <summary>Passes over the training rows, 1 to 100,000. Default 10.</summary>
    public int? Epochs { get; init; }

    /// <summary>Rows per step, from 1 to the number of training rows; an epoch's last batch may be smaller. Default 64, or all rows where there are fewer.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Seed of the split, the initial weights, the order of rows and dropout. Default 1.</summary>
    public long? Seed { get; init; }

    /// <summary>Default sgd.</summary>
    public OptimizerSpec? Optimizer { get; init; }

    /// <summary>Default constant.</summary>
    public ScheduleSpec? Schedule { get; init; }

    /// <summary>
    /// <c>auto</c> (cross_entropy for classes, mse for numbers), <c>cross_entropy</c>, <c>binary_cross_entropy</c> (two classes, one output) or
    /// <c>mse</c> (numbers, or classes as one-hot targets).
    /// </summary>
    public string? Loss { get; init; }

    /// <summary>Weight of the mean absolute activation in the loss; only 0 so far.</summary>
    public double? ActivityL1 { get; init; }

    /// <summary>Largest norm of the gradient; not supported yet.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>Only 0 so far.</summary>
    public double? LabelSmoothing { get; init; }

    /// <summary>Not supported yet.</summary>
    public EarlyStoppingSpec? EarlyStopping { get; init; }
}

/// <summary>A learning-rate schedule by name; only <c>constant</c> so far.</summary>
public sealed record ScheduleSpec
{
    /// <summary><c>constant</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Steps of linear warm-up; not supported yet.</summary>
    public int? WarmupSteps { get; init; }
}

/// <summary>Stop when the validation loss no longer falls; not supported yet.</summary>
public sealed record EarlyStoppingSpec
{
    /// <summary>Epochs without improvement.</summary>
    public int? Patience { get; init; }

    /// <summary>Smallest change that counts as an improvement.</summary>
    public double? MinDelta { get; init; }
}
