namespace TrainingService.Host.Statistics;

/// <summary>A question about two arms, with its data.</summary>
public sealed record Contrast
{
    private readonly IReadOnlyList<double>[] _values;

    private Contrast(string arm, string baseline, params IReadOnlyList<double>[] values)
    {
        if (Array.Exists(values, list => list.Count != values[0].Count))
            throw new ArgumentException(
                $"Arms that are paired by seed need as many values each, not {string.Join(", ", values.Select(list => list.Count))}.",
                nameof(values));
        (Arm, Baseline, _values, PairsAtLooks) = (arm, baseline, values, [values[0].Count]);
    }

    /// <summary>The arm that is claimed to be better (by a metric without a good side: higher).</summary>
    public string Arm { get; }

    /// <summary>The other one.</summary>
    public string Baseline { get; }

    /// <summary>Seeds with which the arms were run.</summary>
    public int Pairs => _values[0].Count;

    /// <summary>How many of the pairs were there at each look.</summary>
    public IReadOnlyList<int> PairsAtLooks { get; init; }

    /// <summary>The arms stand for gains, and the claim is that the first one is larger.</summary>
    public bool IsInteraction => _values.Length == 4;

    /// <summary>Is the arm better than the baseline? One value per seed, in the same order; not finite where the run diverged.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static Contrast Between(string arm, IReadOnlyList<double> armValues, string baseline, IReadOnlyList<double> baselineValues) =>
        new(arm, baseline, armValues, baselineValues);

    /// <summary>
    /// Is the gain of <paramref name="arm"/> over <paramref name="armWithout"/> larger than that of <paramref name="baseline"/> over
    /// <paramref name="baselineWithout"/>? (Does dropout help leaky ReLU more than it helps ReLU?)
    /// </summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static Contrast Interaction((string Name, IReadOnlyList<double> Values) arm,
        (string Name, IReadOnlyList<double> Values) armWithout,
        (string Name, IReadOnlyList<double> Values) baseline, (string Name, IReadOnlyList<double> Values) baselineWithout) =>
        new($"the gain of {arm.Name} over {armWithout.Name}", $"the gain of {baseline.Name} over {baselineWithout.Name}",
            arm.Values, armWithout.Values, baseline.Values, baselineWithout.Values);

    /// <summary>
    /// Arm minus baseline, seed by seed, as the outcome is judged: of logarithms where it is told as a ratio; a run that diverged is the
    /// worst of all, or tells nothing where no side is the good one.
    /// </summary>
    public PairedDifferences DifferencesIn(Outcome outcome)
    {
        var values = outcome.IsRelative
            ? [.. _values.Select(list => (IReadOnlyList<double>)[.. list.Select(value => Math.Log(value))])] : _values;
        var differences = IsInteraction ? PairedDifferences.Of(values[0], values[1], values[2], values[3])
            : PairedDifferences.Between(values[0], values[1]);
        return outcome.HigherIsBetter is null ? differences.WithoutDiverged() : differences;
    }
}
