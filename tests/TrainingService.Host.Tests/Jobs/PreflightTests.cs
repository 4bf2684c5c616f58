using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

public sealed class PreflightTests(Service service)
{
    private static readonly string Deep = string.Join(", ", Enumerable.Repeat(64, 30));

    [Fact]
    public async Task ValidateOnly_predicts_that_thirty_Xavier_layers_of_rectifiers_stall_and_that_the_recommended_change_helps()
    {
        var spec =
            $$"""{"dataset": "digits", "model": {"hiddenLayers": [{{Deep}}], "activation": "relu", "initializer": "xavier_normal" } }""";
        var answer = await Check(spec);
        var preflight = answer["preflight"];
        Assert.Equal(-0.1505 * 29, preflight.GetProperty("gradientFlow").GetDouble(), 0.05);
        Assert.Equal(["hidden1", "hidden30", "output"],
            new[] { 0, 29, 30 }.Select(i => preflight.GetProperty("layers")[i].GetProperty("name").GetString()));
        Assert.Equal(["poor_initialization", "vanishing_gradient"], Rules(answer));
        await MustHelp(spec, answer, "kaiming_normal");
    }

    [Theory]
    [InlineData("relu", "kaiming_normal"), InlineData("leaky_relu", "auto"),
        InlineData("tanh", "xavier_normal"), InlineData("selu", "lecun_normal")]
    public async Task ValidateOnly_finds_nothing_in_sound_nets(string activation, string initializer)
    {
        var spec = $$"""{"dataset": "digits", "model": {"activation": "{{activation}}", "initializer": "{{initializer}}" } }""";
        var answer = await Check(spec);
        Assert.Empty(answer["findings"].EnumerateArray());
    }

    [Fact]
    public async Task ValidateOnly_recommends_another_activation_where_no_initialiser_helps()
    {
        var spec =
            $$"""{"dataset": "digits", "model": {"hiddenLayers": [{{Deep}}], "activation": "sigmoid", "initializer": "xavier_normal" } }""";
        var answer = await Check(spec);
        Assert.Contains("vanishing_gradient", Rules(answer));
        await MustHelp(spec, answer, "tanh");
    }

