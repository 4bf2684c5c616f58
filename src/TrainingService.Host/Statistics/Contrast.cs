namespace TrainingService.Host.Statistics;

/// <summary>A question about two arms, with its data.</summary>
/// <param name="Arm">The arm that is claimed to be better.</param>
/// <param name="Baseline">The other one.</param>
/// <param name="Differences">Arm minus baseline.</param>
/// <param name="IsInteraction">The arms stand for gains, and the claim is that the first one is larger.</param>
public sealed record Contrast(string Arm, string Baseline, PairedDifferences Differences, bool IsInteraction = false)
{
    /// <summary>How many of the pairs were there at each look.</summary>
    public IReadOnlyList<int> PairsAtLooks { get; init; } = [Differences.Pairs];

    /// <summary>Is the arm better than the baseline? One value per seed, in the same order; not finite where the run diverged.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static Contrast Between(string arm, IReadOnlyList<double> armValues, string baseline, IReadOnlyList<double> baselineValues) =>
        new(arm, baseline, PairedDifferences.Between(armValues, baselineValues));

    /// <summary>
    /// Is the gain of <paramref name="arm"/> over <paramref name="armWithout"/> larger than that of <paramref name="baseline"/> over
    /// <paramref name="baselineWithout"/>? (Does dropout help leaky ReLU more than it helps ReLU?)
    /// </summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static Contrast Interaction((string Name, IReadOnlyList<double> Values) arm,
        (string Name, IReadOnlyList<double> Values) armWithout,
        (string Name, IReadOnlyList<double> Values) baseline, (string Name, IReadOnlyList<double> Values) baselineWithout) =>
        new($"the gain of {arm.Name} over {armWithout.Name}", $"the gain of {baseline.Name} over {baselineWithout.Name}",
            PairedDifferences.Of(arm.Values, armWithout.Values, baseline.Values, baselineWithout.Values), IsInteraction: true);
}
