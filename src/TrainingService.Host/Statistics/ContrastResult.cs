using System.Text.Json.Serialization;

namespace TrainingService.Host.Statistics;

/// <summary>
/// What the evidence says of the claim that the arm is better than the baseline; by a metric without a good side (sparsity, gradient flow),
/// where the arm lies.
/// </summary>
public enum Verdict
{
    /// <summary>
    /// The arm is better: the adjusted p is below 0.05, and the 95 % interval excludes zero, also where it allows for skewed differences
    /// and for the other comparisons.
    /// </summary>
    Supported,

    /// <summary>The arm is worse, by the same criteria.</summary>
    Refuted,

    /// <summary>No difference as large as delta: the 90 % interval lies within it, with at least five pairs.</summary>
    Equivalent,

    /// <summary>
    /// A difference that is real but too small to matter: significant by the criteria above, and the 90 % interval lies within delta.
    /// </summary>
    Negligible,

    /// <summary>None of this can be said.</summary>
    Inconclusive,

    /// <summary>In place of supported and refuted where no side is the good one: the arm's values are higher.</summary>
    Higher,

    /// <summary>The arm's values are lower.</summary>
    Lower,
}

/// <summary>An arm compared with a baseline, seed by seed.</summary>
public sealed record ContrastResult
{
    /// <summary>The arm, by name.</summary>
    public required string Arm { get; init; }

    /// <summary>What it is compared with.</summary>
    public required string Baseline { get; init; }

    /// <summary>Seeds with which both finished; the means and intervals are over these.</summary>
    public required int N { get; init; }

    /// <summary>
    /// What the differences, intervals and delta are in: "fraction" (0.01 is one percentage point), "relative" (0.03 is 3 % more than the
    /// baseline: times are judged as ratios), "decades" (of log10) or "number", in the metric's own unit.
    /// </summary>
    public required string Unit { get; init; }

    /// <summary>
    /// Mean of arm minus baseline; null without a pair. Of times, the geometric mean of their ratios minus 1, and all else likewise.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? MeanDifference { get; init; }

    /// <summary>Median of the differences.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? MedianDifference { get; init; }

    /// <summary>Standard deviation of the differences, of times that of the ratios' logarithms; null below two pairs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? SdDifference { get; init; }

    /// <summary>
    /// 95 % interval of the mean difference, [lower, upper]; null below two pairs, or if all values of both arms are one and the same.
    /// Where the test split changes with the seed it allows for overlapping training sets (Nadeau and Bengio 2003).
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double[]? Ci95 { get; init; }

    /// <summary>
    /// The test behind the p: "sign_flip" of the mean difference, or, with a diverged run among the pairs, "signed_rank" (Wilcoxon), in
    /// which such a run is worse than any that finished.
    /// </summary>
    public required string Test { get; init; }

    /// <summary>Two-sided p of the test.</summary>
    public required double PValue { get; init; }

    /// <summary>
    /// Whether all signs were counted; with more than 40 differing pairs 99,999 are drawn, and the ranks of more than 200 have the normal
    /// approximation.
    /// </summary>
    public required bool PValueExact { get; init; }

    /// <summary>The p after Holm's adjustment over all contrasts of the report.</summary>
    public required double AdjustedPValue { get; init; }

    /// <summary>The least adjusted p that so many seeds and contrasts could have given.</summary>
    public required double LeastAdjustedPValue { get; init; }

    /// <summary>
    /// Share of the seeds with which the arm is the better one (without a good side: has the higher value); ties count half, a diverged
    /// run loses. Null without a pair.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? ProbabilityOfSuperiority { get; init; }

    /// <summary>Its 95 % interval by Wilson's method, [lower, upper].</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double[]? ProbabilityOfSuperiorityCi95 { get; init; }

    /// <summary>The test of equivalence.</summary>
    public required Equivalence Equivalence { get; init; }

    /// <summary>Runs that diverged.</summary>
    public required DivergedPairs Divergence { get; init; }

    /// <summary>What the evidence says of the claim that the arm is better.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Whether it is open, and no number of seeds is likely to decide it.</summary>
    [JsonIgnore]
    public bool BeyondSeeds { get; init; }

    /// <summary>The verdict in words, with its figures.</summary>
    public required string Sentence { get; init; }
}

/// <summary>Two one-sided tests of a mean difference beyond ±delta (Schuirmann 1987), as an interval.</summary>
/// <param name="Delta">The least difference that matters, as the request declares it, in the contrast's unit.</param>
/// <param name="Ci90">90 % interval of the mean difference, [lower, upper].</param>
/// <param name="Equivalent">
/// The interval lies within ±delta (relative: between 1 / (1 + delta) - 1 and delta), from at least five pairs, and no run diverged
/// on one side only.
/// </param>
public sealed record Equivalence(double Delta,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double[]? Ci90, bool Equivalent);

/// <summary>Diverged runs among the pairs of a contrast.</summary>
/// <param name="Pairs">Seeds compared.</param>
/// <param name="Arm">Seeds with which the arm diverged.</param>
/// <param name="Baseline">Seeds with which the baseline diverged.</param>
/// <param name="Lost">Seeds of a double difference that tell nothing because one of the four runs diverged.</param>
/// <param name="PValue">Exact two-sided p of one arm diverging more often than the other (McNemar's test).</param>
public sealed record DivergedPairs(int Pairs, int Arm, int Baseline, int Lost, double PValue);
