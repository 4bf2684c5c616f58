using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Metrics;

public sealed class UnitTests(Service service)
{
    [Fact]
    public async Task Units_agree_with_the_layer_and_tell_what_killed_them()
    {
        var id = await RunAsync("""
            {"dataset": "digits", "model": {"hiddenLayers": [128, 64]},
             "training": {"epochs": 20, "optimizer": {"name": "sgd", "learningRate": 1} },
             "diagnostics": {"everySteps": 20} }
            """);
        var layer = (await service.Http.GetAnswer($"/api/v1/jobs/{id}/layers"))["layers"][1].GetProperty("series");
        var units = (await PageAsync(id, 1, "?limit=500"))["items"].EnumerateArray().ToArray();
        Assert.Equal(Enumerable.Range(0, 64), units.Select(u => u.GetProperty("unit").GetInt32()));
        // all of them are dead, and which died when is what the curve says
        var died = layer.GetProperty("diedFraction").EnumerateArray()
            .Select(p => (Step: p[0].GetInt64(), Units: p[2].GetDouble() * 64)).ToArray();
        Assert.Equal(64, died[^1].Units);
        Assert.All(units, u => Assert.Equal(("dead", 0), (u.GetProperty("state").GetString(), u.GetProperty("activity").GetDouble())));
        Assert.All(died, p => Assert.Equal(p.Units, units.Count(u => u.GetProperty("diedAtStep").GetInt64() <= p.Step), 1e-3));
        Assert.All(units, u =>
        {
            Assert.Contains(u.GetProperty("cause").GetString(), (string[])["one_oversized_update", "bias_drift", "weights"]);
            Assert.StartsWith("fell from",
                u.GetProperty("causeSentence").GetString()!.Split("its largest z ")[1], StringComparison.Ordinal);
            Assert.True(u.GetProperty("lastActiveStep").GetInt64() <= u.GetProperty("diedAtStep").GetInt64());
        });
    }

    [Fact]
    public async Task Pages_follow_each_other()
    {
        var id = await RunAsync("""{"dataset": "digits", "model": {"hiddenLayers": [130]}, "training": {"epochs": 1} }""");
        var (seen, sizes, next) = (new List<int>(), new List<int>(), "");
        do
        {
            var page = await PageAsync(id, 0, next);
            Assert.Equal(("hidden1", "relu"), (page["name"].GetString(), page["activation"].GetString()));
            Assert.Equal(130, page["states"].EnumerateObject().Sum(s => s.Value.GetInt32()));
            sizes.Add(page["items"].GetArrayLength());
            seen.AddRange(page["items"].EnumerateArray().Select(u => u.GetProperty("unit").GetInt32()));
            next = page["nextCursor"].ValueKind is JsonValueKind.Null ? "" : $"?cursor={page["nextCursor"]}";
        }
        while (next != "");
        Assert.Equal(Enumerable.Range(0, 130), seen);
        Assert.Equal([50, 50, 30], sizes);
        Assert.Equal(130, (await PageAsync(id, 0, "?limit=100000"))["items"].GetArrayLength());
        (await PageAsync(id, 0, "?limit=0")).MustBeProblem(400, "validation");
        (await PageAsync(id, 0, "?cursor=nonsense")).MustBeProblem(400, "validation");
        (await PageAsync(id, 2)).MustBeProblem(404, "not-found");
        Assert.Contains("its layers are 0 to 1", (await PageAsync(id, 2))["detail"].GetString(), StringComparison.Ordinal);
        (await PageAsync(Guid.NewGuid(), 0)).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Units_of_a_job_that_diverged_and_of_one_that_was_canceled_are_there()
    {
        var diverged = await RunAsync("""
            {"dataset": "digits", "model": {"hiddenLayers": [8]}, "training": {"optimizer": {"name": "sgd", "learningRate": 1e30} } }
            """);
        Assert.Equal(8, (await PageAsync(diverged, 0))["items"].GetArrayLength());
        var canceled = await service.Http.SubmitAsync(Client.Hours);
        await service.Http.WaitForStepAsync(canceled);
        Assert.Equal(0, (await PageAsync(canceled, 0))["items"].GetArrayLength());
        await service.Http.Send("POST", $"/api/v1/jobs/{canceled}/cancel");
        await service.Http.WaitForEndAsync(canceled);
        Assert.Equal(50, (await PageAsync(canceled, 0))["items"].GetArrayLength());
    }

    private async Task<Guid> RunAsync(string spec)
    {
        var answer = await service.Http.PostJob(spec);
        Assert.True(answer.Status == 202, answer.Text);
        await service.Http.WaitForEndAsync(answer["id"].GetGuid());
        return answer["id"].GetGuid();
    }

    private Task<Answer> PageAsync(Guid id, int layer, string query = "") =>
        service.Http.GetAnswer($"/api/v1/jobs/{id}/layers/{layer}/units{query}");
}
