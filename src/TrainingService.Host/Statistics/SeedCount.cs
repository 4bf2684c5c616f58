namespace TrainingService.Host.Statistics;

/// <summary>How many seeds a verdict needs.</summary>
public static class SeedCount
{
    /// <summary>
    /// Below five pairs even the one-sided sign-flip test can't be sure at 5 % (2^-4 = 0.0625), so no interval
    /// of theirs proves equivalence.
    /// </summary>
    public const int LeastForEquivalence = 5;

    /// <summary>The least number of differing pairs whose least p, times the number of contrasts, is below 0.05.</summary>
    public static int ForSignificance(int contrasts)
    {
        var n = 1;
        while (LeastAdjustedP(n, contrasts) >= Tails.Alpha)
            n++;
        return n;
    }

    /// <summary>The least p that so many seeds can give, after the adjustment over so many contrasts.</summary>
    public static double LeastAdjustedP(int seeds, int contrasts) => Math.Min(1, contrasts * SignFlip.LeastP(seeds));

    /// <summary>
    /// What can't be found with so many seeds, whatever the runs give: a sentence to be told before they run; null if they can decide.
    /// </summary>
    /// <param name="seeds">That every arm runs with.</param>
    /// <param name="contrasts">Comparisons of the family; 0 where nothing is compared.</param>
    public static string? Warning(int seeds, int contrasts)
    {
        var needed = ForSignificance(contrasts);
        if (contrasts == 0 || seeds >= needed)
            return null;
        var family = contrasts > 1 ? $" and {contrasts} contrasts" : "";
        return $"With {seeds} {(seeds == 1 ? "seed" : "seeds")}{family} no difference can be significant: the least possible "
            + $"{(contrasts > 1 ? "adjusted " : "")}p is "
            + $"{Numbers.Short(LeastAdjustedP(seeds, contrasts))}. "
            + (seeds < LeastForEquivalence ? $"Nor can equivalence be shown, which takes {LeastForEquivalence} seeds. " : "")
            + $"It takes at least {needed} seeds.";
    }

    /// <summary>
    /// Pairs with which a true mean difference of <paramref name="difference"/> is found significant in 80 % of all cases,
    /// Bonferroni's share of alpha for each contrast: n = ((z_(alpha / 2m) + z_0.8) sd / difference)^2, and z^2, half
    /// of which is for estimating the sd (Guenther 1981) and half, by simulation, for allowing for skewness. Infinite where overlapping
    /// training sets leave a spread that no number of seeds averages out.
    /// </summary>
    /// <param name="difference">Above 0.</param>
    /// <param name="sd">Of the differences.</param>
    /// <param name="contrasts">Of the family.</param>
    /// <param name="testToTrain">As for <see cref="MeanInterval"/>.</param>
    public static double ToFind(double difference, double sd, int contrasts, double testToTrain = 0) =>
        Math.Max(Pairs(Tails.Normal(Tails.Alpha / contrasts), Power80, difference / sd, testToTrain, allowed: 1),
            ForSignificance(contrasts));

    /// <summary>
    /// Pairs with which the 90 % interval lies within ±<paramref name="delta"/> in 80 % of all cases if there is no difference:
    /// n = ((z_0.95 + z_0.9) sd / delta)^2 (Chow, Shao and Wang, "Sample Size Calculations in Clinical Research" (2008), section 3.1.3),
    /// and 2 z^2 as above.
    /// </summary>
    public static double ToShowEquivalence(double delta, double sd, double testToTrain = 0) =>
        Math.Max(Pairs(Tails.Normal(Tails.EquivalenceAlpha), Power90, delta / sd, testToTrain, allowed: 2),
            LeastForEquivalence);

    private const double Power80 = 0.8416212335729143, Power90 = 1.2815515655446004;

    /// <summary>The least n with (z + power)^2 (1/n + test/train) at most effect^2.</summary>
    private static double Pairs(double z, double power, double effect, double testToTrain, double allowed)
    {
        var left = Math.Pow(effect / (z + power), 2) - testToTrain;
        return left <= 0 ? double.PositiveInfinity : Math.Ceiling(1 / left + allowed * z * z);
    }
}
