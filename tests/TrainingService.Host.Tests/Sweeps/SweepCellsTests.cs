using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>A sweep as one table: a row a cell, with what was varied and what came of it.</summary>
public sealed class SweepCellsTests(Service service)
{
    /// <summary>Nobody looks at hundreds of curves, which would be most of what short cells write.</summary>
    [Theory, InlineData(3, "", 10), InlineData(101, "", 2), InlineData(101, """, "diagnostics": {"everySteps": 1}""", 19)]
    public async Task Cells_have_ten_points_a_curve_unless_they_are_very_many(int seeds, string diagnostics, int points)
    {
        var id = await service.Http.SubmitSweep($$"""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 9}{{diagnostics}} },
             "arms": {{SweepClient.ReluAndTanh}}, "seedCount": {{seeds}}}
            """);
        var sweep = await service.Http.WaitForSweepEnd(id);
        Assert.Equal(2 * seeds, sweep.Count("succeeded"));
        var job = (await service.Http.SweepJobs(id))[0].GetProperty("id").GetString();
        var layers = (await service.Http.GetAnswer($"/api/v1/jobs/{job}/layers")).Json.GetProperty("layers");
        Assert.All(layers.EnumerateArray(), layer =>
            Assert.Equal(points, layer.GetProperty("series").GetProperty("sparsity").GetArrayLength()));
    }

    [Fact]
    public async Task Every_cell_is_a_row_with_its_varied_fields_and_results()
    {
        var answer = await service.Http.Send("POST", "/api/v1/sweeps", """
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}},
             "arms": [{"name": "a, plain"}, {"name": "b", "patch": {"model": {"hiddenLayers": [6, 5],
                       "activation": {"name": "leaky_relu", "negativeSlope": 0.2}}}}],
             "tune": {"/training/optimizer/learningRate": [0.01, 0.1]}, "metric": "validationLoss", "seeds": [1, 2, 3]}
            """);
        Assert.True(answer.Status == 202, answer.Text);
        var path = $"/api/v1/sweeps/{answer.Id}";
        while ((await service.Http.GetAnswer(path))["status"].GetString() is "queued" or "running")
            await Task.Delay(50, TestContext.Current.CancellationToken);

        var lines = await service.Http.GetAnswer($"{path}/cells?format=ndjson");
        Assert.True(lines.Status == 200, lines.Text);
        var rows = lines.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToList();
        // two arms, three seeds, two rates and the one that was chosen
        Assert.Equal(18, rows.Count);
        foreach (var row in rows)
        {
            var b = row.GetProperty("arm").GetString() == "b";
            Assert.Equal(b ? "leaky_relu" : "relu", row.GetProperty("model.activation.name").GetString());
            Assert.Equal(b ? "[6,5]" : "[4]", row.GetProperty("model.hiddenLayers").GetString());
            Assert.Equal(b, row.TryGetProperty("model.activation.negativeSlope", out var slope));
            Assert.True(!b || slope.GetDouble() == 0.2);
            Assert.Contains(row.GetProperty("training.optimizer.learningRate").GetDouble(), (double[])[0.01, 0.1]);
            var job = await service.Http.GetJobAsync(Guid.Parse(row.GetProperty("jobId").GetString()!));
            Assert.Equal(job.GetProperty("result").GetProperty("testLoss").GetSingle(), (float)row.GetProperty("testLoss").GetDouble());
        }

        var csv = await service.Http.GetAnswer($"{path}/cells");
        Assert.Equal((200, "text/csv"), (csv.Status, csv.MediaType));
        var text = csv.Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(19, text.Length);
        Assert.Contains(text, line => line.StartsWith("\"a, plain\",1,", StringComparison.Ordinal)
            && line.Contains(",\"[4]\",", StringComparison.Ordinal) == false && line.Contains(",[4],", StringComparison.Ordinal));
        Assert.Contains(text, line => line.Contains(",\"[6,5]\",", StringComparison.Ordinal));
        var parquet = await service.Http.GetByteArrayAsync($"{path}/cells?format=parquet", TestContext.Current.CancellationToken);
        Assert.Equal("PAR1"u8, parquet.AsSpan(0, 4));
        (await service.Http.GetAnswer($"{path}/cells", ("Accept", "image/png"))).MustBeProblem(406, "not-acceptable");
    }
}
