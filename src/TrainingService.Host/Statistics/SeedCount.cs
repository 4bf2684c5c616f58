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
        while (contrasts * SignFlip.LeastP(n) >= Tails.Alpha)
            n++;
        return n;
    }

    /// <summary>
    /// Pairs with which a true mean difference of <paramref name="difference"/> is found significant in 80 % of all cases,
    /// Bonferroni's share of alpha for each contrast: n = ((z_(alpha / 2m) + z_0.8) sd / difference)^2, and half of z^2 for
    /// estimating the sd (Guenther 1981).
    /// </summary>
    public static double ToFind(double difference, double sd, int contrasts)
    {
        const double Power80 = 0.8416212335729143;
        var z = Tails.Normal(Tails.Alpha / contrasts);
        var n = Math.Pow((z + Power80) * sd / difference, 2) + z * z / 2;
        return Math.Max(Math.Ceiling(n), ForSignificance(contrasts));
    }
}
