using System.Text;
using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>What a merge patch makes of a job, in a service without a worker.</summary>
[Collection(nameof(ApiOnly))]
public sealed class CloneJobTests(ApiOnly api)
{
    private const string Short = """
        {"name": "first", "dataset": {"name": "digits", "validationFraction": 0.2},
         "model": {"hiddenLayers": [32, 16], "activation": {"name": "leaky_relu", "negativeSlope": 0.2}},
         "training": {"epochs": 3, "optimizer": {"name": "sgd", "learningRate": 0.5, "momentum": 0.8}, "schedule": "cosine"},
         "labels": {"a": "1", "b": "2"} }
        """;

    private const string Long = """
        {"dataset": "digits",
         "model": {"activation": "tanh", "layers": [{"type": "dense", "units": 8}, {"type": "dense", "units": 8, "activation": "elu"},
         {"type": "residual", "layers": [{"type": "dense", "units": 8}] }] } }
        """;

    [Fact]
    public async Task An_empty_patch_repeats_the_job()
    {
        var (first, clone) = await CloneAsync(Short, "{}");
        Assert.Equal(first["spec"].GetRawText(), clone["spec"].GetRawText());
        Assert.NotEqual(first.Id, clone.Id);
        Assert.Equal(("queued", $"/api/v1/jobs/{clone.Id}"), (clone["status"].GetString(), clone.Headers.Location!.ToString()));
        Assert.Equal(200, (await api.Http.GetAnswer(clone.Headers.Location.ToString())).Status);
        // what was resolved can be cloned like what was asked for
        var second = await PatchAsync(clone.Id, """{"training": {"seed": 5} }""");
        Assert.Equal(5, At(second, "/training/seed").GetInt32());
    }

