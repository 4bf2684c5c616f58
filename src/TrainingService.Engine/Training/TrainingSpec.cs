using TrainingService.Engine.Losses;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>How a network is trained.</summary>
public sealed record TrainingSpec
{
    /// <summary>Passes over the training rows, 1 to 100,000. Default 10.</summary>
    [Within(1, 100_000, Default = 10)]
    public int? Epochs { get; init; }

    /// <summary>
    /// Rows per step, from 1 to the number of training rows; an epoch's last batch may be smaller. Default 64,
    /// or all rows where there are fewer.
    /// </summary>
    [AtLeast(1)]
    public int? BatchSize { get; init; }

    /// <summary>Seed of the split, the initial weights, the order of rows and dropout. Default 1.</summary>
    [Any(Default = 1L)]
    public long? Seed { get; init; }

    /// <summary>Default sgd.</summary>
    public OptimizerSpec? Optimizer { get; init; }

    /// <summary>Default constant.</summary>
    public ScheduleSpec? Schedule { get; init; }

    /// <summary>
    /// <c>auto</c> (cross_entropy for classes, mse for numbers), <c>cross_entropy</c>, <c>binary_cross_entropy</c> (two classes,
    /// one output), <c>mse</c> or <c>huber</c> (numbers, or classes as one-hot targets).
    /// </summary>
    [OneOf(LossPlan.Auto, LossPlan.CrossEntropy, LossPlan.BinaryCrossEntropy,
        LossPlan.MeanSquared, LossPlan.Huber, Default = LossPlan.Auto)]
    public string? Loss { get; init; }

    /// <summary>Where huber turns from a parabola into a line, above 0 (huber; default 1).</summary>
    [Positive]
    public double? HuberDelta { get; init; }

    /// <summary>Weight in the loss of the sum of |h| over all activations, mean over the rows. At least 0; default 0.</summary>
    [NonNegative(Default = 0.0)]
    public double? ActivityL1 { get; init; }

    /// <summary>Gradients are scaled down to this 2-norm over all parameters where it is larger; above 0. Default null: never.</summary>
    [Positive]
    public double? ClipNorm { get; init; }

    /// <summary>Share of the target that cross_entropy spreads over all classes, in [0, 1). Default 0.</summary>
    [Share(Default = 0.0)]
    public double? LabelSmoothing { get; init; }

    /// <summary>Default null: train all epochs.</summary>
    public EarlyStoppingSpec? EarlyStopping { get; init; }
}

/// <summary>Stop when the validation loss no longer falls, and go back to the weights with the lowest. Needs validation rows.</summary>
public sealed record EarlyStoppingSpec
{
    /// <summary>Epochs without improvement after which training stops, at least 1. Default 5.</summary>
    [AtLeast(1, All = true, Default = 5)]
    public int? Patience { get; init; }

    /// <summary>How much lower the loss must be to count as an improvement, at least 0. Default 0.</summary>
    [NonNegative(Default = 0.0)]
    public double? MinDelta { get; init; }
}
