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
    public static int[] Of(IReadOnlyList<int> rows, int[] labels, long seed)
    {
        var random = new SplitMix64(seed);
        var places = new List<(double Place, int Label, int Row)>(rows.Count);
        foreach (var stratum in rows.GroupBy(row => labels.Length == 0 ? 0 : labels[row]).OrderBy(stratum => stratum.Key))
        {
            var members = stratum.ToArray();
            random.Shuffle(members);
            for (var k = 0; k < members.Length; k++)
                places.Add((k == members.Length - 1 ? 1 : (k + 0.5) / members.Length, stratum.Key, members[k]));
        }
        places.Sort();
        return [.. places.Select(place => place.Row)];
    }
}
