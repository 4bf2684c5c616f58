using TrainingService.Engine.Data;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Rows that one thread makes in the same memory, seed after seed.</summary>
public sealed class SeedRowsTests
{
    private static readonly DatasetRegistry Registry = new("/nowhere");

    [Theory]
    [InlineData("iris", null)]
    [InlineData("penguins", 50)]
    [InlineData("friedman1", null)]
    [InlineData("digits", 1000)]
    public void Each_seed_has_the_rows_that_it_has_elsewhere(string name, int? most)
    {
        // the second one's are less
        var (spec, smaller) = (Resolved(name, null), Resolved(name, most ?? 40));
        using var own = new SeedRows();
        for (var seed = 1; seed < 6; seed++)
            foreach (var asked in new[] { spec, smaller, spec })
                AssertSame(Registry.Load(asked, seed), Registry.Load(asked, seed, own));
        // the order of the two is another
        for (var seed = 6; seed < 9; seed++)
            foreach (var asked in new[] { smaller, spec, smaller })
                AssertSame(Registry.Load(asked, seed), Registry.Load(asked, seed, own));
    }

    [Fact]
    public void Memory_is_that_of_the_seed_before()
    {
        using var own = new SeedRows();
        var spec = Resolved("digits", null);
        HashSet<float[]> arrays = [];
        for (var seed = 1; seed <= 20; seed++)
        {
            var data = Registry.Load(spec, seed, own);
            Assert.Same(data, Registry.Load(spec, seed, own));
            foreach (var split in (DataSplit[])[data.Train, data.Validation!, data.Test!])
                arrays.Add(split.Features.All());
        }
        // not 60; the pool may have let go of some meanwhile
        Assert.InRange(arrays.Count, 3, 30);
    }

    [Fact]
    public void Of_a_seeds_several_specs_it_holds_the_first()
    {
        using var own = new SeedRows();
        var (spec, other) = (Resolved("iris", null), Resolved("iris", 40));
        var first = Registry.Load(spec, 1, own);
        Assert.Same(Registry.Load(other, 1), Registry.Load(other, 1, own));
        Assert.Same(first, Registry.Load(spec, 1, own));
        Assert.NotSame(first, Registry.Load(spec, 1));
    }

    private static DatasetSpec Resolved(string name, int? most) =>
        Registry.Resolve(new() { Name = name, MaxTrainExamples = most, TestSplit = TestSplit.PerSeed }, 1, [])!.Value.Spec;

    private static void AssertSame(TrainingData expected, TrainingData actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        foreach (var (left, right) in ((DataSplit, DataSplit)[])
            [(expected.Train, actual.Train), (expected.Validation!, actual.Validation!), (expected.Test!, actual.Test!)])
        {
            Assert.Equal(left.Labels, right.Labels);
            Assert.Equal(left.Values, right.Values);
            Assert.Equal((left.Rows, left.Features.Columns), (right.Rows, right.Features.Columns));
            var count = left.Rows * left.Features.Columns;
            Assert.Equal(left.Features.All()[..count], right.Features.All()[..count]);
        }
    }
}