    [Fact]
    public async Task ValidateOnly_finds_narrow_deep_nets_born_dead()
    {
        var spec = $$"""{"dataset": "digits", "model": {"hiddenLayers": [{{string.Join(", ", Enumerable.Repeat(3, 9))}}] } }""";
        var answer = await Check(spec);
        var finding = Assert.Single(answer["findings"].EnumerateArray());
        Assert.Equal(("dead_units", "warning"), (finding.GetProperty("rule").GetString(), finding.GetProperty("severity").GetString()));
        // below the bound of one input, 0.6993, as all rows must agree
        Assert.InRange(finding.GetProperty("value").GetDouble(), 0.4, 0.6);
        Assert.Contains("draws of this net", finding.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("draws", answer["preflight"].GetProperty("layers")[9].GetProperty("bornDeadBasis").GetString());
        await MustHelp(spec, answer, "leaky_relu");
    }

    [Theory]
    [InlineData("tanh", 20, "saturated_activations")]
    [InlineData("relu", -1000, "dead_units")]
    public async Task ValidateOnly_tells_saturated_from_dead_and_names_the_bias(string activation, int bias, string rule)
    {
        var answer = await Check($$"""
            {"dataset": "digits", "model": {"activation": "{{activation}}", "biasInitializer": {"name": "constant", "value": {{bias}} } } }
            """);
        var findings = answer["findings"].EnumerateArray()
            .Where(f => f.GetProperty("rule").GetString() is "dead_units" or "saturated_activations").ToList();
        Assert.NotEmpty(findings);
        Assert.All(findings, finding => Assert.Equal((rule, """{"model":{"biasInitializer":null}}"""),
            (finding.GetProperty("rule").GetString(), finding.GetProperty("recommendation").GetProperty("patch").GetRawText())));
    }

    [Fact]
    public async Task A_sweeps_cells_get_theory_and_a_job_of_its_own_gets_draws()
    {
        const string Job = """{"dataset": "iris", "model": {"hiddenLayers": [8]}, "training": {"epochs": 1} }""";
        Assert.Equal("draws", (await Check(Job))["preflight"].GetProperty("basis").GetString());
        var sweep = await service.Http.Send("POST", "/api/v1/sweeps",
            $$"""{"name": "two", "base": {{Job}}, "grid": {"/model/activation": ["relu", "tanh"]}, "seeds": [1]}""");
        Assert.True(sweep.Status == 202, sweep.Text);
        var jobs = await service.Http.GetAnswer($"/api/v1/sweeps/{sweep["id"].GetString()}/jobs");
        var id = jobs["items"][0].GetProperty("id").GetString();
        await service.Http.WaitForEndAsync(Guid.Parse(id ?? ""));
        var predicted = (await service.Http.GetAnswer($"/api/v1/jobs/{id}/preflight"))["predicted"];
        Assert.Equal("theory", predicted.GetProperty("basis").GetString());
        Assert.Equal(0, predicted.GetProperty("draws").GetInt32());
    }

    [Fact]
    public async Task A_recommendation_reaches_the_layers_of_the_long_form()
    {
        var layers =
            string.Join(", ", Enumerable.Repeat("""{"type": "dense", "units": 64, "initializer": {"name": "normal", "std": 1} }""", 6));
        var spec = $$"""{"dataset": "digits", "model": {"layers": [{{layers}}] } }""";
        var answer = await Check(spec);
        Assert.Equal(["exploding_gradient", "poor_initialization"], Rules(answer).Distinct());
        await MustHelp(spec, answer, "kaiming_normal");
    }

    [Fact]
    public async Task A_job_keeps_its_prediction_beside_its_measurement()
    {
        const string Spec = """
            {"dataset": "digits", "model": {"hiddenLayers": [256, 256], "activation": "tanh", "initializer": "xavier_uniform"},
             "training": {"epochs": 1} }
            """;
        var predicted = (await Check(Spec))["preflight"];
        var job = await service.Http.PostJob(Spec);
        await service.Http.WaitForEndAsync(Guid.Parse(job.Id));
        var answer = await service.Http.GetAnswer($"/api/v1/jobs/{job.Id}/preflight");
        Assert.Equal(200, answer.Status);
        Assert.True(JsonElement.DeepEquals(predicted, answer["predicted"]), answer.Text);
        var layers = await service.Http.GetAnswer($"/api/v1/jobs/{job.Id}/layers");
        foreach (var layer in answer["measured"].EnumerateArray())
        {
            var index = layer.GetProperty("index").GetInt32();
            var series = layers["layers"][index].GetProperty("series");
            Assert.Equal(series.GetProperty("rmsActivation")[0][2].GetDouble(), layer.GetProperty("rms").GetDouble(), 1e-6);
            Assert.InRange(layer.GetProperty("rmsDifference").GetDouble(), index == 2 ? -0.5 : -0.1, index == 2 ? 0.5 : 0.1);
            Assert.InRange(layer.GetProperty("gradientRmsDifference").GetDouble(), -0.2, 0.2);
        }
        Assert.Equal(3, answer["measured"].GetArrayLength());
        Assert.Equal(layers["gradientFlow"][0][2].GetDouble(), answer["gradientFlow"].GetDouble(), 1e-5);
        Assert.InRange(answer["gradientFlowDifference"].GetDouble(), -0.1, 0.1);
    }

    [Fact]
    public async Task There_is_no_preflight_of_a_job_that_is_not() =>
        (await service.Http.GetAnswer($"/api/v1/jobs/{Guid.Empty}/preflight")).MustBeProblem(404, "not-found");

    private async Task<Answer> Check(string spec)
    {
        var answer = await service.Http.Send("POST", "/api/v1/jobs?validateOnly=true", spec);
        Assert.True(answer.Status == 200, answer.Text);
        return answer;
    }

    private static IEnumerable<string> Rules(Answer answer) =>
        answer["findings"].EnumerateArray().Select(f => f.GetProperty("rule").GetString()!).Order(StringComparer.Ordinal);

    /// <summary>The patch of the first finding names this, and with it nothing is found any more.</summary>
    private async Task MustHelp(string spec, Answer answer, string name)
    {
        var recommendation = answer["findings"][0].GetProperty("recommendation");
        Assert.Contains(name, recommendation.GetProperty("patch").GetRawText(), StringComparison.Ordinal);
        Assert.Contains(name, recommendation.GetProperty("sentence").GetString(), StringComparison.Ordinal);
        var patched = Merge(JsonNode.Parse(spec), JsonNode.Parse(recommendation.GetProperty("patch").GetRawText()));
        Assert.Empty((await Check(patched!.ToJsonString()))["findings"].EnumerateArray());
    }

    /// <summary>RFC 7396.</summary>
    private static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var result = target as JsonObject ?? [];
        foreach (var (name, change) in changes)
            if (change is null)
                result.Remove(name);
            else
                result[name] = Merge(result[name], change)?.DeepClone();
        return result;
    }
}
