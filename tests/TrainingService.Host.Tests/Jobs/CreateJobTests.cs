using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

[Collection(nameof(ApiOnly))]
public sealed class CreateJobTests(ApiOnly api)
{
    [Fact]
    public async Task Answers_202_with_the_resolved_job_at_its_location()
    {
        var created = await api.Http.PostJob(
            """{"name": "n", "dataset": "iris", "model": {"activation": "swish", "initializer": "he_normal"}, "labels": {"k": "v"}}""");
        Assert.Equal(202, created.Status);
        Assert.Equal($"/api/v1/jobs/{created.Id}", created.Headers.Location!.ToString());
        Assert.NotNull(created.Headers.RetryAfter);
        Assert.Equal('7', created.Id[14]);
        Assert.Equal("queued", created["status"].GetString());
        var spec = created["spec"];
        Assert.Equal("iris", spec.GetProperty("dataset").GetProperty("name").GetString());
        Assert.Equal("silu", spec.GetProperty("model").GetProperty("activation").GetProperty("name").GetString());
        Assert.Equal("kaiming_normal", spec.GetProperty("model").GetProperty("initializer").GetProperty("name").GetString());
        Assert.Equal(10, spec.GetProperty("training").GetProperty("epochs").GetInt32());
        Assert.Equal("normal", spec.GetProperty("priority").GetString());
        Assert.Equal(3600, spec.GetProperty("timeoutSeconds").GetInt32());

        var read = await api.Http.GetAnswer(created.Headers.Location.ToString());
        Assert.Equal(200, read.Status);
        Assert.Equal(created["spec"].ToString(), read["spec"].ToString());
    }

