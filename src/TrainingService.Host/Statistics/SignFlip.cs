using System.Runtime.InteropServices;
using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Statistics;

/// <summary>
/// Two-sided sign-flip test of paired differences (Fisher, "The Design of Experiments" (1935), section 21): if neither arm is better,
/// each difference could as well have had the other sign, so p is the share of all 2^n signs whose sum is at least as far
/// from zero as the one seen. It assumes nothing of the differences' distribution but symmetry. The least p that n differences
/// other than zero can give is 2^(1-n).
/// </summary>
/// <param name="PValue">Never zero: what was seen is one of the signs.</param>
/// <param name="Exact">All signs were counted; else <see cref="Draws"/> random ones, p = (1 + hits) / (1 + draws).</param>
public readonly record struct SignFlip(double PValue, bool Exact)
{
    /// <summary>Up to here all 2^n signs are counted, in 2^(n/2) steps.</summary>
    public const int MostExact = 40;

    /// <summary>Divisible by three.</summary>
    public const int Draws = 99_999;

    /// <param name="differences">Finite.</param>
    /// <param name="noise">
    /// Error of a single difference; what is nearer to zero is zero, and sums nearer to each other than all errors together are equal.
    /// </param>
    public static SignFlip Test(ReadOnlySpan<double> differences, double noise)
    {
        var sizes = new List<double>(differences.Length);
        var seen = 0.0;
        foreach (var difference in differences)
        {
            if (Math.Abs(difference) <= noise)
                continue;
            sizes.Add(Math.Abs(difference));
            seen += difference;
        }
        var least = Math.Abs(seen) - Math.Max(noise * sizes.Count, 1e-12 * sizes.Sum());
        if (least <= 0)
            return new(1, true);
        // The order must not matter to the draws either.
        sizes.Sort();
        return sizes.Count <= MostExact ? new(Counted(sizes, least), true) : new(Drawn(sizes, least), false);
    }

    /// <summary>The least p of the two-sided test with that many differences other than zero.</summary>
    public static double LeastP(int differing) => differing == 0 ? 1 : Math.Pow(2, 1 - differing);

    /// <summary>
    /// Horowitz and Sahni (1974): the sums of each half of the differences under all signs, ascending; then, as one half's sum grows,
    /// the place in the other from which on the two together are large enough only moves down.
    /// </summary>
    private static double Counted(List<double> sizes, double least)
    {
        var first = Sums(sizes, 0, sizes.Count / 2);
        var second = Sums(sizes, sizes.Count / 2, sizes.Count);
        long above = 0;
        var place = second.Length;
        foreach (var sum in first)
        {
            while (place > 0 && second[place - 1] + sum >= least)
                place--;
            above += second.Length - place;
        }
        // By symmetry as many lie below -least.
        return 2 * above / ((double)first.Length * second.Length);
    }

    /// <summary>
    /// The sums of sizes[from..to] under all signs, ascending: each size doubles the list, and merging two ascending lists keeps the order.
    /// </summary>
    private static Span<double> Sums(List<double> sizes, int from, int to)
    {
        var (sums, merged) = (new double[(1 << (to - from)) + 1], new double[(1 << (to - from)) + 1]);
        var count = 1;
        for (var i = from; i < to; i++)
        {
            var (size, lowers) = (sizes[i], 0);
            // The lower list ends first; then the upper one is always the less. Written so that nothing branches on
            // the data: these are coin flips.
            sums[count] = double.PositiveInfinity;
            count *= 2;
            for (var k = 0; k < count; k++)
            {
                var (lower, upper) = (sums[lowers] - size, sums[k - lowers] + size);
                merged[k] = double.MinNative(lower, upper);
                lowers += lower <= upper ? 1 : 0;
            }
            (sums, merged) = (merged, sums);
        }
        return sums.AsSpan(0, count);
    }

    private static double Drawn(List<double> sizes, double least)
    {
        // Eight signs at a time: the sum of eight sizes under each of their 256 signs.
        var groups = (sizes.Count + 7) / 8;
        var tables = new double[groups * 256];
        for (var i = 0; i < tables.Length; i++)
            for (var bit = 0; bit < 8 && i / 256 * 8 + bit < sizes.Count; bit++)
                tables[i] += (i >> bit & 1) == 0 ? sizes[i / 256 * 8 + bit] : -sizes[i / 256 * 8 + bit];
        var random = new SplitMix64(sizes.Count);
        // Three draws at a time, whose sums don't wait for each other. A draw's signs are so many numbers of 64 bits, the lowest first.
        var words = (groups + 7) / 8;
        var signs = new ulong[3 * words];
        ReadOnlySpan<byte> first = MemoryMarshal.AsBytes(signs.AsSpan(0, words)),
            second = MemoryMarshal.AsBytes(signs.AsSpan(words, words)), third = MemoryMarshal.AsBytes(signs.AsSpan(2 * words, words));
        var hits = 0;
        for (var draw = 0; draw < Draws; draw += 3)
        {
            for (var word = 0; word < signs.Length; word++)
                signs[word] = random.Next();
            var (a, b, c) = (0.0, 0.0, 0.0);
            for (var group = 0; group < groups; group++)
            {
                var table = tables.AsSpan(group * 256, 256);
                a += table[first[group]];
                b += table[second[group]];
                c += table[third[group]];
            }
            hits += (Math.Abs(a) >= least ? 1 : 0) + (Math.Abs(b) >= least ? 1 : 0) + (Math.Abs(c) >= least ? 1 : 0);
        }
        return (1.0 + hits) / (1 + Draws);
    }
}
