using TrainingService.Engine.Data;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>The content of the data sets that are always there.</summary>
public sealed class BuiltInTests
{
    private static readonly DatasetRegistry Registry = new("/nowhere");

    [Theory]
    [InlineData("breast_cancer", 569, 30, new[] { 212, 357 },
        "c528580bfcb31a91356cca65c552eab575b91cec3529b03f13500788c7002b54")]
    [InlineData("digits", 1797, 64, new[] { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 },
        "592cc047d0a1cc7fdef9fd724514209dcb45a80aa147dc3ab375e3e1a9a380f4")]
    [InlineData("iris", 150, 4, new[] { 50, 50, 50 },
        "b6b8efc86732bc48c9fbddba53e2c191fd4f263c0ee98e2b1b7d3543e8d2121d")]
    [InlineData("penguins", 344, 6, new[] { 152, 68, 124 },
        "d61393e5e4aab6a0bd16706a76883933e57c81998e383b2db7464dfcf3bbbf9f")]
    [InlineData("wine", 178, 13, new[] { 59, 71, 48 },
        "0b1878a85c7319cb85c8f5eed4731bac48b130b99bb19169c8ac7f55fbc984f7")]
    [InlineData("friedman1", 2000, 10, new int[0],
        "9d229c1ce72bb731f153649c40973cf8252a8a319ab81738b634a8cabe876ba0")]
    [InlineData("gaussian_clusters", 2000, 16, new[] { 250, 250, 250, 250, 250, 250, 250, 250 },
        "ad54a7db72d6164f0748639be884aacaa7ad65166a6e63994b966cf1a1f892c2")]
    [InlineData("moons", 2000, 2, new[] { 1000, 1000 },
        "370c0cab1280cee660fb913ba52d657f6609039b38db1669b6dd8e4ea4a6d03c")]
    [InlineData("spirals", 1500, 2, new[] { 500, 500, 500 },
        "684ac8038ffbcbe48f50739898a8bba90047b281a769ad3a5c7b6d87849c39c4")]
    public void Has_the_rows_features_and_classes_it_should_have(string name, int rows, int features, int[] classes, string sha256)
    {
        var dataset = Registry.Find(name)!;
        Assert.Equal(rows, dataset.Read().Rows);
        Assert.Equal(rows, dataset.TrainRows + dataset.TestRows);
        Assert.Equal(features, dataset.Columns.Count);
        Assert.Equal(classes, dataset.ClassCounts);
        Assert.Equal(sha256, dataset.Sha256);
        Assert.Equal(0, dataset.DroppedRows);
        Assert.Null(dataset.FindObstacle());
    }

    [Theory]
    [InlineData("breast_cancer", new[] { 17.99, 10.38, 122.8, 1001, 0.1184 }, "malignant")]
    [InlineData("digits", new[] { 0.0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15 }, "0")]
    [InlineData("iris", new[] { 5.1, 3.5, 1.4, 0.2 }, "setosa")]
    [InlineData("penguins", new[] { 2, 39.1, 18.7, 181, 3750, 1 }, "Adelie")]
    [InlineData("wine", new[] { 14.23, 1.71, 2.43, 15.6, 127 }, "class_0")]
    public void Has_its_known_first_row(string name, double[] cells, string label)
    {
        var dataset = Registry.Find(name)!;
        var row = new double[dataset.Columns.Count];
        dataset.Read().ReadRow(0, row);
        Assert.Equal(cells, row[..cells.Length]);
        Assert.Equal(label, dataset.Card.Classes[dataset.Read().Labels[0]]);
    }

    [Fact]
    public void Penguins_lack_two_rows_of_measurements_and_eleven_sexes()
    {
        var dataset = Registry.Find("penguins")!;
        var missing = dataset.Columns.Zip(dataset.Statistics).ToDictionary(pair => pair.First.Name, pair => pair.Second.Missing);
        Assert.Equal(new()
        {
            ["island"] = 0,
            ["bill_length_mm"] = 2,
            ["bill_depth_mm"] = 2,
            ["flipper_length_mm"] = 2,
            ["body_mass_g"] = 2,
            ["sex"] = 11,
        }, missing);
        Assert.Equal(9, dataset.EncodedFeatures);
    }

    [Fact]
    public void Statistics_are_those_of_the_column()
    {
        var length = Registry.Find("iris")!.Statistics[0];
        Assert.Equal((0, 4.3, 7.9), (length.Missing, length.Min, length.Max));
        Assert.Equal(5.843333, length.Mean!.Value, 6);
    }

    [Fact]
    public void Friedman1_follows_its_formula_with_unit_noise()
    {
        var table = Registry.Find("friedman1")!.Read();
        var (x, noise) = (new double[10], new double[table.Rows]);
        for (var row = 0; row < table.Rows; row++)
        {
            table.ReadRow(row, x);
            Assert.All(x, value => Assert.InRange(value, 0, 1));
            noise[row] = table.Values[row] - (10 * Math.Sin(Math.PI * x[0] * x[1]) + 20 * Math.Pow(x[2] - 0.5, 2) + 10 * x[3] + 5 * x[4]);
        }
        // Four standard errors: 4 / sqrt(2000) and 4 / sqrt(2 * 2000).
        Assert.InRange(noise.Average(), -0.09, 0.09);
        Assert.InRange(Math.Sqrt(noise.Average(e => e * e)), 0.936, 1.064);
    }

    [Theory]
    [InlineData("x,target\na,1\n", "line 2: 'a' is not a finite number")]
    [InlineData("x,target\n1,1\nNaN,1\n", "line 3: 'NaN' is not a finite number")]
    [InlineData("x,target\n1,2\n", "line 2: '2' is none of 1")]
    [InlineData("x,target\n1,2,3\n", "line 2: 3 fields instead of 2")]
    [InlineData("x,y\n1,2\n", "no column 'target'")]
    public void A_wrong_file_is_refused_with_the_line(string csv, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Tables.Csv(csv, ["1"]).Read()).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Rows_without_a_target_are_dropped_and_counted()
    {
        var dataset = Tables.Labelled("a", "", "b", "b", "", "a");
        Assert.Equal((4, 2), (dataset.Read().Rows, dataset.DroppedRows));
        var row = new double[1];
        dataset.Read().ReadRow(1, row);
        Assert.Equal(2, row[0]);
        Assert.Equal([0, 1, 1, 0], dataset.Read().Labels);
    }

    [Fact]
    public void Registry_lists_all_by_name()
    {
        Assert.Equal(["breast_cancer", "digits", "fashion-mnist", "friedman1",
            "gaussian_clusters", "iris", "kmnist", "mnist", "moons", "penguins", "spirals", "wine"],
            Registry.All.Select(dataset => dataset.Name));
        Assert.All(Registry.All,
            dataset => Assert.Equal(dataset.Name == "friedman1" ? TargetKind.Number : TargetKind.Classes, dataset.TargetKind));
        Assert.All(Registry.All.SelectMany(dataset => dataset.Columns),
            column => Assert.Equal(column.Categories?.Order(StringComparer.Ordinal), column.Categories));
    }
}
