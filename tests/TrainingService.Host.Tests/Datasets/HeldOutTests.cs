using TrainingService.Engine.Randomness;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Which rows are held out where some belong together or are later than others.</summary>
public sealed class HeldOutTests
{
    private static int[] Range(int rows) => [.. Enumerable.Range(0, rows)];

    [Fact]
    public void Groups_stay_whole_and_about_as_many_rows_are_held_out_with_the_classes_in_proportion()
    {
        var random = new Random(1);
        var groups = Enumerable.Range(0, 120).SelectMany(group => Enumerable.Repeat(group, 1 + random.Next(8))).OrderBy(_ =>
            random.Next()).ToArray();
        var labels = groups.Select(group => group % 3 == 0 ? 1 : 0).ToArray();
        var count = groups.Length / 5;
        foreach (var seed in Enumerable.Range(1, 20))
        {
            var (held, left) = HeldOut.Groups(groups, labels, Range(groups.Length), count, seed);
            Assert.Equal(groups.Length, held.Length + left.Length);
            Assert.Empty(held.Select(row => groups[row]).Intersect(left.Select(row => groups[row])));
            Assert.InRange(held.Length, count - 8, count);
            Assert.InRange(held.Average(row => labels[row]), labels.Average() - 0.15, labels.Average() + 0.15);
            Assert.Equal(held, HeldOut.Groups(groups, labels, Range(groups.Length), count, seed).Held);
        }
        Assert.NotEqual(HeldOut.Groups(groups, labels, Range(groups.Length), count, 1).Held,
            HeldOut.Groups(groups, labels, Range(groups.Length), count, 2).Held);
    }

    [Fact]
    public void A_group_with_all_rows_of_a_class_is_never_held_out()
    {
        var groups = Range(100).Select(row => row / 10).ToArray();
        var labels = groups.Select(group => group == 7 ? 2 : group % 2).ToArray();
        foreach (var seed in Enumerable.Range(1, 30))
            Assert.DoesNotContain(7, HeldOut.Groups(groups, labels, Range(100), 50, seed).Held.Select(row => groups[row]));
        Assert.Empty(HeldOut.Groups([.. Range(20).Select(row => row / 10)], [.. Range(20).Select(row => row / 10)], Range(20), 5, 1).Held);
    }

    [Fact]
    public void Where_no_group_is_small_enough_the_smallest_is_held_out()
    {
        int[] groups = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2];
        Assert.Equal([5, 6, 7, 8], HeldOut.Groups(groups, [], Range(15), 2, 1).Held);
        Assert.Empty(HeldOut.Groups(groups, [], Range(15), 0, 1).Held);
        Assert.Empty(HeldOut.Groups(groups, [], [0, 1, 2], 1, 1).Held);
    }

    [Fact]
    public void The_latest_are_held_out()
    {
        double[] times = [5, 1, 4, 1, 3, 5, 2];
        Same([0, 5], [1, 2, 3, 4, 6], HeldOut.Latest(times, Range(7), 2));
        // Of those at the same time the last ones.
        Same([5], [0, 1, 2, 3, 4, 6], HeldOut.Latest(times, Range(7), 1));
        Same([2, 4], [1, 3, 6], HeldOut.Latest(times, [1, 2, 3, 4, 6], 2));

        static void Same(int[] held, int[] left, (int[] Held, int[] Left) found)
        {
            Assert.Equal(held, found.Held);
            Assert.Equal(left, found.Left);
        }
    }

    [Theory]
    [InlineData(1000, 7)]
    [InlineData(513, 200)]
    [InlineData(50, 1)]
    [InlineData(1, 1)]
    [InlineData(64, 0)]
    public void Rows_stand_where_the_order_of_places_puts_them(int count, int classes)
    {
        var random = new Random(count);
        int[] labels = classes == 0 ? [] : [.. Range(2 * count).Select(_ => random.Next(classes))];
        var rows = Range(2 * count).OrderBy(_ => random.Next()).Take(count).ToArray();
        foreach (var seed in (long[])[1, 42, -7])
            Assert.Equal(ByPlaces(rows, labels, seed), StratifiedOrder.Of(rows, labels, seed));
        var all = Range(2 * count);
        Assert.Equal(ByPlaces(all, labels, 3)[..count], StratifiedOrder.First(count, 2 * count,
            [.. labels.Select(label => (ushort)label)], 3));
    }

    /// <summary>By the definition: all places at once, sorted.</summary>
    private static int[] ByPlaces(int[] rows, int[] labels, long seed)
    {
        var random = new SplitMix64(seed);
        var places = new List<(double Place, int Label, int Row)>();
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
