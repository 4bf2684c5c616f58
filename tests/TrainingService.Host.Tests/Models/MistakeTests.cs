using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Models;

public sealed class MistakeTests(Service service)
{
    [Theory]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [16]}, "training": {"epochs": 2, "seed": 3}}""", "7")]
    [InlineData("""
        {"dataset": {"name": "penguins", "testSplit": "perSeed"},
         "training": {"epochs": 1, "seed": 5, "optimizer": {"name": "sgd", "learningRate": 0.001}}}
        """, "Chinstrap")]
    public async Task They_are_the_ones_that_the_confusion_matrix_counts_with_the_rows_as_they_are(string spec, string shown)
    {
        var job = await service.Http.TrainAsync(spec);
        var (path, result) = (job.Path() + "/mistakes", job.GetProperty("result"));
        var classes = result.GetProperty("perClass").EnumerateArray().Select(c => c.GetProperty("class").GetString()!).ToList();
        var all = await PagesAsync(path);
        var counted = classes.Select(_ => new int[classes.Count]).ToArray();
        foreach (var row in all)
            counted[classes.IndexOf(Text(row, "truth"))][classes.IndexOf(Text(row, "predicted"))]++;
        foreach (var (truth, row) in result.GetProperty("confusion").EnumerateArray().Index())
            foreach (var (predicted, count) in row.EnumerateArray().Index())
                Assert.Equal(truth == predicted ? 0 : count.GetInt32(), counted[truth][predicted]);
        Assert.NotEmpty(all);
        Assert.Equal(all.Count, all.DistinctBy(row => row.GetProperty("row").GetInt32()).Count());
        Assert.Equal(all.OrderByDescending(Certainty).Select(Certainty), all.Select(Certainty));

        // each is that row of the data set, and the net says of it what it says when it is asked
        var name = job.GetProperty("spec").GetProperty("dataset").GetProperty("name").GetString()!;
        var dataset = Kept.Datasets.Find(name)!;
        var labels = dataset.Read().Labels;
        Assert.All(all, row => Assert.Equal(dataset.Card.Classes[labels[row.GetProperty("row").GetInt32()]], Text(row, "truth")));
        var asked = await service.Http.AskAsync(job.Path(), new { inputs = all.Select(row => row.GetProperty("features")) });
        foreach (var (row, label, outputs) in all.Zip(asked["labels"].EnumerateArray(), asked["outputs"].EnumerateArray()))
        {
            Assert.Equal(label.GetString(), Text(row, "predicted"));
            Assert.Equal(outputs[classes.IndexOf(Text(row, "predicted"))].GetDouble(), Certainty(row));
            Assert.Equal(outputs[classes.IndexOf(Text(row, "truth"))].GetDouble(), row.GetProperty("truthCertainty").GetDouble());
        }

        // those of a cell, and of the other split
        Assert.Equal(all.Where(row => Text(row, "truth") == shown).Select(row => row.ToString()),
            (await PagesAsync($"{path}?truth={shown}")).Select(row => row.ToString()));
        Assert.Equal(all.Where(row => Text(row, "predicted") == shown).Select(row => row.ToString()),
            (await PagesAsync($"{path}?predicted={shown}")).Select(row => row.ToString()));
        var validation = await service.Http.GetAnswer($"{path}?split=validation&limit=500");
        Assert.Equal(result.GetProperty("validationAccuracy").GetSingle(),
            (float)(1 - validation["wrong"].GetInt32() / (double)validation["rows"].GetInt32()), 1e-6);
    }

    [Fact]
    public async Task What_can_not_be_told_is_said_why()
    {
        var number = await service.Http.TrainAsync("""{"dataset": "friedman1", "training": {"epochs": 1}}""");
        (await service.Http.GetAnswer($"{number.Path()}/mistakes")).MustBeProblem(409, "conflict");
        var thrown = await service.Http.TrainAsync("""{"dataset": "iris", "training": {"epochs": 1}, "storeWeights": false}""");
        var none = await service.Http.GetAnswer($"{thrown.Path()}/mistakes");
        none.MustBeProblem(409, "conflict");
        Assert.Contains("storeWeights", none["detail"].GetString(), StringComparison.Ordinal);
        var job = await service.Http.TrainAsync(
            """{"dataset": {"name": "iris", "validationFraction": 0}, "training": {"epochs": 1}}""");
        var wrong = await service.Http.GetAnswer($"{job.Path()}/mistakes?truth=setoza");
        Assert.Contains("did you mean 'setosa'", wrong.Error("/truth"), StringComparison.Ordinal);
        Assert.Contains("'test' or 'validation'", (await service.Http.GetAnswer($"{job.Path()}/mistakes?split=train")).Error("/split"),
            StringComparison.Ordinal);
        (await service.Http.GetAnswer($"{job.Path()}/mistakes?split=validation")).MustBeProblem(409, "conflict");
        (await service.Http.GetAnswer($"/api/v1/jobs/{Guid.CreateVersion7()}/mistakes")).MustBeProblem(404, "not-found");
    }

    private async Task<List<JsonElement>> PagesAsync(string path)
    {
        var (rows, next) = (new List<JsonElement>(), "");
        do
        {
            var page = await service.Http.GetAnswer($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit=7{next}");
            Assert.True(page.Status == 200, page.Text);
            rows.AddRange(page["items"].EnumerateArray());
            next = page["nextCursor"].GetString() is { } cursor ? $"&cursor={cursor}" : null;
            if (next is null)
                Assert.Equal(page["wrong"].GetInt32(), rows.Count);
        }
        while (next is not null);
        return rows;
    }

    private static string Text(JsonElement row, string field) => row.GetProperty(field).GetString()!;

    private static double Certainty(JsonElement row) => row.GetProperty("certainty").GetDouble();
}
