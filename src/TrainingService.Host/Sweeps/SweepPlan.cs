using System.Text.Json.Serialization;
using TrainingService.Host.Jobs;

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

    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Values to choose among; null if nothing is tuned.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<object?>>? Tune { get; init; }

    /// <summary>
    /// How many of the seeds the version before tried combinations with, to choose one for all seeds; only in what it stored.
    /// </summary>
    public int? TuneSeedCount { get; init; }

    /// <summary>Name of <see cref="By"/>.</summary>
    public required string Metric { get; init; }

    public required string Baseline { get; init; }

    /// <summary>Null where there is nothing to compare and the metric has no default.</summary>
    public double? Delta { get; init; }

    public required IReadOnlyList<ContrastSpec> Contrasts { get; init; }

    /// <summary>What arms are compared by.</summary>
    [JsonIgnore]
    public SweepMetric By => SweepMetrics.Named(Metric);

    /// <summary>Whether the tuned values define the loss, so that losses of two combinations can't be compared.</summary>
    [JsonIgnore]
    public bool TunesLoss => (Tune ?? new Dictionary<string, IReadOnlyList<object?>>()).Keys.Any(LossDefinition.IsPartOf);

    /// <summary>As clients see it, and can POST it again.</summary>
    public SweepSpec ToSpec() => new()
    {
        Name = Name,
        Base = Base,
        Arms = Arms,
        Seeds = Seeds,
        Tune = Tune,
        Metric = Metric,
        Baseline = Baseline,
        Delta = Delta,
        Contrasts = Contrasts,
    };
}
