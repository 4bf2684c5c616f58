using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>What a client asks for: one job, in variants, each with several seeds. Stored with every default filled in.</summary>
[Retired("tuneSeedCount",
    "tuning is per seed now: every seed of the sweep tries all combinations on its own validation rows; leave it out")]
public sealed record SweepSpec
{
    /// <summary>A name for people, at most 200 characters.</summary>
    [Length(1, JobRules.MaxName)]
    public string? Name { get; init; }

    /// <summary>The job that all arms vary. Its name and seed are replaced by those of each cell.</summary>
    public required JobSpec Base { get; init; }

    /// <summary>The variants. Excludes <c>grid</c>.</summary>
    [Items(1, SweepRules.MaxArms)]
    public IReadOnlyList<ArmSpec>? Arms { get; init; }

    /// <summary>Values by JSON pointer into the job; every combination is an arm, named after its values. Excludes <c>arms</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<object?>>? Grid { get; init; }

    /// <summary>
    /// Seeds of every arm; arms are compared seed by seed. Either a list, or an object with <c>until</c>: then seeds come in batches, and
    /// the sweep stops when every comparison is decided, or can't be. Excludes <c>seedCount</c>.
    /// </summary>
    public SeedsSpec? Seeds { get; init; }

    /// <summary>Short for the seeds 1 to this number. Default 6, the least with which a difference can be significant.</summary>
    [Within(1, SweepRules.MaxCells, Default = SweepRules.DefaultSeeds)]
    public int? SeedCount { get; init; }

    /// <summary>
    /// With <c>seeds</c> until decided: no further batch of seeds is begun once the sweep has run that long. Default: no limit.
    /// </summary>
    [Positive]
    public double? BudgetSeconds { get; init; }

    /// <summary>
    /// Values to choose among, by JSON pointer into the job. Every seed tries every combination of every arm, and its arm is compared with
    /// the one that is best by the metric on that seed's validation rows (ties: the lower validation loss, then the middle of the list), so
    /// the test rows have no part in it.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<object?>>? Tune { get; init; }

    /// <summary>
    /// Which rows each seed is tested on, the same for all arms: the data set's own, or rows that the seed draws anew, so that the
    /// result reaches beyond them. Default: that of <c>base.dataset</c>, if it says so; else <c>perSeed</c> below 2,000 test rows, and
    /// <c>fixed</c> from there on.
    /// </summary>
    public TestSplit? TestSplit { get; init; }

    /// <summary>The outcome that arms are compared by. Default <c>testAccuracy</c> for classes, <c>testRmse</c> for numbers.</summary>
    public string? Metric { get; init; }

    /// <summary>Name of the arm that the others are compared with. Default: the first.</summary>
    public string? Baseline { get; init; }

    /// <summary>
    /// Differences up to this don't matter: within it, arms may be called equivalent. Default 0.005 for accuracies (half a point).
    /// </summary>
    [Positive]
    public double? Delta { get; init; }

    /// <summary>The comparisons. Default: every arm with the baseline.</summary>
    [Items(0, SweepRules.MaxContrasts)]
    public IReadOnlyList<ContrastSpec>? Contrasts { get; init; }

    /// <summary>
    /// Keep the best arm's net: when the sweep has ended, the median run of the arm with the best mean is trained once more, to the same
    /// bits, as a job of its own that <c>best</c> names. Default true.
    /// </summary>
    [Any(Default = true)]
    public bool? KeepBest { get; init; }

    /// <summary>
    /// Who may read the sweep, its report and its jobs beside its owner and admins: <c>private</c> (default) or <c>everyone</c> who has a
    /// key; <c>PATCH</c> changes it.
    /// </summary>
    public Visibility? Visibility { get; init; }

    /// <summary>
    /// Address that is told when the sweep ends, and each time it does (Standard Webhooks): http or https, not of a private network.
    /// Answers have it beside <c>spec</c>, for its owner.
    /// </summary>
    [Any(Examples = ["https://example.org/hooks/training"])]
    public string? NotifyUrl { get; init; }
}

/// <summary>A variant of the base.</summary>
public sealed record ArmSpec
{
    /// <summary>A name for people and contrasts, at most 100 characters, unique in the sweep.</summary>
    [Length(1, SweepRules.MaxArmName)]
    public required string Name { get; init; }

    /// <summary>
    /// JSON merge patch (RFC 7396) on the base: null takes a field out, a list replaces the list; none leaves the base as it is.
    /// Labels may differ between arms.
    /// </summary>
    public IReadOnlyDictionary<string, object?>? Patch { get; init; }
}

/// <summary>A comparison of two arms.</summary>
public sealed record ContrastSpec
{
    /// <summary>The arm that is claimed to be better.</summary>
    public required string Arm { get; init; }

    /// <summary>The arm that it is compared with.</summary>
    public required string Baseline { get; init; }
}
