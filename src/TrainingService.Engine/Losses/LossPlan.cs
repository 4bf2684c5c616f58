using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Losses;

/// <summary>What a trained net's outputs mean.</summary>
public enum OutputKind
{
    /// <summary>Their softmax is the probability of each class.</summary>
    Logits,

    /// <summary>One, whose sigmoid is the probability of the second of two classes.</summary>
    Logit,

    /// <summary>The largest is the class's; they are no probabilities.</summary>
    Scores,

    /// <summary>The target's numbers, standardised where the target was.</summary>
    Numbers,
}

/// <summary>A checked loss, with just its own numbers.</summary>
/// <param name="Name">As in the spec.</param>
public abstract record LossPlan(string Name)
{
    internal const string Auto = "auto", CrossEntropy = "cross_entropy",
        BinaryCrossEntropy = "binary_cross_entropy", MeanSquared = "mse", Huber = "huber";

    private const double StandardDelta = 1;

    /// <summary>What the outputs of a net that was trained by it mean.</summary>
    /// <param name="classes">Whether the targets are classes.</param>
    public virtual OutputKind Means(bool classes) => classes ? OutputKind.Scores : OutputKind.Numbers;

    /// <summary>Outputs that it needs for this target.</summary>
    internal virtual int Outputs(DataShape data) => data.Target == TargetKind.Number ? data.Numbers : data.Classes;

    /// <param name="classes">Whether the targets are classes.</param>
    /// <param name="weights">Of each class; null where all rows count alike.</param>
    internal abstract Loss Create(bool classes, float[]? weights = null);

    /// <summary>Checks that the loss fits the target, and its numbers it; the ranges of the numbers were checked before.</summary>
    /// <param name="name">Null for auto.</param>
    /// <param name="smoothing">Share of the target that is spread over all classes; 0 for none.</param>
    /// <param name="delta">Huber's, if given.</param>
    /// <param name="data">With the target.</param>
    /// <param name="pointer">Of the training.</param>
    /// <param name="errors">Where refusals go.</param>
    internal static LossPlan? Resolve(string name, double smoothing, double? delta,
        DataShape data, string pointer, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var classes = data.Target == TargetKind.Classes;
        if (name == Auto)
            name = classes ? CrossEntropy : MeanSquared;
        if (name == CrossEntropy && !classes)
            errors.Add(new(pointer + "/loss", "cross_entropy needs classes, but the target is a number: use mse"));
        if (name == BinaryCrossEntropy && !(classes && data.Classes == 2))
            errors.Add(new(pointer + "/loss", "binary_cross_entropy needs two classes, but the target "
                + (classes ? $"has {data.Classes}: use cross_entropy" : "is a number: use mse")));
        if (smoothing > 0 && name != CrossEntropy)
            errors.Add(new(pointer + "/labelSmoothing", $"labelSmoothing belongs to cross_entropy, but the loss is {name}"));
        if (delta is not null && name != Huber)
            errors.Add(new(pointer + "/huberDelta", $"huberDelta belongs to huber, but the loss is {name}"));
        return errors.Count > before ? null : name switch
        {
            CrossEntropy => new CrossEntropyPlan(smoothing),
            BinaryCrossEntropy => new BinaryCrossEntropyPlan(),
            MeanSquared => new MeanSquaredErrorPlan(),
            Huber => new HuberPlan(delta ?? StandardDelta),
            _ => null,
        };
    }
}

/// <summary>See <see cref="Losses.CrossEntropy"/>.</summary>
/// <param name="LabelSmoothing">Share of the target that is spread over all classes, in [0, 1).</param>
public sealed record CrossEntropyPlan(double LabelSmoothing) : LossPlan(CrossEntropy)
{
    /// <inheritdoc/>
    public override OutputKind Means(bool classes) => OutputKind.Logits;

    internal override Loss Create(bool classes, float[]? weights = null) =>
        weights is null ? new CrossEntropy((float)LabelSmoothing) : new WeightedCrossEntropy((float)LabelSmoothing, weights);
}

/// <summary>See <see cref="Losses.BinaryCrossEntropy"/>.</summary>
public sealed record BinaryCrossEntropyPlan() : LossPlan(BinaryCrossEntropy)
{
    /// <inheritdoc/>
    public override OutputKind Means(bool classes) => OutputKind.Logit;

    internal override int Outputs(DataShape data) => 1;

    internal override Loss Create(bool classes, float[]? weights = null) => new BinaryCrossEntropy(weights);
}

/// <summary>See <see cref="MeanSquaredError"/>.</summary>
public sealed record MeanSquaredErrorPlan() : LossPlan(MeanSquared)
{
    internal override Loss Create(bool classes, float[]? weights = null) => new MeanSquaredError(classes, weights);
}

/// <summary>See <see cref="Losses.Huber"/>.</summary>
/// <param name="Delta">Where the parabola turns into a line, above 0; in standard deviations of a target that is standardised.</param>
public sealed record HuberPlan(double Delta) : LossPlan(Huber)
{
    internal override Loss Create(bool classes, float[]? weights = null) => new Huber(Delta, classes, weights);
}
