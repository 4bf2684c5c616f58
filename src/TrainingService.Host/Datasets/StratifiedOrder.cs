using System.Numerics;
using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Datasets;

/// <summary>
/// Splits are prefixes and suffixes of one random order in which every stretch has the classes in proportion: the k-th of a
/// class's n rows stands at (k + 1/2) / n. So splits of any size are stratified, a smaller one is part of a larger one, and
/// none depends on the size of another.
/// </summary>
public static class StratifiedOrder
{
    /// <summary>
    /// The rows in random order. The last places hold one row of each class, so whoever takes rows from the end has all classes, and
    /// whoever takes from the front leaves one of each.
    /// </summary>
    /// <param name="rows">Rows to be ordered, as indices into <paramref name="labels"/>.</param>
    /// <param name="labels">Class of every row of the data set; empty if the target is a number.</param>
    /// <param name="seed">Equal seeds give equal orders.</param>
    public static int[] Of(ReadOnlySpan<int> rows, int[] labels, long seed)
    {
        var order = new int[rows.Length];
        var at = 0;
        foreach (var row in Each(rows, labels, new int[rows.Length], seed))
            order[at++] = row;
        return order;
    }

    /// <summary>As many rows of all from the front of their order, with no more memory than four bytes a row.</summary>
    public static IEnumerable<int> First(int count, int rows, ushort[] labels, long seed) =>
        Each([], labels, new int[rows], seed).Take(count);

    /// <param name="rows">As many as there are; none for all.</param>
    /// <param name="labels">Class of every row; empty without classes.</param>
    /// <param name="together">Gets the rows, those of each class together.</param>
    /// <param name="seed">Of the order.</param>
    private static IEnumerable<int> Each<T>(ReadOnlySpan<int> rows, T[] labels, int[] together, long seed)
        where T : struct, IBinaryInteger<T>
    {
        var random = new SplitMix64(seed);
        if (labels.Length == 0)
        {
            for (var i = 0; i < together.Length; i++)
                together[i] = rows.IsEmpty ? i : rows[i];
            random.Shuffle(together);
            return together;
        }
        var strata = Strata(rows, labels, together);
        foreach (var (_, begin, end) in strata)
            random.Shuffle(together.AsSpan(begin, end - begin));
        return Merged(together, strata);
    }

    /// <summary>
    /// Puts the rows of each class together, in the order in which they stood, and tells where each class begins and ends.
    /// </summary>
    private static List<(int Label, int Begin, int End)> Strata<T>(ReadOnlySpan<int> rows, T[] labels, int[] together)
        where T : struct, IBinaryInteger<T>
    {
        var counts = new int[1];
        for (var i = 0; i < together.Length; i++)
        {
            var label = Label(rows, i);
            if (label >= counts.Length)
                Array.Resize(ref counts, Math.Max(label + 1, 2 * counts.Length));
            counts[label]++;
        }
        var (strata, next, begin) = (new List<(int, int, int)>(), new int[counts.Length], 0);
        foreach (var (label, count) in counts.Index())
        {
            next[label] = begin;
            if (count > 0)
                strata.Add((label, begin, begin += count));
        }
        for (var i = 0; i < together.Length; i++)
            together[next[Label(rows, i)]++] = rows.IsEmpty ? i : rows[i];
        return strata;

        int Label(ReadOnlySpan<int> of, int i) => int.CreateTruncating(labels[of.IsEmpty ? i : of[i]]);
    }

    /// <summary>By place, then by class: rows of one class stand at different places.</summary>
    private static IEnumerable<int> Merged(int[] rows, List<(int Label, int Begin, int End)> strata)
    {
        var next = new PriorityQueue<(int Stratum, int K), UInt128>();
        foreach (var (stratum, (_, begin, end)) in strata.Index())
            next.Enqueue((stratum, 0), Priority(0, end - begin, stratum));
        while (next.TryPeek(out var first, out _))
        {
            var (_, begin, end) = strata[first.Stratum];
            yield return rows[begin + first.K];
            if (first.K + 1 < end - begin)
                next.DequeueEnqueue((first.Stratum, first.K + 1), Priority(first.K + 1, end - begin, first.Stratum));
            else
                next.Dequeue();
        }
    }

    /// <summary>Positive numbers are in the order of their bits.</summary>
    private static UInt128 Priority(int k, int count, int stratum) =>
        new(BitConverter.DoubleToUInt64Bits(Place(k, count)), (ulong)stratum);

    private static double Place(int k, int count) => k == count - 1 ? 1 : (k + 0.5) / count;
}
