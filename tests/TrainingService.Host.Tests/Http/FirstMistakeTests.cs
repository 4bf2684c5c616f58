using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Http;

/// <summary>What callers get wrong first is told with what they probably meant.</summary>
[Collection(nameof(ApiOnly))]
public sealed class FirstMistakeTests(ApiOnly api)
{
    [Fact]
    public async Task Curl_without_a_content_type_is_told_which()
    {
        var answer = await api.Http.Send("POST", "/api/v1/jobs", """{"dataset": "digits"}"""u8.ToArray(),
            "application/x-www-form-urlencoded");
        answer.MustBeProblem(415, "unsupported-media-type");
        Assert.All(["'application/json'", "x-www-form-urlencoded", "-H 'Content-Type: application/json'"],
            part => Assert.Contains(part, answer["detail"].GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_study_without_a_body_runs_with_its_defaults()
    {
        var answer = await api.Http.Send("POST", "/api/v1/studies/dead-layers");
        Assert.True(answer.Status == 202 && answer["size"].GetString() == "quick", answer.Text);
        await api.Http.Send("POST", $"/api/v1/sweeps/{answer.Id}/cancel");
    }

    [Theory]
    [InlineData("jobs", """{"dataset": "digits", "training": {"learningRate": 0.1}}""", "/training/learningRate",
        "did you mean '/training/optimizer/learningRate'")]
    [InlineData("jobs", """{"dataset": "digits", "epochs": 3}""", "/epochs", "did you mean '/training/epochs'")]
    [InlineData("jobs", """{"dataset": "digits", "model": {"initializer": "he"}}""", "/model/initializer", "did you mean 'he_normal'")]
    [InlineData("sweeps", """{"dataset": "digits", "base": {"dataset": "iris"}}""", "/dataset", "did you mean '/base/dataset'")]
    [InlineData("sweeps", """{"base": {"dataset": "iris"}, "metric": "accuracy"}""", "/metric", "did you mean 'testAccuracy'")]
    [InlineData("sweeps", """{"base": {"dataset": "iris"}, "seeds": 12}""", "/seeds", "did you mean 'seedCount': 12?")]
    public async Task A_field_that_is_elsewhere_or_half_a_name_gets_the_likely_one(string list, string body, string pointer, string part)
    {
        var answer = await api.Http.Send("POST", $"/api/v1/{list}", body);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(part, answer.Error(pointer), StringComparison.Ordinal);
    }

    /// <summary>As PyTorch and Keras write them, and as clients do whose enums begin with a capital.</summary>
    [Fact]
    public async Task Known_words_are_known_however_they_are_written()
    {
        var answer = await api.Http.Send("POST", "/api/v1/jobs/validate", """
            {
              "dataset": "digits", "priority": "High",
              "model": {"layers": [
                {"type": "Dense", "units": 8, "activation": "LeakyReLU", "initializer": {"name": "HeNormal", "mode": "Fan_out"}},
                {"type": "BatchNorm"}, {"type": "dense", "units": 10, "activation": {"name": "GELU", "approximate": "Tanh"}}]},
              "training": {"optimizer": "Adam", "schedule": {"name": "One-Cycle"}, "loss": "CrossEntropy", "epochs": 2}
            }
            """);
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(("high", "adam", "one_cycle"), (answer["spec"].GetProperty("priority").GetString(),
            Name("training", "optimizer"), Name("training", "schedule")));
        var first = answer["spec"].GetProperty("model").GetProperty("layers")[0];
        Assert.Equal(("dense", "leaky_relu", "kaiming_normal", "fan_out"), (first.GetProperty("type").GetString(),
            first.GetProperty("activation").GetProperty("name").GetString(),
            first.GetProperty("initializer").GetProperty("name").GetString(),
            first.GetProperty("initializer").GetProperty("mode").GetString()));

        string? Name(string section, string field) =>
            answer["spec"].GetProperty(section).GetProperty(field).GetProperty("name").GetString();
    }

    [Fact]
    public async Task Half_the_name_of_a_study_gets_the_whole()
    {
        var answer = await api.Http.Send("POST", "/api/v1/studies/relu-vs-leaky", "{}");
        answer.MustBeProblem(404, "not-found");
        Assert.Contains("did you mean 'relu-vs-leaky-relu'", answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"dataset": "digits",}""", "comma before the closing bracket")]
    [InlineData("""{"dataset": ["a",]}""", "comma before the closing bracket")]
    [InlineData("""{'dataset': "digits"}""", "double quotes")]
    [InlineData("""{"dataset": 'digits'}""", "double quotes")]
    [InlineData("""{"dataset": "digits" """, "before all brackets are closed")]
    public async Task Frequent_slips_in_JSON_are_told_in_words(string body, string part)
    {
        var answer = await api.Http.Send("POST", "/api/v1/jobs", body);
        answer.MustBeProblem(400, "malformed-json");
        Assert.Contains(part, answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/jobs/latest")]
    [InlineData("/api/v1/jobs/7/metrics")]
    [InlineData("/api/v1/sweeps/mine/report")]
    public async Task An_id_that_is_none_says_so(string path)
    {
        var answer = await api.Http.GetAnswer(path);
        answer.MustBeProblem(404, "not-found");
        Assert.Contains($"'{path.Split('/')[4]}' is no id: ids are UUIDs", answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9223372036854775807", "\"9223372036854775807\"")]
    [InlineData("\"9007199254740993\"", "\"9007199254740993\"")]
    [InlineData("\"7\"", "7")]
    [InlineData("9007199254740991", "9007199254740991")]
    public async Task A_seed_comes_back_as_it_was_even_by_way_of_JavaScript(string given, string told)
    {
        var answer = await api.Http.PostJob($$$"""{"dataset": "digits", "training": {"seed": {{{given}}}}}""");
        Assert.True(answer.Status == 202, answer.Text);
        var job = await api.Http.GetAnswer($"/api/v1/jobs/{answer.Id}");
        Assert.Equal(told, job["spec"].GetProperty("training").GetProperty("seed").GetRawText());
        Assert.Equal(202, (await api.Http.PostJob(job["spec"].GetRawText())).Status);
        var sweep = await api.Http.Send("POST", "/api/v1/sweeps", $$$"""{"base": {"dataset": "iris"}, "seeds": [1, {{{given}}}]}""");
        Assert.True(sweep.Status == 202, sweep.Text);
        Assert.Equal(told, (await api.Http.GetAnswer($"/api/v1/sweeps/{sweep.Id}"))["spec"].GetProperty("seeds")[1].GetRawText());
        await api.Http.Send("POST", $"/api/v1/sweeps/{sweep.Id}/cancel");
    }

    [Fact]
    public async Task Links_are_those_of_the_state()
    {
        string[] always = ["self", "metrics", "layers", "preflight", "findings", "events", "clone"];
        var id = (await api.Http.PostJob("""{"dataset": "digits"}""")).Id;
        await Expect(["cancel", "pause", "checkpoints"]);
        await api.Http.Send("POST", $"/api/v1/jobs/{id}/pause");
        await Expect(["cancel", "resume", "checkpoints"]);
        await api.Http.Send("POST", $"/api/v1/jobs/{id}/cancel");
        await Expect(["retry", "delete", "checkpoints"]);

        async Task Expect(string[] more) => Assert.Equal(always.Concat(more).Order(),
            (await api.Http.GetAnswer($"/api/v1/jobs/{id}"))["links"].EnumerateObject().Select(link => link.Name).Order());
    }

    [Fact]
    public async Task A_check_is_answered_at_its_own_address_and_where_it_was_before()
    {
        var before = await api.CountJobsAsync();
        var (own, old) = (await api.Http.Send("POST", "/api/v1/jobs/validate", """{"dataset": "digits"}"""),
            await api.Http.Send("POST", "/api/v1/jobs?validateOnly=true", """{"dataset": "digits"}"""));
        Assert.True(own.Status == 200 && own["parameterCount"].GetInt64() > 0, own.Text);
        Assert.Equal((200, own["spec"].GetRawText()), (old.Status, old["spec"].GetRawText()));
        Assert.Equal(before, await api.CountJobsAsync());
    }
}
