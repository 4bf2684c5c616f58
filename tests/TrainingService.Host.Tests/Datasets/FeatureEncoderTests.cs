using TrainingService.Engine.Data;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tests.Models;

namespace TrainingService.Host.Tests.Datasets;

public sealed class FeatureEncoderTests
{
    private static readonly Dictionary<string, string[]> Colors = new() { ["color"] = ["blue", "green", "red"] };

    /// <summary>Of the built-in ones none has a category, or a number that is nearly always the same, for which it is another.</summary>
    [Fact]
    public void Training_rows_get_mean_0_and_variance_1()
    {
        DatasetRegistry registry = new("/nowhere");
        foreach (var name in registry.All.Where(d => d.FindObstacle() is null && d.Card.Image is null).Select(d => d.Name))
        {
            var data = Load(registry, name);
            for (var feature = 0; feature < data.Shape.Features; feature++)
            {
                var column = Column(data.Train, feature, data.Shape.Features);
                Assert.Equal(0, column.Average(), 5);
                Assert.Equal(1, column.Average(v => v * v), 5);
            }
        }
    }

    /// <summary>Divided by their deviation, one row of 6,000 is 77 deviations away.</summary>
    [Theory, InlineData(1), InlineData(99), InlineData(100), InlineData(400), InlineData(1900), InlineData(1901), InlineData(1999)]
    public void What_is_rare_is_scaled_as_if_five_percent_of_the_rows_had_it(int reds)
    {
        const int Rows = 2000;
        var dataset = Tables.Csv("color,flag,month,target\n" + string.Concat(Enumerable.Range(0, Rows)
            .Select(row => $"{(row < reds ? "red" : "blue")},{(row < reds ? 0 : 1)},{(row < reds ? 6 : 4)},1\n")), categories: Colors);
        var rows = Enumerable.Range(0, Rows).ToArray();
        var encoded = Encode(dataset, rows, rows, standardize: true);
        var share = (double)reds / Rows;
        var one = Math.Min(1, Math.Sqrt(share * (1 - share) / (0.05 * 0.95)));
        // blue, green, red, and the numbers
        foreach (var (input, sign) in ((int, int)[])[(0, -1), (2, 1), (3, -1), (4, 1)])
        {
            double[] column = [.. encoded.Chunk(5).Select(row => (double)row[input])];
            Assert.Equal(0, column.Average(), 5);
            Assert.Equal(one, Math.Sqrt(column.Average(v => v * v)), 5);
            Assert.Equal(sign * one * Math.Sqrt((1 - share) / share), column[0], 4);
        }
    }

    [Fact]
    public void A_number_that_is_nearly_always_the_same_is_scaled_as_if_it_were_another_in_five_percent_of_the_rows()
    {
        // of 1,000 rows 10 are 1 or 3, and 100 in the second column
        var dataset = Tables.Csv("few,more,target\n" + string.Concat(Enumerable.Range(0, 1000)
            .Select(row => $"{(row < 10 ? 1 + row % 2 * 2 : 0)},{(row < 100 ? 1 + row % 2 * 2 : row < 500 ? "" : 0)},1\n")));
        var rows = Enumerable.Range(0, 1000).ToArray();
        var encoded = Encode(dataset, rows, rows, standardize: true).Chunk(2).ToArray();
        Assert.Equal(Math.Sqrt(0.01 * 0.99 / (0.05 * 0.95)), Math.Sqrt(encoded.Average(row => (double)row[0] * row[0])), 5);
        Assert.Equal(1, Math.Sqrt(encoded.Average(row => (double)row[1] * row[1])), 5);
    }

