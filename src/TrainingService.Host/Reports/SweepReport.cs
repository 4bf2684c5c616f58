using System.Text.Json.Serialization;
using TrainingService.Host.Jobs;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>What a sweep has shown: the answer first, then what it rests on.</summary>
public sealed record SweepReport
{
    /// <summary>The sweep.</summary>
    public required Guid SweepId { get; init; }

    /// <summary>The name given at creation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Name { get; init; }

    /// <summary>Where the sweep is; a report of one that isn't finished covers the cells that are, and says so in its notes.</summary>
    public required JobStatus Status { get; init; }

    /// <summary>The study that asked for the sweep; null for a sweep of one's own.</summary>
    public string? Study { get; init; }

    /// <summary>What the study asks.</summary>
    public string? Question { get; init; }

    /// <summary>How the study measures and judges.</summary>
    public string? Method { get; init; }

    /// <summary>The answer at a glance: a verdict and one sentence.</summary>
    public required Headline Headline { get; init; }

    /// <summary>The answer in plain words, with its figures.</summary>
    public required string Answer { get; init; }

    /// <summary>What would decide what is open; null while it runs, and where all is decided.</summary>
    public NextStep? Next { get; init; }

    /// <summary>When the sweep ended; null while it runs.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The outcome that arms are compared by, one of a job's results.</summary>
    public required string Metric { get; init; }

    /// <summary>Name of the arm that the others are compared with; null where there is nothing to compare.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Baseline { get; init; }

    /// <summary>Differences up to this don't matter, in the metric's own unit.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? Delta { get; init; }

    /// <summary>The rows behind the figures, and how far what they say reaches; null of sweeps of an earlier version.</summary>
    public SplitReport? Split { get; init; }

    /// <summary>What the report says of the claims that it bears on; studies only.</summary>
    public IReadOnlyList<ClaimReport>? Claims { get; init; }

    /// <summary>One for each arm, in the order of the request.</summary>
    public required IReadOnlyList<ArmReport> Arms { get; init; }

    /// <summary>One for each comparison.</summary>
    public required IReadOnlyList<ContrastResult> Contrasts { get; init; }

    /// <summary>
    /// What was tried in tuning: a row for each arm and combination, over the seeds. Of more than 200 only those that some seed chose, and
    /// no more than 200. Null without tuning.
    /// </summary>
    public IReadOnlyList<TrialReport>? Trials { get; init; }

    /// <summary>Nets that were drawn and never trained; the study born-dead only.</summary>
    public IReadOnlyList<BornDeadCell>? Cells { get; init; }

    /// <summary>Training accuracy that a net can reach which has learned nothing; studies of classes only.</summary>
    public double? Guess { get; init; }

    /// <summary>When the sweep looked at its seeds, and what each look spent of the risk of a false finding.</summary>
    public required IReadOnlyList<SweepLookResponse> Looks { get; init; }

    /// <summary>Where the best arm's net is; left out where none is kept.</summary>
    public SweepBest? Best { get; init; }

    /// <summary>What a reader must know besides: cells that failed, seeds that don't suffice, choices that were made.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What the figures were made with.</summary>
    public required Provenance Provenance { get; init; }
}

/// <summary>One arm over its seeds.</summary>
/// <param name="Name">As in the request.</param>
/// <param name="N">Runs that finished; the mean and what follows it are over these.</param>
/// <param name="Diverged">Runs that diverged.</param>
/// <param name="DivergedCi95">Wilson's interval of the share that diverges.</param>
/// <param name="Failed">Cells that ended without an outcome (an error, a timeout, canceled).</param>
/// <param name="Mean">Mean of the metric over the runs that finished; null without one. Read it together with how many diverged.</param>
/// <param name="Sd">Standard deviation over seeds; null below two.</param>
/// <param name="Ci95">Interval of the mean; null below two.</param>
/// <param name="Median">Median over seeds.</param>
/// <param name="SecondsPerEpoch">
/// Of each run's fastest epoch, the median over seeds, diagnostics left out: the other epochs tell of what else the machine did.
/// </param>
/// <param name="Tuned">
/// What most seeds chose in tuning, by JSON pointer into the spec; <c>trials</c> tells how many. Null without tuning.
/// </param>
/// <param name="Layers">Means over seeds of the layers' last measurement.</param>
/// <param name="Jobs">The jobs behind the figures, in the order of the seeds.</param>
public sealed record ArmReport(string Name, int N, int Diverged, double[]? DivergedCi95, int Failed,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Mean,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Sd,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double[]? Ci95,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Median,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? SecondsPerEpoch,
    IReadOnlyDictionary<string, object?>? Tuned, IReadOnlyList<ArmLayer> Layers, IReadOnlyList<Guid> Jobs);

/// <summary>A layer of an arm at the end of training, the mean over seeds.</summary>
/// <param name="Index">From 0; the output layer is last.</param>
/// <param name="Name">hidden1, hidden2, ... and output.</param>
/// <param name="Values">By the names of <c>/jobs/{id}/layers</c>: sparsity, deadFraction, saturation, gradientRms and so on.</param>
public sealed record ArmLayer(int Index, string Name, IReadOnlyDictionary<string, double> Values);

/// <summary>What made the figures.</summary>
/// <param name="EngineVersions">All that took part; more than one is told in the notes.</param>
/// <param name="InstructionSets">avx512, avx2 or scalar.</param>
/// <param name="Dataset">Name of the data.</param>
/// <param name="DatasetSha256">Hashes of the data that was trained on.</param>
/// <param name="Seeds">Of the cells.</param>
/// <param name="Spec">The sweep as it was resolved.</param>
public sealed record Provenance(IReadOnlyList<string> EngineVersions, IReadOnlyList<string> InstructionSets,
    string Dataset, IReadOnlyList<string> DatasetSha256, IReadOnlyList<long> Seeds, SweepSpec Spec);
