namespace TrainingService.Host.Statistics;

/// <summary>
/// Two-sided signed-rank test (Wilcoxon 1945) of pairs some of which have no difference in numbers because a run diverged: that is worse
/// than any value, so such a pair has the highest rank (<see cref="PairedDifferences.ScoresOf"/>). If neither arm is better each rank could
/// as well have had the other sign; the distribution of their sum is counted, with the ranks as they are.
/// </summary>
/// <param name="PValue">Never zero.</param>
/// <param name="Exact">All signs were counted; above <see cref="MostExact"/> ranks by the normal approximation.</param>
public readonly record struct SignedRank(double PValue, bool Exact)
{
    /// <summary>The distribution of n ranks takes about n^3 additions.</summary>
    public const int MostExact = 200;

    /// <param name="signed">Signed ranks, halves at the most; 0 of a pair that tells nothing.</param>
    public static SignedRank Test(ReadOnlySpan<double> signed)
    {
        // Twice the ranks are whole numbers.
        var ranks = new List<int>(signed.Length);
        var (total, above) = (0, 0);
        foreach (var rank in signed)
        {
            if (rank == 0)
                continue;
            ranks.Add((int)Math.Round(2 * Math.Abs(rank)));
            total += ranks[^1];
            above += rank > 0 ? ranks[^1] : 0;
        }
        var more = Math.Max(above, total - above);
        if (2 * more == total)
            return new(1, true);
        return ranks.Count <= MostExact ? new(2 * Tail(ranks, total, more), true) : new(NormalTail(ranks, total, more), false);
    }

    /// <summary>Probability of a sum of at least <paramref name="least"/>, each rank being in it in half of all cases.</summary>
    private static double Tail(List<int> ranks, int total, int least)
    {
        var shares = new double[total + 1];
        shares[0] = 1;
        var sum = 0;
        foreach (var rank in ranks)
        {
            sum += rank;
            for (var s = sum; s >= 0; s--)
                shares[s] = (shares[s] + (s >= rank ? shares[s - rank] : 0)) / 2;
        }
        return shares.Skip(least).Sum();
    }

    private static double NormalTail(List<int> ranks, int total, int more)
    {
        var z = (more - total / 2.0) / Math.Sqrt(ranks.Sum(rank => (double)rank * rank) / 4);
        return 2 * Tails.Upper(z);
    }
}
