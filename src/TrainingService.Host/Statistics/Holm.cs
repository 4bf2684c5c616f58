namespace TrainingService.Host.Statistics;

/// <summary>
/// Holm's step-down adjustment (Scandinavian Journal of Statistics 6 (1979)): the risk of any false finding in
/// the family stays below alpha.
/// </summary>
public static class Holm
{
    /// <summary>The adjusted p of the i-th smallest of m is the greatest of (m - j + 1) p_j for j up to i, at most 1.</summary>
    public static double[] Adjust(IReadOnlyList<double> pValues)
    {
        var adjusted = new double[pValues.Count];
        var most = 0.0;
        foreach (var (rank, index) in Enumerable.Range(0, pValues.Count).OrderBy(i => pValues[i]).Index())
            adjusted[index] = most = Math.Max(most, Math.Min(1, (pValues.Count - rank) * pValues[index]));
        return adjusted;
    }

    /// <summary>How many of the family share alpha with each: all whose p is not below its own.</summary>
    public static int[] Sharing(IReadOnlyList<double> pValues) => [.. pValues.Select(p => pValues.Count(other => other >= p))];
}
