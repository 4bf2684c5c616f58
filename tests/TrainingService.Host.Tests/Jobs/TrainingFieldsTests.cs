using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>Fields of the training that depend on the data, over HTTP: refused with advice, kept in the spec, seen in the result.</summary>
public sealed class TrainingFieldsTests(Service service)
{
    public static TheoryData<string, string, string, string> Wrong => new()
    {
        { "penguins", """{"classWeights": {"Adelei": 2}}""", "/training/classWeights/Adelei", "did you mean 'Adelie'?" },
        { "penguins", """{"classWeights": {"Adelie": "2"}}""", "/training/classWeights/Adelie", "must be a number" },
        { "penguins", """{"classWeights": {"Adelie": -1}}""", "/training/classWeights/Adelie", "> 0" },
        { "penguins", """{"classWeights": [1, 2]}""", "/training/classWeights", "'balanced' or an object" },
        { "penguins", """{"classWeights": "ballanced"}""", "/training/classWeights", "did you mean 'balanced'?" },
        { "friedman1", """{"classWeights": "balanced"}""", "/training/classWeights", "the target is a number" },
        { "penguins", """{"standardizeTarget": true}""", "/training/standardizeTarget", "classes" },
        { "penguins", """{"earlyStopping": {"metric": "r2"}}""", "/training/earlyStopping/metric", "accuracy or balancedAccuracy" },
        { "friedman1", """{"earlyStopping": {"metric": "accuracy"}}""", "/training/earlyStopping/metric", "rmse or r2" },
        { "penguins", """{"earlyStopping": {"metric": "acuracy"}}""", "/training/earlyStopping/metric", "did you mean 'accuracy'?" },
        { "penguins", """{"optimizer": {"name": "adamw", "weightDecayExclude": "bias_and_norms"}}""",
            "/training/optimizer/weightDecayExclude", "did you mean 'bias_and_norm'?" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public async Task What_does_not_fit_is_refused_at_its_place(string dataset, string training, string pointer, string says)
    {
        var answer = await service.Http.Send("POST", "/api/v1/jobs", $$"""{"dataset": "{{dataset}}", "training": {{training}} }""");
        answer.MustBeProblem(400, "validation");
        Assert.Contains(says, answer["errors"].GetProperty(pointer).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batches_of_one_row_are_refused_with_batch_norm_and_a_last_one_is_told_of()
    {
        var refused = await service.Http.Send("POST", "/api/v1/jobs",
            """{"dataset": "iris", "model": {"normalization": "batch_norm"}, "training": {"batchSize": 1} }""");
        refused.MustBeProblem(400, "validation");
        Assert.True(refused["errors"].TryGetProperty("/training/batchSize", out _), refused.Text);

        const string Joined = """
            {"dataset": {"name": "iris", "maxTrainExamples": 33}, "model": {"normalization": "batch_norm"},
             "training": {"batchSize": 32, "epochs": 2} }
            """;
        var estimate = await service.Http.Send("POST", "/api/v1/jobs?validateOnly=true", Joined);
        Assert.Equal(2, estimate["steps"].GetInt32());
        Assert.Contains("33 rows", estimate["notes"][0].GetString(), StringComparison.Ordinal);
        var job = await RunAsync(Joined);
        Assert.Equal((2, 2), (job.GetProperty("result").GetProperty("weightsStep").GetInt32(),
            job.GetProperty("progress").GetProperty("step").GetInt32()));
        Assert.Contains("33 rows", job.GetProperty("result").GetProperty("notes")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Class_weights_stand_in_the_spec_as_they_were_asked_for_and_scores_in_the_result()
    {
        var job = await RunAsync("""
            {"dataset": "penguins", "model": {"hiddenLayers": [16]}, "training": {"epochs": 3, "classWeights": {"Gentoo": 2, "1": 3.5}} }
            """);
        Assert.Equal("""{"Gentoo":2,"Chinstrap":3.5}""",
            job.GetProperty("spec").GetProperty("training").GetProperty("classWeights").GetRawText());
        var again = await service.Http.Send("POST", "/api/v1/jobs?validateOnly=true", job.GetProperty("spec").GetRawText());
        Assert.True(again.Status == 200, again.Text);
        var result = job.GetProperty("result");
        var confusion = result.List("confusion").Select(row => row.EnumerateArray().Select(n => n.GetInt32()).ToArray()).ToArray();
        var scores = result.List("perClass");
        Assert.Equal(["Adelie", "Chinstrap", "Gentoo"], scores.Select(s => s.Text("class")));
        Assert.Equal(confusion.Select(row => row.Sum()), scores.Select(s => s.GetProperty("support").GetInt32()));
        Assert.Equal((double)confusion.Select((row, c) => row[c]).Sum() / confusion.Sum(row => row.Sum()),
            result.GetProperty("testAccuracy").GetDouble(), 1e-6);
        Assert.Equal(confusion.Select((row, c) => (double)row[c] / row.Sum()).Average(),
            result.GetProperty("balancedAccuracy").GetDouble(), 1e-6);

        var balanced = await RunAsync("""{"dataset": "penguins", "training": {"epochs": 1, "classWeights": "balanced"} }""");
        Assert.Equal("balanced", balanced.GetProperty("spec").GetProperty("training").Text("classWeights"));
    }

    [Fact]
    public async Task A_regression_tells_its_errors_on_all_splits_and_how_its_target_was_scaled()
    {
        var job = await RunAsync("""{"dataset": "friedman1", "training": {"epochs": 2, "activityL1": 0.001} }""");
        Assert.True(job.GetProperty("spec").GetProperty("training").GetProperty("standardizeTarget").GetBoolean());
        var result = job.GetProperty("result");
        foreach (var split in (string[])["train", "validation", "test"])
        {
            Assert.InRange(result.GetProperty($"{split}R2").GetDouble(), 0.3, 1);
            var rmse = result.GetProperty($"{split}Rmse").GetDouble();
            Assert.Equal(1, rmse * rmse / result.GetProperty($"{split}Loss").GetDouble(), 1e-4);
        }
        Assert.InRange(result.GetProperty("targetScale").GetProperty("means")[0].GetDouble(), 13, 16);
        Assert.InRange(result.GetProperty("targetScale").GetProperty("deviation").GetDouble(), 4, 6);
        var series = (await service.Http.GetAnswer($"/api/v1/jobs/{job.Text("id")}/metrics?names=penalty"))["series"];
        Assert.Equal("train", Assert.Single(series.EnumerateArray()).Text("split"));
        // a sweep is judged by its counterpart on validation rows where it tunes
        var sweep = await service.Http.SubmitSweep("""
            {"base": {"dataset": "penguins", "model": {"hiddenLayers": [8]}, "training": {"epochs": 1}}, "seeds": [1, 2],
             "arms": [{"name": "plain", "patch": {}}, {"name": "balanced", "patch": {"training": {"classWeights": "balanced"}}}],
             "metric": "balancedAccuracy"}
            """);
        await service.Http.WaitForSweepEnd(sweep);
        Assert.All((await service.Http.GetReport(sweep)).List("arms"), arm => Assert.InRange(arm.GetProperty("mean").GetDouble(), 0, 1));
    }

    /// <summary>As a version stored it that knew none of the fields: it runs again as it ran.</summary>
    [Fact]
    public async Task A_job_of_a_version_before_is_verified_and_retried_as_it_was()
    {
        var job = await RunAsync("""{"dataset": "friedman1", "training": {"epochs": 1, "standardizeTarget": false} }""");
        var id = job.GetProperty("id").GetGuid();
        await using var db = service.NewDbContext();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE jobs SET spec = spec #- ARRAY['training', 'standardizeTarget'] #- ARRAY['training', 'optimizer', 'weightDecayExclude'],
                result = result - ARRAY['weightsStep', 'trainRmse', 'trainR2', 'validationRmse', 'validationR2'] WHERE id = {id}
            """, TestContext.Current.CancellationToken);
        var verify = await service.Http.Send("POST", $"/api/v1/jobs/{id}/verify");
        await service.Http.WaitForEndAsync(Guid.Parse(verify.Id));
        var verification = await service.Http.GetAnswer($"/api/v1/jobs/{verify.Id}/verification");
        Assert.True(verification["equal"].GetBoolean(), verification.Text);

        await db.Database.ExecuteSqlAsync($"UPDATE jobs SET status = 'failed' WHERE id = {id}", TestContext.Current.CancellationToken);
        Assert.Equal(202, (await service.Http.Send("POST", $"/api/v1/jobs/{id}/retry")).Status);
        var again = await service.Http.WaitForEndAsync(id);
        Assert.Equal(job.GetProperty("result").Text("weightsSha256"), again.GetProperty("result").Text("weightsSha256"));
    }

    /// <summary>Its target stayed in its unit: so it does in copies of it, and where its findings' changes are tried.</summary>
    [Fact]
    public async Task A_job_of_a_version_before_is_copied_and_tried_as_it_was()
    {
        var job = await RunAsync("""
            {"dataset": "friedman1",
             "training": {"epochs": 2, "standardizeTarget": false, "optimizer": {"name": "sgd", "learningRate": 1e-7} } }
            """);
        var id = job.GetProperty("id").GetGuid();
        await using var db = service.NewDbContext();
        await db.Database.ExecuteSqlAsync($"""
            UPDATE jobs SET spec = spec #- ARRAY['training', 'standardizeTarget'], status = 'failed',
                request = request #- ARRAY['training', 'standardizeTarget'] WHERE id = {id}
            """, TestContext.Current.CancellationToken);
        Assert.Equal(202, (await service.Http.Send("POST", $"/api/v1/jobs/{id}/retry")).Status);
        var again = await service.Http.WaitForEndAsync(id);
        Assert.Equal(job.GetProperty("result").Text("weightsSha256"), again.GetProperty("result").Text("weightsSha256"));
        var copy = await service.Http.Send("POST", $"/api/v1/jobs/{id}/clone", "{}");
        Assert.False(copy["spec"].GetProperty("training").GetProperty("standardizeTarget").GetBoolean());
        // what was tried is what a copy gives
        var findings = (await service.Http.GetAnswer($"/api/v1/jobs/{id}/findings"))["items"].EnumerateArray().ToArray();
        var stuck = findings.First(f => f.Text("rule") == "loss_not_decreasing");
        foreach (var tried in stuck.GetProperty("tried").EnumerateArray())
        {
            var follow = await service.Http.Send("POST", $"/api/v1/jobs/{id}/clone", tried.GetProperty("patch").GetRawText());
            var scaled = tried.Text("sentence")!.Contains("Scale the target", StringComparison.Ordinal);
            Assert.Equal(scaled, follow["spec"].GetProperty("training").GetProperty("standardizeTarget").GetBoolean());
            var ended = await service.Http.WaitForEndAsync(Guid.Parse(follow.Id));
            var trial = tried.GetProperty("trial");
            if (trial.GetProperty("after").ValueKind is JsonValueKind.Number && ended.Text("status") == "succeeded")
                Assert.Equal(trial.GetProperty("after").GetDouble(), ended.GetProperty("result").GetProperty("validationLoss").GetDouble());
        }
    }

    private async Task<JsonElement> RunAsync(string json)
    {
        var answer = await service.Http.Send("POST", "/api/v1/jobs", json);
        Assert.True(answer.Status == 202, answer.Text);
        return await service.Http.WaitForEndAsync(Guid.Parse(answer.Id));
    }
}
