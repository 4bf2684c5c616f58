using TrainingService.Engine.Randomness;
using Xunit;

namespace TrainingService.Engine.Tests.Randomness;

public class RandomStreamTests
{
    [Fact]
    public void Equal_keys_give_equal_numbers_and_each_part_of_the_key_counts()
    {
        ulong First(long seed, StreamPurpose purpose, long index) => new RandomStream(seed, purpose, index).Next();
        Assert.Equal(First(1, StreamPurpose.Weights, 0), First(1, StreamPurpose.Weights, 0));
        ulong[] firsts =
        [
            .. from seed in new[] { 0L, 1, 2, -1, long.MaxValue }
               from purpose in Enum.GetValues<StreamPurpose>()
               from index in new[] { 0L, 1, 2, 1000 }
               select First(seed, purpose, index),
        ];
        Assert.Equal(firsts.Length, firsts.Distinct().Count());
    }

    [Fact]
    public void Uniform_numbers_fill_the_unit_interval()
    {
        var random = new RandomStream(1, StreamPurpose.Weights, 0);
        var counts = new int[10];
        for (var i = 0; i < 100_000; i++)
            counts[(int)(random.Uniform() * 10)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_500, 10_500));
    }

    [Fact]
    public void Whole_numbers_are_even_over_a_bound_that_is_no_power_of_two()
    {
        var random = new RandomStream(1, StreamPurpose.Order, 0);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[random.Below(7)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_500, 10_500));
    }

    [Fact]
    public void A_shuffle_keeps_all_items_and_favours_no_place()
    {
        var places = new int[5, 5];
        for (var seed = 0; seed < 20_000; seed++)
        {
            int[] items = [0, 1, 2, 3, 4];
            new RandomStream(seed, StreamPurpose.Order, 0).Shuffle(items);
            Assert.Equal([0, 1, 2, 3, 4], items.Order());
            for (var i = 0; i < 5; i++)
                places[i, items[i]]++;
        }
        Assert.All(places.Cast<int>(), c => Assert.InRange(c, 3_700, 4_300));
    }
}
