using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>The differences of two arms, seed by seed. A run that diverged has a value that isn't finite; it stays in the count.</summary>
public sealed record PairedDifferences
{
    /// <summary>Arm minus baseline, for the seeds with which both finished.</summary>
    public required double[] Finite { get; init; }

    /// <summary>Seeds with which only the arm diverged, only the baseline, and both.</summary>
    public required int ArmOnly { get; init; }

    public required int BaselineOnly { get; init; }

    public required int Both { get; init; }

    /// <summary>
    /// Seeds that tell nothing: one of the four runs of a double difference diverged, or one of two by a metric without a good side.
    /// </summary>
    public int Lost { get; init; }

    /// <summary>
    /// Error of one difference: results are single precision, so equal differences come out unequal in their last digits.
    /// </summary>
    public required double Noise { get; init; }

    /// <summary>The least distance of two different values; null if there are none.</summary>
    public required double? Step { get; init; }

    /// <summary>
    /// How far apart two differences would be if an arm's runs had nothing in common but their spread: sqrt(2) times the standard deviation
    /// of its values over the seeds; if they have none, the size of the differences.
    /// </summary>
    public required double Spread { get; init; }

    /// <summary>All differences are one and the same, up to their error.</summary>
    public bool AllEqual => Finite.Length > 0 && Finite.Max() - Finite.Min() <= 2 * Noise;

    public int Pairs => Finite.Length + ArmOnly + BaselineOnly + Both + Lost;

    /// <summary>Pairs that can tell the arms apart: the finite ones that differ and those with one divergence.</summary>
    public int Differing => Finite.Count(difference => Math.Abs(difference) > Noise) + ArmOnly + BaselineOnly;

    /// <param name="arm">One value per seed.</param>
    /// <param name="baseline">The values of the same seeds, in the same order, and as many.</param>
    public static PairedDifferences Between(IReadOnlyList<double> arm, IReadOnlyList<double> baseline)
    {
        var pairs = arm.Zip(baseline).ToArray();
        int Count(bool armFinite, bool baselineFinite) =>
            pairs.Count(pair => double.IsFinite(pair.First) == armFinite && double.IsFinite(pair.Second) == baselineFinite);
        double[] finite = [.. pairs.Select(pair => pair.First - pair.Second).Where(double.IsFinite)];
        return new()
        {
            Finite = finite,
            ArmOnly = Count(false, true),
            BaselineOnly = Count(true, false),
            Both = Count(false, false),
            Noise = NoiseOf(2, arm, baseline),
            Step = StepOf(arm, baseline),
            Spread = SpreadOf(finite, arm, baseline),
        };
    }

    /// <summary>
    /// Double differences, for an interaction: (<paramref name="arm"/> - <paramref name="armWithout"/>) - (<paramref name="baseline"/> -
    /// <paramref name="baselineWithout"/>), seed by seed. A seed with a diverged run among its four is lost.
    /// </summary>
    public static PairedDifferences Of(IReadOnlyList<double> arm, IReadOnlyList<double> armWithout,
        IReadOnlyList<double> baseline, IReadOnlyList<double> baselineWithout)
    {
        var differences = arm.Select((value, i) => value - armWithout[i] - (baseline[i] - baselineWithout[i])).ToArray();
        double[] finite = [.. differences.Where(double.IsFinite)];
        return new()
        {
            Finite = finite,
            ArmOnly = 0,
            BaselineOnly = 0,
            Both = 0,
            Lost = differences.Count(difference => !double.IsFinite(difference)),
            Noise = NoiseOf(4, arm, armWithout, baseline, baselineWithout),
            Step = StepOf(arm, armWithout, baseline, baselineWithout),
            Spread = SpreadOf(finite, arm, armWithout, baseline, baselineWithout),
        };
    }

    /// <summary>Where no side is the good one a diverged run is neither high nor low, and its seed tells nothing.</summary>
    public PairedDifferences WithoutDiverged() =>
        this with { ArmOnly = 0, BaselineOnly = 0, Both = 0, Lost = Lost + ArmOnly + BaselineOnly + Both };

    // A value of single precision is off by up to 2^-24 of itself.
    private static double NoiseOf(int terms, params IReadOnlyList<double>[] values) =>
        terms * Math.Pow(2, -24) * values.SelectMany(v => v).Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();

    private static double? StepOf(params IReadOnlyList<double>[] values)
    {
        var sorted = values.SelectMany(v => v).Where(double.IsFinite).Order().ToArray();
        var noise = NoiseOf(2, sorted);
        var steps = sorted.Zip(sorted.Skip(1), (low, high) => high - low).Where(step => step > noise).ToArray();
        return steps.Length == 0 ? null : steps.Min();
    }

    private static double SpreadOf(double[] differences, params IReadOnlyList<double>[] values)
    {
        var sds = values.Select(v => v.Where(double.IsFinite).ToArray()).Where(v => v.Length > 1).Select(v => v.StandardDeviation());
        var spread = Math.Sqrt(2) * sds.DefaultIfEmpty().Max();
        return spread > NoiseOf(2, values) ? spread : differences.Select(Math.Abs).DefaultIfEmpty().Max();
    }
}
