using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

public sealed class MnistFamilyTests
{
    private static readonly string[] Files =
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];

    [Fact]
    public void Without_files_it_is_listed_and_says_how_to_get_them()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var (registry, errors) = (new DatasetRegistry(folder, "/nowhere/else"), new List<SpecError>());
        Assert.Null(registry.Resolve(new() { Name = "fashion-mnist" }, 1, errors));
        var error = Assert.Single(errors);
        Assert.Equal("/dataset/name", error.Pointer);
        Assert.Contains("apt-get install dataset-fashion-mnist", error.Message, StringComparison.Ordinal);
        Assert.Contains($"to {folder}/fashion-mnist", error.Message, StringComparison.Ordinal);
        var dataset = registry.Find("fashion-mnist")!;
        Assert.Equal((60_000, 10_000, 784), (dataset.TrainRows, dataset.TestRows, dataset.EncodedFeatures));
        var resolved = new DatasetSpec { Name = "fashion-mnist", ValidationFraction = 0.1, Standardize = true };
        Assert.Equal(error.Message, Assert.Throws<DatasetUnavailableException>(() => registry.Load(resolved, 1)).Message);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Other_or_incomplete_files_are_refused()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var dataset = Fashion(folder);
        folder = Directory.CreateDirectory(Path.Combine(folder, "fashion-mnist")).FullName;
        File.WriteAllBytes(Path.Combine(folder, Files[0]), [1, 2, 3]);
        Assert.Contains($"lacks {Files[1]}, {Files[2]}, {Files[3]}", dataset.FindObstacle(), StringComparison.Ordinal);
        foreach (var file in Files)
            File.WriteAllBytes(Path.Combine(folder, file), [1, 2, 3]);
        var message = $"{Path.Combine(folder, Files[0])} has the SHA-256 "
            + "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81 instead of b0564c3e";
        Assert.Contains(message, dataset.FindObstacle(), StringComparison.Ordinal);
        Assert.Throws<DatasetUnavailableException>(dataset.Read);
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [Fact]
    public void Class_counts_are_those_of_the_files()
    {
        var mnist = MnistFamily.All(["/nowhere"], new()).Single(dataset => dataset.Name == "mnist");
        Assert.Equal((70_000, 10), (mnist.ClassCounts.Sum(), mnist.ClassCounts.Count));
        Assert.Contains("datasets pull mnist", mnist.FindObstacle(), StringComparison.Ordinal);
        Assert.DoesNotContain("apt-get", mnist.FindObstacle(), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void With_files_it_has_the_official_split()
    {
        const string Installed = "/usr/share/datasets";
        var folder = Environment.GetEnvironmentVariable("TRAINING_TEST_DATASETS") ?? Installed;
        if (!Directory.Exists(Path.Combine(folder, "fashion-mnist")))
            Assert.Skip($"There is no {folder}/fashion-mnist: apt-get install dataset-fashion-mnist, "
                + "or set TRAINING_TEST_DATASETS to a folder that has its folder.");

        var registry = new DatasetRegistry("/nowhere", folder);
        var dataset = registry.Find("fashion-mnist")!;
        Assert.True(dataset.FindObstacle() == null, dataset.FindObstacle());
        var table = dataset.Read();
        Assert.Equal(70_000, table.Rows);
        Assert.All(table.Labels[..60_000].CountBy(label => label), count => Assert.Equal(6000, count.Value));
        Assert.All(table.Labels[60_000..].CountBy(label => label), count => Assert.Equal(1000, count.Value));
        // The first training image is an ankle boot, the first test image another.
        Assert.Equal((9, 9), (table.Labels[0], table.Labels[60_000]));
        Assert.Equal(72.94, dataset.Statistics.Average(pixel => pixel.Mean!.Value), 0.2);

        var (spec, shape) = registry.Resolve(new() { Name = "fashion-mnist" }, 1, [])!.Value;
        Assert.Equal(new(784, TargetKind.Classes, 10, 54_000, 6_000, 10_000) { RowBytes = 784 + 4 }, shape with { ClassNames = null });
        var data = registry.Load(spec, 1);
        Assert.Equal(shape, data.Shape);
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal((5400, 600, 1000),
            (data.Train.Labels.Count(l => l == label), data.Validation!.Labels.Count(l => l == label),
                data.Test!.Labels.Count(l => l == label))));
        Assert.Equal(table.Labels[60_000..], data.Test!.Labels);
        // rows stay numbers of the one table, whatever the seed
        Assert.Equal((54_000 * 4, 6_000 * 4, 10_000 * 4),
            (data.Train.Features.Bytes, data.Validation!.Features.Bytes, data.Test!.Features.Bytes));
        var features = data.Train.Features.All();
        var center = Enumerable.Range(0, data.Train.Rows).Select(row => (double)features[row * 784 + 400]).ToArray();
        Assert.Equal((0, 1), (Math.Round(center.Average(), 4), Math.Round(center.Average(v => v * v), 4)));
        Assert.True(features.All(float.IsFinite));
    }

    private static MnistFamily Fashion(string folder) =>
        MnistFamily.All([folder], new()).Single(dataset => dataset.Name == "fashion-mnist");
}
