namespace TrainingService.Host.Statistics;

/// <summary>
/// Two-sided signed-rank test (Wilcoxon, Biometrics Bulletin 1 (1945)) of pairs some of which have no difference in numbers because a run
/// diverged: that is worse than any value, so such a pair has the highest rank, on the side of the run that finished. If neither arm is
/// better each rank could as well have had the other sign; the distribution of their sum is counted, with the ranks as they are.
/// </summary>
/// <remarks>
/// Equal sizes share the mean of their ranks. Pairs without a difference, two diverged runs among them, take the lowest ranks before they
/// are left out (Pratt, JASA 54 (1959)): left out before ranking, as Wilcoxon had it, larger differences could make a test less sure.
/// </remarks>
/// <param name="PValue">Two-sided; never zero.</param>
/// <param name="Exact">All signs were counted; above <see cref="MostExact"/> pairs by the normal approximation.</param>
/// <param name="Side">1 if the ranks favour the arm as the better one, -1 if the baseline, 0 if neither.</param>
public readonly record struct SignedRank(double PValue, bool Exact, int Side)
{
    /// <summary>The distribution of n ranks takes about n^3 additions.</summary>
    public const int MostExact = 200;

    /// <param name="pairs">Differences and diverged runs.</param>
    /// <param name="higherIsBetter">Whether a positive difference speaks for the arm.</param>
    public static SignedRank Test(PairedDifferences pairs, bool higherIsBetter)
    {
        var zeros = pairs.Both + pairs.Finite.Count(difference => Math.Abs(difference) <= pairs.Noise);
        (double Size, bool ForArm)[] rest =
        [
            .. pairs.Finite.Where(difference => Math.Abs(difference) > pairs.Noise)
                .Select(difference => (Math.Abs(difference), difference > 0 == higherIsBetter)).OrderBy(pair => pair.Item1),
            .. Enumerable.Repeat((double.PositiveInfinity, false), pairs.ArmOnly),
            .. Enumerable.Repeat((double.PositiveInfinity, true), pairs.BaselineOnly),
        ];
        // Twice the ranks, so that the mean of two is a whole number, too.
        var ranks = new int[rest.Length];
        for (int from = 0, to; from < rest.Length; from = to)
        {
            // Two differences that would be equal without rounding are each off by the noise.
            for (to = from + 1; to < rest.Length && (rest[to].Size == rest[from].Size || rest[to].Size - rest[from].Size <= 2 * pairs.Noise);)
                to++;
            ranks.AsSpan(from, to - from).Fill(2 * zeros + from + to + 1);
        }
        var (total, forArm) = (ranks.Sum(), rest.Zip(ranks).Sum(pair => pair.First.ForArm ? pair.Second : 0));
        var more = Math.Max(forArm, total - forArm);
        if (2 * more == total)
            return new(1, true, 0);
        var exact = rest.Length <= MostExact;
        return new(Math.Min(1, exact ? 2 * Tail(ranks, total, more) : NormalTail(ranks, total, more)), exact,
            Math.Sign(2 * forArm - total));
    }

    /// <summary>Probability of a sum of at least <paramref name="least"/>, each rank being in it in half of all cases.</summary>
    private static double Tail(int[] ranks, int total, int least)
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
        return shares.AsSpan(least).ToArray().Sum();
    }

    private static double NormalTail(int[] ranks, int total, int more)
    {
        var z = (more - total / 2.0) / Math.Sqrt(ranks.Sum(rank => (double)rank * rank) / 4);
        return 2 * MathNet.Numerics.Distributions.Normal.CDF(0, 1, -z);
    }
}
