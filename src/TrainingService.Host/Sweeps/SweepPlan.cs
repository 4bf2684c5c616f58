using System.Text.Json.Serialization;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// A sweep that was checked: arms and seeds listed, every default filled in. It is stored as the <see cref="SweepSpec"/> that it
/// was made of, so the names are the same.
/// </summary>
public sealed record SweepPlan
{
    /// <summary>The name given at creation.</summary>
    public string? Name { get; init; }

    /// <summary>As it was asked for, with the sweep's priority: defaults follow what an arm changes.</summary>
    public required JobSpec Base { get; init; }

    public required IReadOnlyList<ArmSpec> Arms { get; init; }

    /// <summary>All that there are so far.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Until when there shall be more of them, with both bounds; null if they were given.</summary>
    public UntilSpec? Until { get; init; }

    /// <summary>Seconds after which it asks for no more seeds; null for any time.</summary>
    public double? BudgetSeconds { get; init; }

    /// <summary>When it was looked; the last seeds may not have been looked at yet.</summary>
    public IReadOnlyList<SweepLook> Looks { get; init; } = [];

    /// <summary>Why it asks for no more seeds; null as long as it may, or if they were given.</summary>
    public SweepStop? Stopped { get; init; }

    /// <summary>Values to choose among; null if nothing is tuned.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<object?>>? Tune { get; init; }

    /// <summary>
    /// How many of the seeds the version before tried combinations with, to choose one for all seeds; only in what it stored.
    /// </summary>
    public int? TuneSeedCount { get; init; }

    /// <summary>Which rows each seed is tested on; fixed in what the version before stored.</summary>
    public TestSplit TestSplit { get; init; }

    /// <summary>Rows of a run, of the arm that trains on the fewest; null in what the version before stored.</summary>
    public RowCounts? Rows { get; init; }

    /// <summary>Name of <see cref="By"/>.</summary>
    public required string Metric { get; init; }

    public required string Baseline { get; init; }

    /// <summary>Null where there is nothing to compare and the metric has no default.</summary>
    public double? Delta { get; init; }

    public required IReadOnlyList<ContrastSpec> Contrasts { get; init; }

    /// <summary>Whether the best arm's net is kept when it has ended.</summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>What arms are compared by.</summary>
    [JsonIgnore]
    public SweepMetric By => SweepMetrics.Named(Metric);

    /// <summary>By how much one row more that is right changes the metric; null where that isn't a share of rows.</summary>
    [JsonIgnore]
    public double? RowWorth => (By.IsShareOfRows, Rows) is not (true, { } rows) ? null
        : By.IsOnTestRows ? 1.0 / rows.Test : rows.Validation > 0 && By.IsOnValidationRows ? 1.0 / rows.Validation : null;

    /// <summary>
    /// Rows that the metric is of over training rows, where both change with the seed, so that intervals allow for the overlap of the
    /// training rows; 0 where they don't, or where the metric is of no rows.
    /// </summary>
    public double TestToTrain(SweepMetric metric) => (TestSplit, Rows) is not (TestSplit.PerSeed, { } rows) ? 0
        : (metric.IsOnTestRows ? rows.Test : metric.IsOnValidationRows ? rows.Validation : 0) / (double)rows.Train;

    /// <summary>The looks at fewer seeds than these, and one at these, whether noted or not.</summary>
    public Looks LooksUpTo(int seeds)
    {
        var earlier = Looks.Where(look => look.Seeds < seeds).ToList();
        var share = Until is { AtMost: { } atMost } ? Statistics.Looks.Share(seeds, atMost) : 1;
        share = Math.Max(share, earlier.LastOrDefault()?.Share ?? 0);
        return new([.. earlier.Select(look => look.Seeds), seeds], [.. earlier.Select(look => look.Share), share]);
    }

    /// <summary>Whether the tuned values define the loss, so that losses of two combinations can't be compared.</summary>
    [JsonIgnore]
    public bool TunesLoss => (Tune ?? new Dictionary<string, IReadOnlyList<object?>>()).Keys.Any(LossDefinition.IsPartOf);

    /// <summary>As clients see it, and can POST it again.</summary>
    public SweepSpec ToSpec() => new()
    {
        Name = Name,
        Base = Base,
        Arms = Arms,
        Seeds = Until is null ? new(Seeds) : new(Until),
        BudgetSeconds = BudgetSeconds,
        Tune = Tune,
        TestSplit = TestSplit,
        Metric = Metric,
        Baseline = Baseline,
        Delta = Delta,
        Contrasts = Contrasts,
        KeepBest = KeepBest,
    };
}

/// <summary>How many rows a run trains on, watches itself by, and is tested on.</summary>
public sealed record RowCounts(int Train, int Validation, int Test);
