namespace TrainingService.Host.Statistics;

/// <summary>The differences of two arms, seed by seed. A run that diverged has a value that isn't finite; it stays in the count.</summary>
public sealed record PairedDifferences
{
    /// <summary>Arm minus baseline, for the seeds with which both finished.</summary>
    public required double[] Finite { get; init; }

    /// <summary>
    /// All pairs in the order of the seeds: arm minus baseline; infinite where only the arm diverged, minus that where only the baseline
    /// did, and not a number where the pair tells nothing.
    /// </summary>
    public required double[] InOrder { get; init; }

    /// <summary>Seeds with which only the arm diverged, only the baseline, and both.</summary>
    public required int ArmOnly { get; init; }

    public required int BaselineOnly { get; init; }

    public required int Both { get; init; }

    /// <summary>Seeds that tell nothing, because one of the four runs of a double difference diverged.</summary>
    public int Lost { get; init; }

    /// <summary>
    /// Error of one difference: results are single precision, so equal differences come out unequal in their last digits.
    /// </summary>
    public required double Noise { get; init; }

    /// <summary>The least distance of two different values; null if there are none.</summary>
    public required double? Step { get; init; }

    public int Pairs => Finite.Length + ArmOnly + BaselineOnly + Both + Lost;

    /// <summary>Pairs that can tell the arms apart: the finite ones that differ and those with one divergence.</summary>
    public int Differing => Finite.Count(difference => Math.Abs(difference) > Noise) + ArmOnly + BaselineOnly;

    /// <param name="arm">One value per seed.</param>
    /// <param name="baseline">The values of the same seeds, in the same order.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static PairedDifferences Between(IReadOnlyList<double> arm, IReadOnlyList<double> baseline)
    {
        if (arm.Count != baseline.Count)
            throw new ArgumentException(
                $"{arm.Count} values of the arm can't be paired with {baseline.Count} of the baseline.", nameof(arm));
        var pairs = arm.Zip(baseline).ToArray();
        int Count(bool armFinite, bool baselineFinite) =>
            pairs.Count(pair => double.IsFinite(pair.First) == armFinite && double.IsFinite(pair.Second) == baselineFinite);
        return new()
        {
            Finite = [.. pairs.Select(pair => pair.First - pair.Second).Where(double.IsFinite)],
            InOrder = [.. pairs.Select(pair => (double.IsFinite(pair.First), double.IsFinite(pair.Second)) switch
            {
                (true, true) => pair.First - pair.Second,
                (false, true) => double.PositiveInfinity,
                (true, false) => double.NegativeInfinity,
                _ => double.NaN,
            })],
            ArmOnly = Count(false, true),
            BaselineOnly = Count(true, false),
            Both = Count(false, false),
            Noise = NoiseOf(2, arm, baseline),
            Step = StepOf(arm, baseline),
        };
    }

    /// <summary>
    /// Double differences, for an interaction: (<paramref name="arm"/> - <paramref name="armWithout"/>) - (<paramref name="baseline"/> -
    /// <paramref name="baselineWithout"/>), seed by seed. A seed with a diverged run among its four is lost.
    /// </summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static PairedDifferences Of(IReadOnlyList<double> arm, IReadOnlyList<double> armWithout,
        IReadOnlyList<double> baseline, IReadOnlyList<double> baselineWithout)
    {
        if (arm.Count != armWithout.Count || arm.Count != baseline.Count || arm.Count != baselineWithout.Count)
            throw new ArgumentException("The four arms of an interaction need the same seeds.", nameof(arm));
        var differences = arm.Select((value, i) => value - armWithout[i] - (baseline[i] - baselineWithout[i])).ToArray();
        return new()
        {
            Finite = [.. differences.Where(double.IsFinite)],
            InOrder = [.. differences.Select(difference => double.IsFinite(difference) ? difference : double.NaN)],
            ArmOnly = 0,
            BaselineOnly = 0,
            Both = 0,
            Lost = differences.Count(difference => !double.IsFinite(difference)),
            Noise = NoiseOf(4, arm, armWithout, baseline, baselineWithout),
            Step = StepOf(arm, armWithout, baseline, baselineWithout),
        };
    }

    /// <summary>
    /// As the metric ranks them: where no side is the good one, a diverged run is neither high nor low, and its seed tells nothing.
    /// </summary>
    public PairedDifferences Ranked(Outcome outcome) => outcome.HigherIsBetter is not null ? this
        : this with { ArmOnly = 0, BaselineOnly = 0, Both = 0, Lost = Lost + ArmOnly + BaselineOnly + Both };

    /// <summary>
    /// The differences with a diverged run worse than any finished one: a lone divergence counts for more than all finite
    /// differences together. So the sign-flip test looks at divergences first and at the mean of the rest where they balance;
    /// it stays exact, for it holds for any statistic.
    /// </summary>
    /// <param name="higherIsBetter">Whether the arm that diverged has the lower or the higher value.</param>
    public double[] WithDivergences(bool higherIsBetter)
    {
        var total = Finite.Sum(Math.Abs);
        var worse = (higherIsBetter ? -1 : 1) * (total > 0 ? 2 * total : 1);
        return [.. Finite, .. Enumerable.Repeat(worse, ArmOnly), .. Enumerable.Repeat(-worse, BaselineOnly)];
    }

    /// <summary>
    /// What a sign test looks at in the first so many pairs: the differences; or, once a run of them diverged, the signed ranks of their
    /// sizes (Wilcoxon), in which a lone divergence is the largest loss. Where no side is the good one it tells nothing.
    /// </summary>
    public Scores ScoresOf(int pairs, Outcome outcome)
    {
        var loss = outcome.HigherIsBetter switch { true => -1, false => 1, _ => 0 };
        double[] signed = [.. InOrder.Take(pairs).Select(difference => double.IsNaN(difference) ? 0
            : double.IsInfinity(difference) ? (loss == 0 ? 0 : loss * difference)
            : Math.Abs(difference) <= Noise ? 0 : difference)];
        if (!Array.Exists(signed, double.IsInfinity))
            return new(signed, 2 * Noise * signed.Length);
        var sizes = signed.Select(Math.Abs).Where(size => size > 0).Order().ToArray();
        return new([.. signed.Select(score => Math.Sign(score) * Rank(Math.Abs(score)))], 0);

        // The mean of the places that equal sizes share.
        double Rank(double size) => (1 + sizes.Count(other => other < size - Noise) + sizes.Count(other => other <= size + Noise)) / 2.0;
    }

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
}