    [Fact]
    public async Task A_resolved_spec_can_be_posted_again_and_resolves_to_itself()
    {
        var first = await api.Http.PostJob("""
            {"dataset": "digits",
             "model": {"layers": [{"type": "dense", "units": 8, "activation": "prelu"},
                                  {"type": "dropout", "rate": 0.1}, {"type": "dense", "units": 4}]},
             "training": {"optimizer": "adam"}}
            """);
        Assert.Equal(202, first.Status);
        var second = await api.Http.PostJob(first["spec"].ToString());
        Assert.True(second.Status == 202, second.Text);
        Assert.Equal(first["spec"].ToString(), second["spec"].ToString());
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task ValidateOnly_answers_with_the_estimate_and_stores_nothing()
    {
        var before = await api.CountJobsAsync();
        var checkedOnly = await api.Http.Send("POST", "/api/v1/jobs?validateOnly=true",
            """{"dataset": "digits", "model": {"hiddenLayers": [32]}, "training": {"epochs": 2}}""");
        Assert.Equal(200, checkedOnly.Status);
        Assert.Equal(64 * 32 + 32 + 32 * 10 + 10, checkedOnly["parameterCount"].GetInt64());
        Assert.True(checkedOnly["memoryBytes"].GetInt64() > 0);
        Assert.True(checkedOnly["steps"].GetInt64() > 0);
        Assert.True(checkedOnly["estimatedSeconds"].GetDouble() > 0);
        Assert.Equal("relu", checkedOnly["spec"].GetProperty("model").GetProperty("activation").GetProperty("name").GetString());
        Assert.Equal(before, await api.CountJobsAsync());
    }

    [Fact]
    public async Task Priority_decides_the_place_in_the_queue()
    {
        var low = await api.Http.PostJob("""{"dataset": "digits", "priority": "low"}""");
        var high = await api.Http.PostJob("""{"dataset": "digits", "priority": "high"}""");
        // of a long queue a place may be a moment old: only the order is sure
        await api.Http.WaitForAsync(Guid.Parse(low.Id),
            job => job.GetProperty("queuePosition").GetInt32() > high["queuePosition"].GetInt32());
    }

    /// <summary>The place and a part of the message that says what is allowed or meant.</summary>
    [Theory]
    [InlineData("""{"dataset": "digitz"}""", "/dataset/name", "did you mean 'digits'")]
    [InlineData("""{"dataset": {"name": "digits", "validationFraction": 0.95}}""", "/dataset/validationFraction", "0.9")]
    [InlineData("""{"dataset": "digits", "model": {"activation": "leaky_rely"}}""", "/model/activation", "did you mean 'leaky_relu'")]
    [InlineData("""{"dataset": "digits", "model": {"initializer": "kaiming_norml"}}""",
        "/model/initializer", "did you mean 'kaiming_normal'")]
    [InlineData("""{"dataset": "digits", "model": {"activation": {"name": "elu", "alpha": 1e300}}}""", "/model/activation/alpha", "")]
    [InlineData("""{"dataset": "digits", "model": {"activation": {"name": "elu", "alpha": 1e999}}}""", "/model/activation/alpha", "finite")]
    [InlineData("""{"dataset": "digits", "model": {"activation": {"name": "relu", "alpha": 0.1}}}""",
        "/model/activation/alpha", "has no parameter")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": []}}""", "/model/hiddenLayers", "at least one")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [8, -1]}}""", "/model/hiddenLayers/1", "from 1")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [1000000000]}}""", "/model/hiddenLayers/0", "65,536")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [65536, 65536]}}""", "/model/hiddenLayers", "50,000,000")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [8], "layers": [{"type": "dense", "units": 8}]}}""",
        "/model/layers", "exclude")]
    [InlineData("""{"dataset": "digits", "model": {"layers": [{"type": "residual", "layers": [{"type": "dense", "units": 3}]}]}}""",
        "/model/layers/0/layers", "64 units into 3")]
    [InlineData("""{"dataset": "digits", "model": {"normalization": "bach_norm"}}""", "/model/normalization", "did you mean 'batch_norm'")]
    [InlineData("""{"dataset": "digits", "training": {"epochs": 0}}""", "/training/epochs", "from 1")]
    [InlineData("""{"dataset": "iris", "training": {"batchSize": 1000}}""", "/training/batchSize", "larger than")]
    [InlineData("""{"dataset": "digits", "training": {"clipNorm": 0}}""", "/training/clipNorm", "> 0")]
    [InlineData("""{"dataset": "digits", "training": {"earlyStopping": {"patience": 0}}}""",
        "/training/earlyStopping/patience", "at least 1")]
    [InlineData("""{"dataset": "digits", "training": {"activityL1": -0.1}}""", "/training/activityL1", "at least 0")]
    [InlineData("""{"dataset": "digits", "training": {"labelSmoothing": 0.1, "loss": "mse"}}""",
        "/training/labelSmoothing", "belongs to cross_entropy")]
    [InlineData("""{"dataset": "digits", "training": {"schedule": "cosin"}}""", "/training/schedule", "did you mean 'cosine'")]
    [InlineData("""{"dataset": "digits", "training": {"schedule": {"name": "constant", "warmupSteps": 5000}}}""",
        "/training/schedule/warmupSteps", "fewer than")]
    [InlineData("""{"dataset": "digits", "diagnostics": {"rules": {"dead_units": {"warn": 0} }}}""",
        "/diagnostics/rules/dead_units/warn", "must be > 0")]
    [InlineData("""{"dataset": "digits", "priority": "hihg"}""", "/priority", "did you mean 'high'")]
    [InlineData("""{"dataset": "digits", "timeoutSeconds": 0}""", "/timeoutSeconds", "604,800")]
    [InlineData("""{"dataset": "digits", "name": ""}""", "/name", "200")]
    [InlineData("""{"dataset": "digits", "labels": {"a=b": "c"}}""", "/labels/a=b", "'='")]
    [InlineData("""{"dataset": "digits", "labels": {"a/b~": null}}""", "/labels/a~1b~0", "string")]
    [InlineData("""{"dataset": "digits", "modle": {}}""", "/modle", "did you mean 'model'")]
    [InlineData("""{"dataset": "digits", "Name": "x"}""", "/Name", "did you mean 'name'")]
    [InlineData("""{"dataset": "digits", "dataset": "iris"}""", "/dataset", "more than once")]
    [InlineData("""{"dataset": "digits", "training": {"epochs": "ten"}}""", "/training/epochs", "integer")]
    [InlineData("""{"dataset": "digits", "training": {"epochs": 1.5}}""", "/training/epochs", "whole number")]
    [InlineData("""{"dataset": "digits", "training": {"optimizer": {"name": "sgd", "learningRate": "NaN"}}}""",
        "/training/optimizer/learningRate", "finite")]
    [InlineData("""{"dataset": "digits", "training": {"optimizer": {}}}""", "/training/optimizer/name", "required")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [null]}}""", "/model/hiddenLayers/0", "integer")]
    [InlineData("""{"dataset": "digits", "model": 5}""", "/model", "an object")]
    [InlineData("""{"dataset": "digits", "name": "a\u0000b"}""", "/name", "NUL")]
    [InlineData("""{"dataset": "digits", "name": "a\ud800b"}""", "/name", "surrogate")]
    [InlineData("""{"dataset": null}""", "/dataset", "null")]
    [InlineData("{}", "/dataset", "required")]
    [InlineData("[]", "", "an object")]
    public async Task A_broken_rule_is_named_with_its_place_and_nothing_is_stored(string body, string pointer, string part)
    {
        var before = await api.CountJobsAsync();
        var answer = await api.Http.PostJob(body);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(part, answer.Error(pointer), StringComparison.Ordinal);
        Assert.Equal(before, await api.CountJobsAsync());
    }

    [Fact]
    public async Task All_broken_rules_come_in_one_answer()
    {
        var answer = await api.Http.PostJob("""
            {"dataset": "digitz", "model": {"activation": "rellu", "hiddenLayers": [0]}, "training": {"epochs": 0},
             "diagnostics": {"everySteps": 0}, "priority": "x"}
            """);
        answer.MustBeProblem(400, "validation");
        Assert.Equal(["/dataset/name", "/diagnostics/everySteps", "/model/activation",
            "/model/hiddenLayers/0", "/priority", "/training/epochs"],
            answer["errors"].EnumerateObject().Select(e => e.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_run_that_would_store_more_than_a_job_may_is_told_how_often_it_may_measure()
    {
        var often = (string every) => $$$"""
            {"dataset": "digits", "model": {"hiddenLayers": [{{{string.Join(", ", Enumerable.Repeat(8, 300))}}}]},
             "training": {"epochs": 10000, "batchSize": 8}, "diagnostics": {"everySteps": {{{every}}}}}
            """;
        var refused = await api.Http.PostJob(often("1"));
        refused.MustBeProblem(400, "validation");
        var message = refused.Error("/diagnostics/everySteps");
        Assert.Contains("a job may store 4,000 MB", message, StringComparison.Ordinal);
        var enough = System.Text.RegularExpressions.Regex.Match(message, "every ([0-9,]+) steps or more seldom").Groups[1].Value;
        var allowed = await api.Http.Send("POST", "/api/v1/jobs?validateOnly=true",
            often(enough.Replace(",", "", StringComparison.Ordinal)));
        Assert.True(allowed.Status == 200, allowed.Text);
        Assert.InRange(allowed["storedBytes"].GetInt64(), 3_000_000_000, 4_000_000_000);
    }

    [Fact]
    public async Task A_run_that_needs_more_memory_than_a_job_may_have_is_refused()
    {
        const string Body = """{"dataset": "digits", "model": {"hiddenLayers": [6900, 6900]}, "training": {"optimizer": "adam"}}""";
        var answer = await api.Http.PostJob(Body);
        answer.MustBeProblem(400, "validation");
        Assert.Contains("a job may have 500 MB", answer.Error("/model"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "(line 1, byte 2)")]
    [InlineData("{\"dataset\": \"digits\",\n  \"x\": NaN}", "(line 2, byte 8)")]
    [InlineData("{\"dataset\": \"digits\",}", "trailing comma")]
    [InlineData("{\"dataset\": \"digits\"} {}", "after a single JSON value")]
    [InlineData("{'dataset': 'digits'}", "(line 1, byte 2)")]
    [InlineData("", "empty")]
    [InlineData(" \n", "empty")]
    public async Task Malformed_JSON_is_told_with_reason_and_position(string body, string part)
    {
        var answer = await api.Http.PostJob(body);
        answer.MustBeProblem(400, "malformed-json");
        Assert.Contains(part, answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_thousand_levels_of_nesting_are_malformed()
    {
        var answer = await api.Http.PostJob($"{{\"dataset\": {new string('[', 10_000)}{new string(']', 10_000)}}}");
        answer.MustBeProblem(400, "malformed-json");
        Assert.Contains("depth of 64", answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_thousand_layers_are_refused()
    {
        var answer = await api.Http.PostJob(
            JsonSerializer.Serialize(new { dataset = "digits", model = new { hiddenLayers = Enumerable.Repeat(1, 10_000) } }));
        answer.MustBeProblem(400, "validation");
        Assert.Contains("1,000 layers", answer.Error("/model/hiddenLayers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_told_with_their_position()
    {
        var answer = await api.Http.Send("POST", "/api/v1/jobs", [.. "{\"name\": \""u8, 0xff, .. "\"}"u8], "application/json");
        answer.MustBeProblem(400, "malformed-json");
        Assert.Contains("number 11", answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Another_content_type_is_415(string mediaType)
    {
        var answer = await api.Http.Send("POST", "/api/v1/jobs", """{"dataset": "digits"}"""u8.ToArray(), mediaType);
        answer.MustBeProblem(415, "unsupported-media-type");
    }

    [Fact]
    public async Task A_body_over_a_megabyte_is_413()
    {
        var answer = await api.Http.PostJob($$"""{"dataset": "digits", "name": "{{new string('a', 1 << 20)}}"}""");
        answer.MustBeProblem(413, "too-large");
    }

    [Theory, InlineData(1 << 20, 413), InlineData(200_000, 400)]
    public async Task A_body_whose_length_is_not_told_is_read_up_to_the_limit(int length, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs")
        {
            Content = new StringContent($$"""{"dataset": "digits", "name": "{{new string('a', length)}}"}""", null, "application/json"),
        };
        request.Headers.TransferEncodingChunked = true;
        using var answer = await api.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(status == 400, text.Contains("/name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_full_of_mistakes_gets_a_short_answer()
    {
        var fields = string.Join(", ", Enumerable.Range(0, 20_000).Select(i => $"\"field{i}\": {i}"));
        var answer = await api.Http.PostJob($$"""{"dataset": "digits", {{fields}}}""");
        answer.MustBeProblem(400, "validation");
        Assert.InRange(answer["errors"].EnumerateObject().Count(), 50, 51);
    }
}