    [Fact]
    public async Task A_copy_has_the_labels_that_the_job_has_by_now()
    {
        var job = await api.Http.PostJob("""{"dataset": "iris", "labels": {"given": "first", "old": "x"} }""");
        await api.Http.Send("POST", "/api/v1/jobs/bulk", $$"""
            {"filter": {"ids": ["{{job.Id}}"]}, "action": "label", "labels": {"since": "then"}, "removeLabels": ["old"]}
            """);
        var clone = await PatchAsync(job.Id, """{"labels": {"mine": "too"} }""");
        Assert.Equal("given=first, mine=too, since=then", string.Join(", ", clone["labels"].EnumerateObject()
            .Select(label => $"{label.Name}={label.Value}").Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("""{"training": {"optimizer": {"learningRate": 0.1} } }""", "/training/optimizer/learningRate", "0.1")]
    [InlineData("""{"training": {"optimizer": {"learningRate": 0.1} } }""", "/training/optimizer/momentum", "0.8")]
    [InlineData("""{"training": {"optimizer": {"learningRate": null} } }""", "/training/optimizer/learningRate", "0.05")]
    [InlineData("""{"training": {"optimizer": null} }""", "/training/optimizer/momentum", "0.9")]
    // a new optimiser or activation brings its own parameters
    [InlineData("""{"training": {"optimizer": {"name": "adam"} } }""", "/training/optimizer",
        """{"name":"adam","learningRate":0.001,"weightDecay":0,"weightDecayExclude":"none","beta1":0.9,"beta2":0.999,"epsilon":1E-08}""")]
    [InlineData("""{"training": {"optimizer": "adam"} }""", "/training/optimizer/learningRate", "0.001")]
    [InlineData("""{"training": {"optimizer": {"name": "sgd", "nesterov": true} } }""", "/training/optimizer/momentum", "0.8")]
    [InlineData("""{"model": {"activation": "elu"} }""", "/model/activation", """{"name":"elu","alpha":1}""")]
    [InlineData("""{"model": {"activation": {"name": "leaky_relu"} } }""", "/model/activation/negativeSlope", "0.2")]
    [InlineData("""{"model": {"activation": {"negativeSlope": 0.3} } }""", "/model/activation/negativeSlope", "0.3")]
    [InlineData("""{"model": {"initializer": {"mode": "fan_out"} } }""", "/model/initializer/name", "\"kaiming_normal\"")]
    // defaults follow
    [InlineData("""{"model": {"initializer": "torch_default"} }""", "/model/biasInitializer/name", "\"torch_default\"")]
    [InlineData("""{"training": {"epochs": 30} }""", "/training/schedule/tMax", "540")]
    [InlineData("""{"dataset": {"name": "iris"} }""", "/dataset/validationFraction", "0.2")]
    [InlineData("""{"dataset": "iris"}""", "/dataset/name", "\"iris\"")]
    [InlineData("""{"labels": {"b": null, "c": "3"} }""", "/labels", """{"a":"1","c":"3"}""")]
    [InlineData("""{"name": null}""", "/name", null)]
    [InlineData("""{"model": {"hiddenLayers": [7]} }""", "/model/hiddenLayers", "[7]")]
    [InlineData("""{"model": {"layers": [{"type": "dense", "units": 9}]} }""", "/model/hiddenLayers", null)]
    [InlineData("""{"diagnostics": {"rules": {"dead_units": {"warn": 0.3} } } }""", "/diagnostics/rules/dead_units/error", "0.5")]
    public async Task A_patch_changes_what_it_says_and_what_follows_from_it(string patch, string place, string? expected)
    {
        var (_, clone) = await CloneAsync(Short, patch);
        Assert.True(clone.Status == 202, clone.Text);
        if (expected is null)
            Assert.Throws<KeyNotFoundException>(() => At(clone, place));
        else
            Assert.Equal(expected, At(clone, place).GetRawText());
    }

    [Fact]
    public async Task What_the_model_says_reaches_the_layers_that_say_the_same()
    {
        var (first, clone) = await CloneAsync(Long, """{"model": {"activation": "relu"} }""");
        Assert.Equal(("relu", "elu", "relu"), Activations(clone));
        // the same from the resolved spec, in which every layer names its own
        var (_, again) = await CloneAsync(first["spec"].GetRawText(),
            """{"model": {"activation": "relu", "initializer": "xavier_normal"} }""");
        Assert.Equal(("relu", "elu", "relu"), Activations(again));
        Assert.Equal("xavier_normal", At(again, "/model/layers/1/initializer/name").GetString());

        static (string?, string?, string?) Activations(Answer job) => (At(job, "/model/layers/0/activation/name").GetString(),
            At(job, "/model/layers/1/activation/name").GetString(), At(job, "/model/layers/2/layers/0/activation/name").GetString());
    }

    [Fact]
    public async Task The_short_form_replaces_the_long_one()
    {
        var (_, clone) = await CloneAsync(Long, """{"model": {"hiddenLayers": [5], "dropout": 0.5} }""");
        Assert.Equal("[5]", At(clone, "/model/hiddenLayers").GetRawText());
        Assert.Throws<KeyNotFoundException>(() => At(clone, "/model/layers"));
        var back = await PatchAsync(clone.Id, """{"model": {"layers": [{"type": "dense", "units": 6}]} }""");
        Assert.Equal((202, 0), (back.Status, At(back, "/model/dropout").GetInt32()));
    }

    [Theory]
    [InlineData("""{"training": {"optimizer": {"learningRat": 1} } }""", "/training/optimizer/learningRat", "did you mean 'learningRate'?")]
    [InlineData("""{"model": {"activation": "rely"} }""", "/model/activation", "did you mean 'relu'?")]
    [InlineData("""{"model": {"layers": [{"type": "dense", "units": 4}, {"type": "dropout", "rate": 2}]} }""",
        "/model/layers/1/rate", "[0, 1)")]
    [InlineData("""{"training": {"loss": "mse", "labelSmoothing": 0.1} }""", "/training/labelSmoothing", "belongs to cross_entropy")]
    // the batch of the job is too large for the data of the patch
    [InlineData("""{"dataset": {"maxTrainExamples": 20}, "training": {"batchSize": 64} }""", "/training/batchSize", "larger than the")]
    [InlineData("""{"dataset": null}""", "/dataset", "required")]
    [InlineData("""{"training": 7}""", "/training", "must be an object")]
    [InlineData("""{"a": {}, "a": {} }""", "/a", "more than once")]
    [InlineData("[]", "", "must be an object")]
    public async Task Errors_point_into_the_patch_and_nothing_is_stored(string patch, string place, string message)
    {
        var first = await api.Http.PostJob(Short);
        var before = await api.CountJobsAsync();
        var answer = await PatchAsync(first.Id, patch);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(message, answer.Error(place), StringComparison.Ordinal);
        Assert.Equal(before, await api.CountJobsAsync());
    }

    [Fact]
    public async Task An_error_that_the_patch_causes_elsewhere_points_at_its_nearest_place()
    {
        var first = await api.Http.PostJob("""{"dataset": "digits", "training": {"optimizer": {"name": "sgd", "nesterov": true} } }""");
        var answer = await PatchAsync(first.Id, """{"training": {"optimizer": {"momentum": 0} } }""");
        Assert.Contains("momentum", answer.Error("/training/optimizer"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_media_types_are_taken_and_others_are_not()
    {
        var id = (await api.Http.PostJob(Short)).Id;
        Task<Answer> As(string type) => api.Http.Send("POST", $"/api/v1/jobs/{id}/clone", "{}"u8.ToArray(), type);
        Assert.Equal((202, 202), ((await As("application/json")).Status, (await As("application/merge-patch+json; charset=utf-8")).Status));
        foreach (var type in (string[])["text/plain", "application/json-patch+json"])
            (await As(type)).MustBeProblem(415, "unsupported-media-type");
        (await api.Http.Send("POST", $"/api/v1/jobs/{id}/clone", "{"u8.ToArray(), "application/json")).MustBeProblem(400, "malformed-json");
        (await api.Http.Send("POST", $"/api/v1/jobs/{Guid.NewGuid()}/clone", "{}")).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task A_key_makes_it_once()
    {
        var id = (await api.Http.PostJob(Short)).Id;
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await PatchAsync(id, """{"training": {"seed": 2} }""", key);
        var again = await PatchAsync(id, """{"training": {"seed": 2} }""", key);
        Assert.Equal(first.Id, again.Id);
        Assert.True(again.Headers.Contains("Idempotency-Replayed"));
        (await PatchAsync(id, """{"training": {"seed": 3} }""", key)).MustBeProblem(422, "idempotency-key-reused");
    }

    private async Task<(Answer First, Answer Clone)> CloneAsync(string spec, string patch)
    {
        var first = await api.Http.PostJob(spec);
        Assert.True(first.Status == 202, first.Text);
        return (first, await PatchAsync(first.Id, patch));
    }

    private Task<Answer> PatchAsync(string id, string patch, params (string, string)[] headers) =>
        api.Http.Send("POST", $"/api/v1/jobs/{id}/clone", Encoding.UTF8.GetBytes(patch), "application/merge-patch+json", headers);

    private static JsonElement At(Answer job, string pointer) => pointer.Split('/').Skip(1).Aggregate(job["spec"],
        (place, name) => place.ValueKind == JsonValueKind.Array ? place[int.Parse(name, null)] : place.GetProperty(name));
}
