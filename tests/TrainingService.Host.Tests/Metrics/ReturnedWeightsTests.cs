using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Metrics;

/// <summary>After early stopping, all that is stored of layers, units and findings is of the weights that are returned.</summary>
public sealed class ReturnedWeightsTests(Service service)
{
    // 23 steps an epoch, and a rate at which it soon learns its rows by heart
    private const string Data = """
        "dataset": {"name": "gaussian_clusters", "maxTrainExamples": 360}, "model": {"hiddenLayers": [64, 32]}
        """;

    private static string Training(int epochs, string stopping) => $$"""
        "training": {"epochs": {{epochs}}, "batchSize": 16, "optimizer": {"name": "sgd", "learningRate": 0.1},
                     "earlyStopping": {{stopping}} },
        "diagnostics": {"everySteps": 10}
        """;

    [Fact]
    public async Task Layers_units_and_findings_are_those_of_a_run_that_ends_at_the_best_epoch()
    {
        var stopped = await RunAsync(Training(40, """{"patience": 4}"""));
        var result = stopped.GetProperty("result");
        var best = result.GetProperty("bestEpoch").GetInt32();
        Assert.InRange(best, 1, 35);
        Assert.Equal(23 * best, result.GetProperty("weightsStep").GetInt32());
        Assert.Equal(23 * (best + 4), stopped.GetProperty("progress").GetProperty("step").GetInt32());

        var whole = await RunAsync(Training(best, "null"));
        Assert.Equal(whole.GetProperty("result").GetProperty("weightsSha256").GetString(), result.GetProperty("weightsSha256").GetString());
        foreach (var what in (string[])["layers", "layers/0/units?limit=500", "layers/1/units?limit=500", "layers/2/units?limit=500"])
            Assert.Equal((await service.Http.GetAnswer($"/api/v1/jobs/{whole.Text("id")}/{what}")).Text,
                (await service.Http.GetAnswer($"/api/v1/jobs/{stopped.Text("id")}/{what}")).Text);
        var findings = await service.Http.GetAnswer($"/api/v1/jobs/{stopped.Text("id")}/findings");
        Assert.All(findings["items"].EnumerateArray(), f => Assert.True(f.GetProperty("step").GetInt64() <= 23 * best, f.ToString()));

        // the losses tell of all epochs
        await using var db = service.NewDbContext();
        var id = Guid.Parse(stopped.Text("id"));
        Assert.Equal(23 * (best + 4), await db.Metrics.Where(m => m.JobId == id).MaxAsync(m => m.Step, Cancel));
        Assert.Equal(result.GetProperty("storedRows").GetInt64(), await db.Metrics.CountAsync(m => m.JobId == id, Cancel)
            + await db.Layers.CountAsync(l => l.JobId == id, Cancel));
    }

    [Fact]
    public async Task Sweeps_compare_the_layers_of_the_returned_weights()
    {
        var sweep = await service.Http.SubmitSweep($$"""
            {"base": { {{Data}}, {{Training(30, """{"patience": 2}""")}} }, "arms": {{SweepClient.ReluAndTanh}}, "seeds": [1],
             "metric": "offRate"}
            """);
        await service.Http.WaitForSweepEnd(sweep);
        var arm = (await service.Http.GetReport(sweep)).List("arms")[0];
        var job = (await service.Http.SweepJobs(sweep)).Single(j => j.GetProperty("spec").GetProperty("model").ToString()
            .Contains("relu", StringComparison.Ordinal));
        Assert.NotEqual(job.GetProperty("progress").GetProperty("step").GetInt64(),
            job.GetProperty("result").GetProperty("weightsStep").GetInt64());
        var layers = (await service.Http.GetAnswer($"/api/v1/jobs/{job.Text("id")}/layers"))["layers"];
        double Last(int layer) => layers[layer].GetProperty("series").GetProperty("offRate").EnumerateArray().Last()[2].GetDouble();
        Assert.Equal((64 * Last(0) + 32 * Last(1)) / 96, arm.GetProperty("mean").GetDouble(), 1e-6);
    }

    /// <summary>Also when a commit went through of which the writer did not hear.</summary>
    [Fact]
    public async Task Rows_that_are_taken_back_go_and_are_not_counted()
    {
        var id = await service.Http.SubmitAsync();
        await service.Http.WaitForEndAsync(id);
        await using var db = service.NewDbContext();
        await db.Database.OpenConnectionAsync(Cancel);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        foreach (var metric in new[] { false, true })
        {
            var from = metric ? 20_000 : 10_000;
            var writer = new MetricWriter(Cancel);
            writer.Add([Point(from, 1), Point(from + 10, 1), Point(from + 20, 1)]);
            await MetricWriter.CopyAsync(connection, [(id, writer, false)]);
            writer.Forget();
            writer.Add([Point(from + 25, 1), Point(from + 30, 1)]);
            if (metric)
                writer.Add(new MetricPoint { Step = from + 30, Epoch = 0, Split = Split.Validation, Loss = 1 });
            writer.Return(from + 10);
            writer.Add([Point(from + 10, 2)]);
            // not before the end: a run that goes on from a checkpoint needs all up to there
            await MetricWriter.CopyAsync(connection, [(id, writer, false)]);
            Assert.Equal(5, await db.Layers.CountAsync(l => l.JobId == id && l.Step >= from, Cancel));
            await MetricWriter.CopyAsync(connection, [(id, writer, true)]);
            await MetricWriter.CopyAsync(connection, [(id, writer, true)]);
            writer.Forget();
            Assert.Equal([(from, 1f), (from + 10, 2f)], (await db.Layers.Where(l => l.JobId == id && l.Step >= from)
                .OrderBy(l => l.Step).ToListAsync(Cancel)).Select(l => ((int)l.Step, l.Sparsity)));
            Assert.Equal(metric ? 3 : 2, writer.Measured);
            await db.Layers.Where(l => l.JobId == id && l.Step >= from).ExecuteDeleteAsync(Cancel);
        }

        static LayerPoint Point(long step, float sparsity) => new() { Step = step, Epoch = 0, Layer = 0, Sparsity = sparsity };
    }

    private async Task<System.Text.Json.JsonElement> RunAsync(string training)
    {
        var answer = await service.Http.Send("POST", "/api/v1/jobs", $"{{ {Data}, {training} }}");
        Assert.True(answer.Status == 202, answer.Text);
        return await service.Http.WaitForEndAsync(Guid.Parse(answer.Id));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
