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
    /// SHA-256 of the version to use, lower-case hex, as <c>GET /datasets/{name}</c> tells it. Default: the latest version of a data set
    /// that was brought; the job keeps it.
    /// </summary>
    [Length(64, 64)]
    public string? Sha256 { get; init; }

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
    /// Scale each feature to mean 0 and variance 1 on the training rows; one that is the same on all of them becomes 0, and a rare category
    /// (or what else differs from the commonest value in fewer than 5 % of the rows) is scaled as if 5 % had it. Default true.
    /// </summary>
    [Any(Default = true)]
    public bool? Standardize { get; init; }

    /// <summary>
    /// Which rows the test is on. Default <c>fixed</c>; sweeps have a default of their own.
    /// </summary>
    [Any(Default = "fixed")]
    public TestSplit? TestSplit { get; init; }
}

/// <summary>Which rows the test is on, of which neither training nor any choice sees one.</summary>
public enum TestSplit
{
    /// <summary>The data set's own test rows, the same for all jobs: results tell of these rows.</summary>
    Fixed,

    /// <summary>As many rows, drawn from all by the job's seed, stratified by class: results over seeds tell of new rows.</summary>
    PerSeed,
}
