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
    /// Rows per step, from 1 (with batch_norm from 2) to the number of training rows; an epoch's last batch may be smaller. With
    /// batch_norm, which learns nothing from one row, a last batch of one row joins the batch before it. Default 64, or all rows where
    /// there are fewer.
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

    /// <summary>
    /// Where huber turns from a parabola into a line, above 0 (huber; default 1). In standard deviations of the target on the training rows
    /// with <c>standardizeTarget</c>, otherwise in the target's unit.
    /// </summary>
    [Positive]
    public double? HuberDelta { get; init; }

    /// <summary>
    /// Weight in what is minimised of the sum of |h| over all activations, mean over the rows. The metric <c>loss</c> leaves it out;
    /// <c>penalty</c> shows it. At least 0; default 0.
    /// </summary>
    [NonNegative(Default = 0.0)]
    public double? ActivityL1 { get; init; }

    /// <summary>Gradients are scaled down to this 2-norm over all parameters where it is larger; above 0. Default null: never.</summary>
    [Positive]
    public double? ClipNorm { get; init; }

    /// <summary>Share of the target that cross_entropy spreads over all classes, in [0, 1). Default 0.</summary>
    [Share(Default = 0.0)]
    public double? LabelSmoothing { get; init; }

    /// <summary>
    /// Whether the network learns the target shifted and scaled to mean 0 and variance 1 on the training rows. Losses, RMSE and predictions
    /// are told in the target's own unit all the same: mse and huber times the target's variance. Number targets only; default true.
    /// </summary>
    public bool? StandardizeTarget { get; init; }

    /// <summary>
    /// How much the rows of each class count: <c>balanced</c> (n / (K n_c), n_c of the n training rows being of class c and K classes
    /// occurring), or weights above 0 by class name or index, those left out being 1. A batch's loss is its weighted mean, sum w l / sum w,
    /// as PyTorch's CrossEntropyLoss has it; the losses of all splits are weighted alike, accuracies are not. Classes only; default null:
    /// all alike.
    /// </summary>
    public ClassWeightsSpec? ClassWeights { get; init; }

    /// <summary>Default null: train all epochs.</summary>
    public EarlyStoppingSpec? EarlyStopping { get; init; }
}

/// <summary>
/// Stop when a metric on the validation rows no longer improves, and go back to the weights with the best. Needs validation rows.
/// </summary>
public sealed record EarlyStoppingSpec
{
    /// <summary>
    /// What is watched: <c>loss</c> and <c>rmse</c> shall fall, <c>accuracy</c>, <c>balancedAccuracy</c> (mean of the classes' recalls) and
    /// <c>r2</c> rise. Accuracies for classes, rmse and r2 for numbers. Default loss.
    /// </summary>
    [OneOf(EarlyStoppingPlan.Loss, EarlyStoppingPlan.Accuracy, EarlyStoppingPlan.BalancedAccuracy,
        EarlyStoppingPlan.Rmse, EarlyStoppingPlan.R2, Default = EarlyStoppingPlan.Loss)]
    public string? Metric { get; init; }

    /// <summary>Epochs without improvement after which training stops, at least 1. Default 5.</summary>
    [AtLeast(1, All = true, Default = 5)]
    public int? Patience { get; init; }

    /// <summary>How much better the metric must be to count as an improvement, at least 0. Default 0.</summary>
    [NonNegative(Default = 0.0)]
    public double? MinDelta { get; init; }
}