    /// <summary>As rides between 200 zones of a town, a few of them long: at the defaults.</summary>
    [Fact]
    public void A_regression_on_many_rare_categories_does_not_diverge()
    {
        var random = new SplitMix64(3);
        string[] zones = [.. Enumerable.Range(0, 200).Select(i => $"z{i}")];
        var csv = new System.Text.StringBuilder("from,to,distance,target\n");
        for (var row = 0; row < 4000; row++)
        {
            var (from, to) = (Zone(), Zone());
            // the rarer the zones the farther out
            var distance = 1 + (from + to) * (from + to) / 4000.0 + random.NextDouble();
            csv.Append(System.Globalization.CultureInfo.InvariantCulture,
                $"{zones[from]},{zones[to]},{distance:0.00},{3 + 2.5 * distance + random.NextDouble():0.00}\n");
        }
        var dataset = Tables.Csv($"{csv}", categories: new() { ["from"] = zones, ["to"] = zones });
        var (_, result) = Nets.Train("made", new(), new(), new([dataset], new()));
        Assert.True(result.TestR2 > 0.9, $"{result.TestR2}");

        int Zone() => (int)(200 * Math.Pow(random.NextDouble(), 4));
    }

    [Fact]
    public void Rare_pixels_are_divided_by_their_deviation()
    {
        var data = Load(new("/nowhere"), "digits");
        double[] powers = [.. Enumerable.Range(0, 64).Select(i => Column(data.Train, i, 64).Average(v => v * v)).Where(p => p > 0)];
        Assert.All(powers, power => Assert.Equal(1, power, 4));
        Assert.Contains(Enumerable.Range(0, 64), i => Column(data.Train, i, 64).Max() > 30);
    }

    [Fact]
    public void A_change_of_test_or_validation_rows_does_not_change_the_fit()
    {
        var (labels, random) = (Enumerable.Range(0, 60).Select(row => row % 2).ToArray(), new SplitMix64(1));
        var x = labels.Select(_ => random.NextDouble()).ToArray();
        var before = Load(new([Made(x)], new()), "made");
        var dataset = Made(x);
        var kept = Rows(before.Train).ToHashSet();

        // Every row that is not trained on becomes a million, the median and the moments with it if they looked there.
        var order = StratifiedOrder.Of(dataset.Split().Train, dataset.Read().Labels, seed: 1);
        foreach (var row in dataset.Split().Test.Concat(order[..before.Shape.ValidationRows]))
            x[row] = 1e6;
        var after = Load(new([Made(x)], new()), "made");

        Assert.Equal(kept, Rows(after.Train).ToHashSet());
        Assert.NotEqual(before.Test!.Features.All(), after.Test!.Features.All());
        Assert.NotEqual(before.Validation!.Features.All(), after.Validation!.Features.All());

        CsvDataset Made(double[] values) => Tables.Csv("x,y,target\n" + string.Concat(values.Select((v, row) =>
            FormattableString.Invariant($"{v:R},{(row % 5 == 0 ? "" : FormattableString.Invariant($"{v:R}"))},{labels[row]}\n"))),
            ["0", "1"]);
    }

    [Fact]
    public void Missing_numbers_become_the_median_of_the_training_rows()
    {
        var dataset = Tables.Csv("x,target\n1,1\n,1\n5,1\n2,1\n100,1\n1000,1\n");
        Assert.Equal([1, 3.5f, 5, 2], Encode(dataset, train: [0, 2, 3, 4], encode: [0, 1, 2, 3]));
        Assert.Equal([2], Encode(dataset, train: [0, 2, 3, 1], encode: [1]));
    }

    [Fact]
    public void The_median_is_the_middle_of_however_many_values_in_whatever_order()
    {
        var random = new SplitMix64(5);
        for (var rows = 2; rows < 60; rows++)
        {
            double[] values = [.. Enumerable.Range(0, rows).Select(_ => Math.Round(random.NextDouble() * (rows % 3 == 0 ? 4 : 1000)) - 2)];
            var dataset = Tables.Csv("x,target\n" + string.Concat(values.Select(v => FormattableString.Invariant($"{v},1\n"))) + ",1\n");
            double[] sorted = [.. values.Order()];
            Assert.Equal([(float)((sorted[(rows - 1) / 2] + sorted[rows / 2]) / 2)],
                Encode(dataset, train: [.. Enumerable.Range(0, rows)], encode: [rows]));
        }
    }

