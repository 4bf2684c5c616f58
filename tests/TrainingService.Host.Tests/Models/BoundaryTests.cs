using System.Text.Json;
using Microsoft.EntityFrameworkCore;
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

    /// <summary>What is told of a moment is what a run is that ends there; with adam's constant rate nothing else differs.</summary>
    [Theory]
    [InlineData("moons")]
    [InlineData("friedman1")]
    public async Task Frames_are_the_net_on_its_way(string dataset)
    {
        var four = await service.Http.TrainAsync($$"""{"dataset": "{{dataset}}", "training": {"epochs": 4} }""");
        var plane = await service.Http.GetAnswer($"{four.Path()}/boundary?frames=3&resolution=16");
        Assert.True(plane.Status == 200, plane.Text);
        var frames = plane["frames"].EnumerateArray().ToList();
        var steps = four.GetProperty("progress").GetProperty("steps").GetInt64();
        Assert.Equal([0, steps / 4, steps], frames.Select(frame => frame.GetProperty("step").GetInt64()));
        Assert.Equal([0, 1, 4], frames.Select(frame => frame.GetProperty("epoch").GetDouble()));
        var one = await service.Http.TrainAsync($$"""{"dataset": "{{dataset}}", "training": {"epochs": 1} }""");
        var after = await service.Http.GetAnswer($"{one.Path()}/boundary?resolution=16");
        Assert.Equal((steps / 4, steps), (after["step"].GetInt64(), plane["step"].GetInt64()));
        foreach (var field in dataset == "moons" ? (string[])["labels", "certainty"] : ["values"])
        {
            Assert.Equal(plane[field].GetRawText(), frames[2].GetProperty(field).GetRawText());
            Assert.Equal(after[field].GetRawText(), frames[1].GetProperty(field).GetRawText());
            Assert.NotEqual(frames[0].GetProperty(field).GetRawText(), frames[1].GetProperty(field).GetRawText());
        }
    }

    /// <summary>What early stopping returned to is the end, and nothing beyond it is shown.</summary>
    [Fact]
    public async Task Frames_end_with_the_weights_that_are_kept()
    {
        var job = await service.Http.TrainAsync("""
            {"dataset": "moons", "training": {"epochs": 200, "optimizer": {"name": "adam", "learningRate": 0.05},
             "earlyStopping": {"patience": 2}}}
            """);
        var kept = job.GetProperty("result").GetProperty("weightsStep").GetInt64();
        var plane = await service.Http.GetAnswer($"{job.Path()}/boundary?frames=24&resolution=8");
        Assert.True(plane.Status == 200, plane.Text);
        Assert.InRange(kept, 1, job.GetProperty("progress").GetProperty("step").GetInt64() - 1);
        var frames = plane["frames"].EnumerateArray().ToList();
        Assert.Equal((kept, plane["labels"].GetRawText()),
            (frames[^1].GetProperty("step").GetInt64(), frames[^1].GetProperty("labels").GetRawText()));
        Assert.Equal(frames.Count, frames.Select(frame => frame.GetProperty("step").GetInt64()).Distinct().Count());
    }

    [Fact]
    public async Task Frames_that_cannot_be_had_are_refused()
    {
        var large = await service.Http.TrainAsync(
            """{"dataset": "moons", "model": {"hiddenLayers": [1000, 1000]}, "training": {"epochs": 1}}""");
        var tooLarge = await service.Http.GetAnswer($"{large.Path()}/boundary?frames=2");
        tooLarge.MustBeProblem(409, "conflict");
        Assert.Contains("1,006,002 parameters", tooLarge.Text, StringComparison.Ordinal);
        Assert.Equal(200, (await service.Http.GetAnswer($"{large.Path()}/boundary?resolution=8")).Status);

        var other = await service.Http.TrainAsync("""{"dataset": "moons", "training": {"epochs": 1}}""");
        await using (var db = service.NewDbContext())
        {
            var id = other.GetProperty("id").GetGuid();
            await db.Database.ExecuteSqlAsync(
                $"""UPDATE jobs SET result = jsonb_set(result, ARRAY['weightsSha256'], '"0"') WHERE id = {id}""",
                TestContext.Current.CancellationToken);
        }
        var differs = await service.Http.GetAnswer($"{other.Path()}/boundary?frames=2");
        differs.MustBeProblem(409, "conflict");
        Assert.Contains("can't be repeated to the same bits", differs.Text, StringComparison.Ordinal);
        foreach (var count in (int[])[1, 25])
            Assert.Contains("from 2 to 24", (await service.Http.GetAnswer($"{other.Path()}/boundary?frames={count}")).Error("/frames"),
                StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_goes_on_is_asked_at_its_newest_checkpoint()
    {
        var job = await service.Http.PostJob("""{"dataset": "moons", "training": {"epochs": 100000}}""");
        var (id, path) = (Guid.Parse(job.Id), $"/api/v1/jobs/{job.Id}");
        await service.Http.WaitForAsync(id, now => now.Step() > 1000);
        await service.Http.Send("POST", $"{path}/pause");
        var paused = await service.Http.WaitForAsync(id, now => now.Status() == "paused");
        var plane = await service.Http.GetAnswer($"{path}/boundary?resolution=64");
        Assert.True(plane.Status == 200, plane.Text);
        Assert.Equal(paused.Step(), plane["step"].GetInt64());
        // by now it knows the moons
        var labels = plane["labels"].EnumerateArray().Select(label => label.GetInt32()).ToList();
        var points = plane["points"].EnumerateArray().ToList();
        Assert.InRange(points.Count(point => labels[64 * Cell("y", point) + Cell("x", point)] == point.GetProperty("label").GetInt32()),
            0.85 * points.Count, points.Count);
        (await service.Http.GetAnswer($"{path}/boundary?frames=4")).MustBeProblem(409, "conflict");
        await service.Http.Send("POST", $"{path}/cancel");

        int Cell(string axis, JsonElement point)
        {
            var (low, high) = (plane[axis].GetProperty("low").GetDouble(), plane[axis].GetProperty("high").GetDouble());
            return (int)(64 * (point.GetProperty(axis).GetDouble() - low) / (high - low));
        }
    }

    private static double Middle(JsonElement axis, int cell)
    {
        var (low, high) = (axis.GetProperty("low").GetDouble(), axis.GetProperty("high").GetDouble());
        return low + (high - low) * (cell + 0.5) / 16;
    }
}
