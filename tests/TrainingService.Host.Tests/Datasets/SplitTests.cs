using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TrainingService.Engine.Data;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Which rows a job trains, validates and tests on. Rows are told apart by their features, unscaled.</summary>
public sealed class SplitTests
{
    private static readonly DatasetRegistry Registry = new("/nowhere");

    public static TheoryData<string> Names =>
        [.. Registry.All.Where(dataset => dataset is not MnistFamily).Select(dataset => dataset.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Load_has_the_shape_that_Resolve_promised(string name)
    {
        foreach (var (fraction, most) in new (double, int?)[]
        {
            (0, null), (0.1, null), (0.33, 40), (0.9, null), (0.9, 10_000), (1e-9, null),
        })
        {
            var errors = new List<SpecError>();
            var resolved =
                Registry.Resolve(new() { Name = name, ValidationFraction = fraction, MaxTrainExamples = most }, 3, errors)!.Value;
            Assert.Empty(errors);
            var data = Registry.Load(resolved.Spec, 3);
            Assert.Equal(resolved.Shape, data.Shape);
            Assert.Equal(fraction == 0, data.Validation == null);
            AssertRows(data.Shape.TrainRows, data.Train);
            AssertRows(data.Shape.TestRows, data.Test!);
            if (fraction > 0)
                AssertRows(data.Shape.ValidationRows, data.Validation!);

            void AssertRows(int rows, DataSplit split) =>
                Assert.Equal((rows, rows * data.Shape.Features, data.Shape.Classes > 0 ? rows : 0, data.Shape.Classes > 0 ? 0 : rows),
                    (split.Rows, split.Features.All().Length, split.Labels.Length, split.Values.Length));
        }
    }

    [Theory]
    [InlineData("digits", 1293, 144, 360)]
    [InlineData("iris", 108, 12, 30)]
    [InlineData("penguins", 247, 28, 69)]
    [InlineData("friedman1", 1440, 160, 400)]
    public void A_fifth_is_for_the_test_and_a_tenth_of_the_rest_for_validation(string name, int train, int validation, int test)
    {
        var shape = Registry.Resolve(new() { Name = name }, 1, [])!.Value.Shape;
        Assert.Equal((train, validation, test), (shape.TrainRows, shape.ValidationRows, shape.TestRows));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Splits_are_disjoint_and_cover_all_rows(string name)
    {
        var dataset = Registry.Find(name)!;
        var data = Load(name, 5);
        var all = Rows(data.Train).Concat(Rows(data.Validation!)).Concat(Rows(data.Test!)).Order(StringComparer.Ordinal).ToArray();
        // The same medians as the job's: what is imputed depends on the training rows.
        var train = StratifiedOrder.Of(dataset.Split().Train, dataset.Read().Labels, 5)[data.Shape.ValidationRows..];
        var raw = new EncodedRows(dataset.Read(), new FeatureEncoder(dataset, train, standardize: false),
            [.. Enumerable.Range(0, dataset.Read().Rows)]).All();
        Assert.Equal(Rows(raw, dataset.Read().Rows).Order(StringComparer.Ordinal), all);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_split_has_the_classes_in_proportion(string name)
    {
        var dataset = Registry.Find(name)!;
        var data = Load(name, 5);
        Assert.All([data.Train, data.Validation!, data.Test!], split => AssertProportional(dataset, split.Labels));
        // Every stretch of the training rows too: who measures on the first ones measures on all classes.
        AssertProportional(dataset, data.Train.Labels[..(data.Train.Labels.Length / 3)]);

        static void AssertProportional(Dataset dataset, int[] labels)
        {
            for (var label = 0; label < dataset.ClassCounts.Count; label++)
                Assert.InRange(
                    labels.Count(l => l == label) - (double)labels.Length * dataset.ClassCounts[label] / dataset.Read().Rows, -1.5, 1.5);
        }
    }

    [Fact]
    public void Test_rows_are_the_same_for_every_job_and_validation_rows_are_drawn_by_its_seed()
    {
        var (one, other) = (Load("digits", 1), Load("digits", 2));
        Assert.Equal(one.Test!.Features.All(), other.Test!.Features.All());
        Assert.NotEqual(Rows(one.Validation!).Order(), Rows(other.Validation!).Order());
        Assert.Equal(Rows(one.Validation!).Order(), Rows(Load("digits", 1, most: 100).Validation!).Order());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Test_rows_per_seed_are_as_many_drawn_from_all_and_the_same_whatever_else_is_asked(string name)
    {
        var dataset = Registry.Find(name)!;
        var seen = new HashSet<int>();
        for (var seed = 1; seed <= 40; seed++)
        {
            var (train, test) = (dataset.Split(seed).Train, dataset.Split(seed).Test);
            Assert.Equal((dataset.TrainRows, dataset.TestRows), (train.Length, test.Length));
            Assert.Equal(Enumerable.Range(0, dataset.Read().Rows), train.Concat(test).Order());
            for (var label = 0; label < dataset.ClassCounts.Count; label++)
                Assert.InRange(test.Count(row => dataset.Read().Labels[row] == label)
                    - (double)test.Length * dataset.ClassCounts[label] / dataset.Read().Rows, -1.5, 1.5);
            seen.UnionWith(test);
        }
        // All but the few that 40 draws of a fifth miss, and rows of which each class keeps one: (4/5)^40 is 1 in 7,500.
        Assert.InRange(seen.Count, 0.99 * dataset.Read().Rows, dataset.Read().Rows);

        var (one, other) = (Load(name, 1, split: TestSplit.PerSeed), Load(name, 2, split: TestSplit.PerSeed));
        Assert.NotEqual(Rows(one.Test!).Order(), Rows(other.Test!).Order());
        Assert.Equal(one.Test!.Labels, Load(name, 1, most: 30, split: TestSplit.PerSeed).Test!.Labels);
        Assert.Equal(one.Shape, Load(name, 1).Shape);
        if (dataset.Read().HasMissing)
            return;
        Assert.Equal(Rows(one.Test!), Rows(Load(name, 1, most: 30, split: TestSplit.PerSeed).Test!));
        var all = Rows(one.Train).Concat(Rows(one.Validation!)).Concat(Rows(one.Test!));
        var fixedOnes = Load(name, 1);
        Assert.Equal(Rows(fixedOnes.Train).Concat(Rows(fixedOnes.Validation!)).Concat(Rows(fixedOnes.Test!)).Order(StringComparer.Ordinal),
            all.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Fewer_training_rows_are_the_first_of_more()
    {
        var all = Rows(Load("digits", 4).Train);
        foreach (var most in new[] { 10, 11, 100, 500, 1292 })
        {
            var some = Load("digits", 4, most).Train;
            Assert.Equal(all[..most], Rows(some));
            Assert.Equal(10, some.Labels.Distinct().Count());
        }
    }

    [Fact]
    public void Every_class_is_trained_on_even_a_rare_one()
    {
        var registry = new DatasetRegistry([Tables.Labelled([.. Enumerable.Repeat("common", 50), "pair", "pair", "single"])], new());
        for (var seed = 0; seed < 20; seed++)
        {
            var data = registry.Load(registry.Resolve(new() { Name = "made", ValidationFraction = 0.9 }, seed, [])!.Value.Spec, seed);
            Assert.Equal([0, 1, 2], data.Train.Labels.Distinct().Order());
        }
    }

    // Both hashes were computed by another program in another language, from the description of the method.
    [Fact]
    public void Splits_are_the_same_on_every_machine()
    {
        var order = StratifiedOrder.Of([.. Enumerable.Range(0, 1000)], [.. Enumerable.Range(0, 1000).Select(i => i * i % 7)], 42);
        Assert.Equal("caf7c4ce324f43847aaf29d6f9b6953f606810b286132218a0d3daa0a25a91b6", Sha256(MemoryMarshal.AsBytes<int>(order)));
        // The generator's published outputs for seed 0.
        var random = new SplitMix64(0);
        Assert.Equal([0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F], new[] { random.Next(), random.Next(), random.Next() });
    }

    [Fact]
    public void Prepared_data_is_the_same_bit_for_bit()
    {
        var data = new DatasetRegistry("/nowhere").Load(new() { Name = "penguins", ValidationFraction = 0.1, Standardize = true }, 1);
        Assert.Equal("04ed6a022730114d3672c8786815f639cd54ade5670b74131c21937127ba3f2d",
            Sha256(MemoryMarshal.AsBytes<float>(data.Train.Features.All())));
    }

    [Fact]
    public void Next_is_uniform()
    {
        var random = new SplitMix64(9);
        var counts = new int[6];
        for (var i = 0; i < 60_000; i++)
            counts[random.Next(6)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_600, 10_400));
    }

    private static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static TrainingData Load(string name, long seed, int? most = null, TestSplit? split = null) => Registry.Load(Registry.Resolve(
        new() { Name = name, MaxTrainExamples = most, Standardize = false, TestSplit = split }, seed, [])!.Value.Spec, seed);

    private static string[] Rows(DataSplit split) => Rows(split.Features.All(), split.Rows);

    private static string[] Rows(float[] features, int rows) =>
        [.. features.Chunk(features.Length / rows).Select(row => string.Join(' ', row))];
}