    [Fact]
    public void A_column_that_all_training_rows_miss_is_0()
    {
        var dataset = Tables.Csv("x,target\n,1\n,1\n5,1\n");
        Assert.Equal([0, 0, 0], Encode(dataset, train: [0, 1], encode: [0, 1, 2], standardize: true));
    }

    [Fact]
    public void Categories_become_one_input_each_and_missing_or_unseen_ones_are_all_0()
    {
        var dataset = Tables.Csv("color,target\nred,1\nblue,1\n,1\ngreen,1\n", categories: Colors);
        Assert.Equal(3, dataset.EncodedFeatures);
        Assert.Equal([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0], Encode(dataset, train: [0, 1, 2], encode: [0, 1, 2, 3]));
        Assert.Equal([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0], Encode(dataset, train: [0, 1, 2, 3], encode: [0, 1, 2, 3]));
    }

    [Fact]
    public void Categories_are_standardized_too_and_an_unseen_one_stays_0()
    {
        var dataset = Tables.Csv("color,target\nred,1\nblue,1\ngreen,1\n", categories: Colors);
        Assert.Equal([-1, 0, 1, 1, 0, -1, -1, 0, -1], Encode(dataset, train: [0, 1], encode: [0, 1, 2], standardize: true));
    }

    [Fact]
    public void A_feature_that_is_constant_on_the_training_rows_is_0_everywhere()
    {
        var dataset = Tables.Csv("x,target\n0.1,1\n0.1,1\n0.1,1\n7,1\n");
        Assert.Equal([0, 0, 0, 0], Encode(dataset, train: [0, 1, 2], encode: [0, 1, 2, 3], standardize: true));
        Assert.Equal([0.1f, 7], Encode(dataset, train: [0, 1, 2], encode: [2, 3]));
    }

    [Fact]
    public void Large_offsets_keep_their_variance()
    {
        // The one-pass formula E[x^2] - E[x]^2 loses all digits here.
        var dataset = Tables.Csv("x,target\n1000000001,1\n1000000002,1\n1000000003,1\n");
        var encoded = Encode(dataset, train: [0, 1, 2], encode: [0, 1, 2], standardize: true);
        Assert.Equal([-1.2247449f, 0, 1.2247449f], encoded);
    }

    [Fact]
    public void Pixels_are_divided_by_their_largest_value_and_targets_keep_their_unit()
    {
        var registry = new DatasetRegistry("/nowhere");
        var digits = Load(registry, "digits", standardize: false);
        Assert.Equal((0, 1), (digits.Train.Features.All().Min(), digits.Train.Features.All().Max()));
        var friedman = Load(registry, "friedman1");
        Assert.InRange(friedman.Train.Values.Average(), 14, 15);
    }

    [Fact]
    public void Penguins_are_encoded_without_gaps()
    {
        var data = Load(new("/nowhere"), "penguins");
        Assert.All([data.Train, data.Validation!, data.Test!],
            split => Assert.All(split.Features.All(), value => Assert.True(float.IsFinite(value))));
    }

    private static TrainingData Load(DatasetRegistry registry, string name, bool standardize = true) =>
        registry.Load(registry.Resolve(new() { Name = name, Standardize = standardize }, 1, [])!.Value.Spec, 1);

    private static float[] Encode(CsvDataset dataset, int[] train, int[] encode, bool standardize = false) =>
        new EncodedRows(dataset.Read(), new FeatureEncoder(dataset, train, standardize), encode).All();

    private static IEnumerable<double> Column(DataSplit split, int feature, int features) =>
        split.Features.All().Chunk(features).Select(row => (double)row[feature]);

    private static IEnumerable<string> Rows(DataSplit split) =>
        split.Features.All().Chunk(split.Features.Columns).Select(row => string.Join(' ', row));
}
