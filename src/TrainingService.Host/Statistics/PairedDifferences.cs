using MathNet.Numerics.Statistics;

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
            InOrder = [.. differences.Select(difference => double.IsFinite(difference) ? difference : double.NaN)],
            ArmOnly = 0,
            BaselineOnly = 0,
            Both = 0,
            Lost = differences.Count(difference => !double.IsFinite(difference)),
            Noise = NoiseOf(4, arm, armWithout, baseline, baselineWithout),
            Step = StepOf(arm, armWithout, baseline, baselineWithout),
            Spread = SpreadOf(finite, arm, armWithout, baseline, baselineWithout),
        };
    }

    /// <summary>
    /// How far off another difference would be, where all that were seen are equal; null if that isn't known. A continuous metric has no
    /// least step: then as far as the spread of the runs themselves lets expect.
    /// </summary>
    public double? StepIn(Outcome outcome) => outcome.Resolution switch
    {
        null => Step,
        > 0 => outcome.Resolution,
        _ when !AllEqual => 0,
        _ => Spread > Noise ? Spread : null,
    };

    /// <summary>Where no side is the good one a diverged run is neither high nor low, and its seed tells nothing.</summary>
    public PairedDifferences WithoutDiverged() =>
        this with { ArmOnly = 0, BaselineOnly = 0, Both = 0, Lost = Lost + ArmOnly + BaselineOnly + Both };

    /// <summary>
    /// What a sign test looks at in the first so many pairs: the differences; or, once a run of them diverged, the signed ranks of their
    /// sizes (Wilcoxon, Biometrics Bulletin 1 (1945)), in which a lone divergence is the largest loss. Where no side is the good one it
    /// tells nothing.
    /// </summary>
    /// <remarks>
    /// Equal sizes share the mean of their ranks. Pairs without a difference, two diverged runs among them, take the lowest ranks before
    /// they are left out (Pratt, JASA 54 (1959)): left out before, as Wilcoxon had it, larger differences could make the test less sure.
    /// </remarks>
    public Scores ScoresOf(int pairs, Outcome outcome)
    {
        var loss = outcome.HigherIsBetter switch { true => -1, false => 1, _ => 0 };
        double[] signed = [.. InOrder.Take(pairs).Select(difference => double.IsNaN(difference) ? 0
            : double.IsInfinity(difference) ? (loss == 0 ? 0 : loss * difference)
            : Math.Abs(difference) <= Noise ? 0 : difference)];
        if (ArmOnly + BaselineOnly + Both == 0 || InOrder.Take(pairs).All(double.IsFinite))
            return new(signed, 2 * Noise * signed.Length);
        var sizes = signed.Select(Math.Abs).ToArray();
        return new([.. signed.Select(score => Math.Sign(score) * Rank(Math.Abs(score)))], 0);

        // The mean of the places that equal sizes share; each is off by the noise.
        double Rank(double size) =>
            (1 + sizes.Count(other => other < size - 2 * Noise) + sizes.Count(other => other == size || other <= size + 2 * Noise)) / 2.0;
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

    private static double SpreadOf(double[] differences, params IReadOnlyList<double>[] values)
    {
        var sds = values.Select(v => v.Where(double.IsFinite).ToArray()).Where(v => v.Length > 1).Select(v => v.StandardDeviation());
        var spread = Math.Sqrt(2) * sds.DefaultIfEmpty().Max();
        return spread > NoiseOf(2, values) ? spread : differences.Select(Math.Abs).DefaultIfEmpty().Max();
    }
}
