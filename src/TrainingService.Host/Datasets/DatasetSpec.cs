using TrainingService.Engine.Specs;

namespace TrainingService.Host.Datasets;

/// <summary>A data set and how its rows are used.</summary>
[PlainName]
public sealed record DatasetSpec
{
    /// <summary>Name of a data set (<c>GET /datasets</c>).</summary>
    [Length(1, Examples = ["digits", "iris"])]
    public required string Name { get; init; }

    /// <summary>
    /// Share of the training rows held out to watch the run, in [0, 0.9]; drawn by the job's seed, stratified by class. Default 0.1.
    /// </summary>
    [Within(0, DatasetRegistry.LargestValidationFraction, Default = DatasetRegistry.DefaultValidationFraction)]
    public double? ValidationFraction { get; init; }

    /// <summary>
    /// At most this many training rows (after the validation split), stratified by class; at least 1, or the number
    /// of classes. Default null: all.
    /// </summary>
    [AtLeast(1)]
    public int? MaxTrainExamples { get; init; }

    /// <summary>
    /// Scale each feature to mean 0 and variance 1 on the training rows; one that is the same on all of them becomes 0. Default true.
    /// </summary>
    [Any(Default = true)]
    public bool? Standardize { get; init; }
}
