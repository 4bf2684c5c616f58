using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Models;

public sealed class BoundaryTests(Service service)
{
    [Fact]
    public async Task Each_cell_is_what_the_net_says_in_its_middle_and_rows_of_both_splits_lie_over_it()
    {
        var job = await service.Http.TrainAsync("""{"dataset": "moons", "training": {"epochs": 3}}""");
        var plane = await service.Http.GetAnswer($"{job.Path()}/boundary?resolution=16");
        Assert.True(plane.Status == 200, plane.Text);
        var asked = await service.Http.AskAsync(job.Path(), new
        {
            inputs = Enumerable.Range(0, 256).Select(cell => new Dictionary<string, double>
            {
                ["x"] = Middle(plane["x"], cell % 16),
                ["y"] = Middle(plane["y"], cell / 16),
            }),
        });
        var classes = plane["classes"].EnumerateArray().Select(c => c.GetString()!).ToList();
        Assert.Equal(asked["labels"].EnumerateArray().Select(label => classes.IndexOf(label.GetString()!)),
            plane["labels"].EnumerateArray().Select(label => label.GetInt32()));
        Assert.Equal(asked["outputs"].EnumerateArray().Select(row => Math.Round(row.EnumerateArray().Max(p => p.GetDouble()), 3)),
            plane["certainty"].EnumerateArray().Select(p => p.GetDouble()));
        Assert.Empty(plane["held"].EnumerateArray());
        var points = plane["points"].EnumerateArray().ToList();
        Assert.InRange(points.Count, 500, 600);
        Assert.InRange(points.Count(point => point.GetProperty("isTest").GetBoolean()), 100, 200);
        Assert.All(points, point => Assert.True(point.GetProperty("x").GetDouble() > plane["x"].GetProperty("low").GetDouble()));
    }

    [Fact]
    public async Task Other_features_are_held_where_most_rows_are()
    {
        var job = await service.Http.TrainAsync("""{"dataset": "penguins", "training": {"epochs": 1}}""");
        var plane = await service.Http.GetAnswer($"{job.Path()}/boundary?x=body_mass_g&y=bill_depth_mm&resolution=8");
        Assert.Equal(("body_mass_g", "bill_depth_mm"),
            (plane["x"].GetProperty("feature").GetString(), plane["y"].GetProperty("feature").GetString()));
        var held = plane["held"].EnumerateArray().ToDictionary(one => one.GetProperty("feature").GetString()!,
            one => one.GetProperty("value"));
        Assert.Equal(4, held.Count);
        Assert.Equal("Biscoe", held["island"].GetString());
        Assert.InRange(held["bill_length_mm"].GetDouble(), 42, 47);
        foreach (var (query, place, message) in ((string, string, string)[])[("x=sex", "/x", "is a category"),
            ("y=body_mas_g", "/y", "did you mean 'body_mass_g'"), ("x=body_mass_g&y=body_mass_g", "/y", "another feature")])
        {
            var refused = await service.Http.GetAnswer($"{job.Path()}/boundary?{query}");
            Assert.Contains(message, refused.Error(place), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Numbers_are_told_in_the_targets_unit_and_images_are_refused()
    {
        var job = await service.Http.TrainAsync("""{"dataset": "friedman1", "training": {"epochs": 3}}""");
        var plane = await service.Http.GetAnswer($"{job.Path()}/boundary?x=x4&resolution=8");
        var values = plane["values"].EnumerateArray().Select(value => value.GetDouble()).ToList();
        Assert.Equal(64, values.Count);
        // y grows with 10 x4
        Assert.True(values[7] > values[0], plane.Text);
        Assert.All(plane["points"].EnumerateArray(), point => Assert.True(point.GetProperty("value").GetDouble() is > -5 and < 40));
        var digits = await service.Http.TrainAsync("""{"dataset": "digits", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}}""");
        (await service.Http.GetAnswer($"{digits.Path()}/boundary")).MustBeProblem(409, "conflict");
    }

    private static double Middle(JsonElement axis, int cell)
    {
        var (low, high) = (axis.GetProperty("low").GetDouble(), axis.GetProperty("high").GetDouble());
        return low + (high - low) * (cell + 0.5) / 16;
    }
}
