using TrainingService.Engine.Specs;

namespace TrainingService.Host.Models;

/// <summary>What a net is asked.</summary>
public sealed record PredictionSpec
{
    /// <summary>
    /// Rows as they were before training encoded them: lists with a value a column in the data set's order, or objects with a value a
    /// column by name. A number, a category or null for a missing value, which is treated as in training. The target may be there and is
    /// not looked at.
    /// </summary>
    public IReadOnlyList<object>? Inputs { get; init; }

    /// <summary>
    /// <c>permutation</c>: how much worse the net becomes on its test rows when one feature's values are shuffled (Breiman 2001, Random
    /// forests, section 10).
    /// </summary>
    [OneOf("permutation")]
    public string? Explain { get; init; }

    /// <summary>Of the shuffles. Default 1.</summary>
    [Any(Default = 1)]
    public long? Seed { get; init; }
}

/// <summary>A net's answers, row by row.</summary>
public sealed record PredictionResponse
{
    /// <summary>The job whose net answered.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The column that is predicted.</summary>
    public required string Target { get; init; }

    /// <summary>
    /// What outputs are: probabilities of the classes, their scores (where the loss was mse or huber), or values in the target's unit.
    /// </summary>
    public required OutputMeaning Kind { get; init; }

    /// <summary>Names of the classes, in the order of the outputs; left out for a number target.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Of each row: one number a class, or the target's.</summary>
    public IReadOnlyList<double[]>? Outputs { get; init; }

    /// <summary>The class that each row is taken for; null where an output is not a number. Left out for a number target.</summary>
    public IReadOnlyList<string?>? Labels { get; init; }

    /// <summary>Where the request asked to explain.</summary>
    public FeatureImportance? Importance { get; init; }
}

/// <summary>What the outputs of a prediction are.</summary>
public enum OutputMeaning
{
    /// <summary>Of each class; they add up to 1.</summary>
    Probabilities,

    /// <summary>The largest is the class's; they are no probabilities.</summary>
    Scores,

    /// <summary>In the target's unit.</summary>
    Values,
}

/// <summary>What each feature is worth to the net on its test rows.</summary>
/// <param name="Metric">accuracy, or rmse in the target's unit.</param>
/// <param name="Baseline">It on those rows as they are.</param>
/// <param name="Rows">Test rows that were looked at; not all where that would take too long.</param>
/// <param name="Repeats">Shuffles of each feature.</param>
/// <param name="Seed">Of the shuffles.</param>
/// <param name="Features">The most important first.</param>
public sealed record FeatureImportance(string Metric, double Baseline, int Rows, int Repeats, long Seed,
    IReadOnlyList<FeatureWorth> Features);

/// <summary>One feature's.</summary>
/// <param name="Name">The column.</param>
/// <param name="Mean">By how much the metric gets worse when the column is shuffled, mean over the shuffles.</param>
/// <param name="Sd">Standard deviation over the shuffles.</param>
public sealed record FeatureWorth(string Name, double Mean, double Sd);
