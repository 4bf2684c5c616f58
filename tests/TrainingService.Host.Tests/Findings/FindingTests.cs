using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Findings;

/// <summary>Jobs that deserve a finding get it, healthy ones get none, and what a finding recommends helps.</summary>
public sealed class FindingTests(Service service)
{
    private const string Deep =
        "[64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64]";

    [Theory]
    [InlineData("""{"dataset": "digits"}""")]
    [InlineData("""{"dataset": "wine"}""")]
    [InlineData("""{"dataset": "breast_cancer"}""")]
    // pixels are of one kind: those at the rim need not be as large as those in the middle
    [InlineData("""{"dataset": {"name": "digits", "standardize": false}}""")]
    [InlineData("""{"dataset": "digits", "training": {"epochs": 30, "optimizer": "adam"}, "diagnostics": {"everySteps": 20}}""")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [64, 64, 64], "activation": "tanh", "initializer": "xavier_normal"}}""")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [64, 64], "activation": "sigmoid", "initializer": "xavier_normal"}}""")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [64, 64], "activation": "selu", "initializer": "lecun_normal"}}""")]
    [InlineData("""{"dataset": "digits", "model": {"hiddenLayers": [64, 64, 64, 64, 64, 64, 64, 64], "normalization": "batch_norm"}}""")]
    [InlineData("""{"dataset": "breast_cancer", "model": {"hiddenLayers": [32]}, "training": {"loss": "binary_cross_entropy"}}""")]
    [InlineData("""
        {"dataset": "digits", "training": {"epochs": 30, "schedule": {"name": "one_cycle", "warmupSteps": 30}},
         "diagnostics": {"everySteps": 10}}
        """)]
    // smoothed targets and a penalty leave a loss that can't fall any further
    [InlineData("""{"dataset": "digits", "training": {"epochs": 60, "labelSmoothing": 0.5, "optimizer": "adam"} }""")]
    [InlineData("""
        {"dataset": "digits", "model": {"activation": "tanh", "initializer": "xavier_normal"},
         "training": {"epochs": 60, "activityL1": 0.01} }
        """)]
    [InlineData("""{"dataset": "digits", "training": {"epochs": 20, "loss": "mse", "optimizer": "adam"} }""")]
    // the sample of deploy/run.sh
    [InlineData("""
        {"dataset": "digits", "model": {"hiddenLayers": [512, 256], "activation": "leaky_relu", "dropout": 0.3},
         "diagnostics": {"everySteps": 50},
         "training": {"epochs": 100, "batchSize": 32, "optimizer": {"name": "sgd", "learningRate": 0.02, "weightDecay": 1e-4}}}
        """)]
    public async Task A_healthy_job_has_no_findings(string spec)
    {
        var job = await RunAsync(spec);
        Assert.Equal("", string.Join("\n", await FindingsAsync(job)));
        Assert.Equal("""{"info":0,"warning":0,"error":0,"critical":0}""", job.GetProperty("findings").GetRawText());
    }

    [Fact]
    public async Task A_sparse_layer_is_healthy()
    {
        var job = await RunAsync(
            """{"dataset": "digits", "model": {"hiddenLayers": [256, 128]}, "training": {"epochs": 20, "activityL1": 0.002}}""");
        var layers = (await service.Http.GetAnswer($"/api/v1/jobs/{job.GetProperty("id")}/layers"))["layers"];
        Assert.Contains(layers.EnumerateArray(), l => Last(l, "sparsity") is > 0.6 and < 0.95);
        Assert.Equal("", string.Join("\n", await FindingsAsync(job)));
    }

    [Fact]
    public async Task Fashion_is_healthy()
    {
        Assert.SkipUnless(File.Exists("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"),
            "Debian's dataset-fashion-mnist is not installed.");
        var job = await RunAsync("""
            {"dataset": {"name": "fashion-mnist", "maxTrainExamples": 20000},
             "model": {"hiddenLayers": [256, 128, 64]}, "training": {"epochs": 6, "optimizer": "adam"}}
            """);
        Assert.Equal("", string.Join("\n", await FindingsAsync(job)));
    }

    public static TheoryData<string, string, string?, string> Deserving => new()
    {
        { "dead_units", "critical", "hidden2", Digits("[128, 64]", rate: "1.0") },
        { "dead_units", "error", "hidden2", """
            {"dataset": "digits", "model": {"hiddenLayers": [64, 64]},
             "training": {"epochs": 20, "optimizer": {"name": "adam", "learningRate": 0.3}},
             "diagnostics": {"everySteps": 20} }
            """ },
        { "saturated_activations", "warning", "hidden1", Digits("[64, 64]", "tanh",
            more: """, "biasInitializer": {"name": "constant", "value": 20}""") },
        { "vanishing_gradient", "warning", null, Digits("[64, 64, 64, 64, 64, 64, 64, 64]", "sigmoid", "xavier_normal") },
        { "exploding_gradient", "warning", null, Digits("[64, 64, 64, 64, 64, 64, 64, 64]",
            initializer: """{"name": "normal", "std": 0.4}""", rate: "1e-9") },
        { "poor_initialization", "warning", "hidden2", Digits("[64, 64]", initializer: """{"name": "normal", "std": 1}""", rate: "0.001") },
        { "poor_initialization", "error", "hidden1", Digits("[64, 64]", "tanh", "zeros") },
        { "loss_not_decreasing", "warning", null, Digits("[64, 64]", initializer: "zeros") },
        { "initial_loss", "warning", null, Digits("[64, 64]", initializer: """{"name": "normal", "std": 1}""", rate: "0.001") },
        { "update_ratio", "warning", "hidden1", Digits("[64, 64]", rate: "1e-6") },
        { "update_ratio", "warning", "hidden2", """
            {"dataset": "digits", "model": {"hiddenLayers": [64, 64], "activation": "tanh"},
             "training": {"epochs": 1, "optimizer": {"name": "adam", "learningRate": 0.1}},
             "diagnostics": {"everySteps": 1} }
            """ },
        { "overfit", "warning", null, """
            {"dataset": {"name": "gaussian_clusters", "validationFraction": 0.5, "maxTrainExamples": 100},
             "model": {"hiddenLayers": [128, 128]},
             "training": {"epochs": 200, "batchSize": 10, "optimizer": {"name": "adam", "learningRate": 0.01}}}
            """ },
        { "dropout_redundant", "info", "hidden2", """
            {"dataset": "digits", "model": {"hiddenLayers": [256, 128], "dropout": 0.5},
             "training": {"epochs": 20, "activityL1": 0.01}, "diagnostics": {"everySteps": 20} }
            """ },
        { "diverged", "critical", "output", Digits("[64, 64]", rate: "1e6") },
        // loses 91 % of its outputs to saturation, of its units fewer
        { "saturated_activations", "warning", "hidden2", Digits("[64, 64]", "tanh", """{"name": "xavier_normal", "gain": 20}""") },
        { "unscaled_features", "warning", null, """{"dataset": {"name": "wine", "standardize": false}}""" },
        { "unscaled_features", "warning", null, """{"dataset": {"name": "breast_cancer", "standardize": false}}""" },
        // explodes to 1e12, and stays finite
        { "loss_not_decreasing", "error", null, """
            {"dataset": "digits", "model": {"hiddenLayers": [64]},
             "training": {"epochs": 3, "optimizer": {"name": "sgd", "learningRate": 3, "momentum": 0} } }
            """ },
        // two epochs, ten points of neither of which there are
        { "loss_not_decreasing", "warning", null,
            """{"dataset": "digits", "training": {"epochs": 2, "optimizer": {"name": "sgd", "learningRate": 1e-6} } }""" },
        { "overfit", "warning", null, """
            {"dataset": {"name": "gaussian_clusters", "validationFraction": 0.5, "maxTrainExamples": 60},
             "training": {"epochs": 60, "batchSize": 10, "optimizer": "adam"}}
            """ },
        { "poor_initialization", "warning", null, """
            {"dataset": "digits", "model": {"initializer": {"name": "kaiming_normal", "gain": 3} } }
            """ },
    };

    [Theory, MemberData(nameof(Deserving))]
    public async Task A_job_that_deserves_a_finding_has_it_and_its_patch_makes_a_job(string rule,
        string severity, string? layer, string spec)
    {
        var job = await RunAsync(Untried(spec));
        var findings = await FindingsAsync(job);
        var finding = findings.SingleOrDefault(f => Text(f, "rule") == rule && Text(f, "layer") == layer);
        Assert.True(finding.ValueKind is JsonValueKind.Object && Text(finding, "severity") == severity,
            $"{rule} {layer}:\n{string.Join("\n", findings)}");
        Assert.EndsWith(".", Text(finding, "message"), StringComparison.Ordinal);
        Assert.True(job.GetProperty("findings").GetProperty(severity).GetInt32() > 0);
        Assert.Equal(findings.Length, job.GetProperty("findings").EnumerateObject().Sum(c => c.Value.GetInt32()));
        foreach (var other in findings)
            if (other.GetProperty("recommendation") is { ValueKind: JsonValueKind.Object } advice)
                Assert.Equal(202, (await CloneAsync(job, advice.GetProperty("patch"))).Status);
    }

    /// <summary>The claim behind each: the run is stuck as it is, and trains with the change.</summary>
    [Theory]
    [InlineData("dead_units", "[128, 64]", "relu", "kaiming_normal", "1.0", 0.95)]
    [InlineData("vanishing_gradient", Deep, "relu", "xavier_normal", "0.003", 0.3)]
    [InlineData("poor_initialization", Deep, "relu", "xavier_normal", "0.003", 0.3)]
    [InlineData("vanishing_gradient", "[64, 64, 64, 64, 64, 64, 64, 64]", "sigmoid", "kaiming_normal", "0.05", 0.95)]
    [InlineData("loss_not_decreasing", "[64, 64]", "relu", "zeros", "0.05", 0.95)]
    [InlineData("update_ratio", "[64, 64]", "relu", "kaiming_normal", "1e-6", 0.9)]
    [InlineData("diverged", "[64, 64]", "relu", "kaiming_normal", "1e6", 0.95)]
    public async Task The_recommended_change_makes_a_stuck_job_train(string rule,
        string hidden, string activation, string initializer, string rate, double accuracy)
    {
        var job = await RunAsync(Digits(hidden, activation, initializer, rate));
        Assert.True(Accuracy(job) < 0.2, $"{Accuracy(job)}");
        var finding = (await FindingsAsync(job)).First(f => Text(f, "rule") == rule);
        var clone = await CloneAsync(job, finding.GetProperty("recommendation").GetProperty("patch"));
        Assert.True(Accuracy(await service.Http.WaitForEndAsync(clone["id"].GetGuid())) > accuracy, $"{finding}");
    }

    /// <summary>A list of layers can only be patched as a whole; each layer has its own initialiser and activation here.</summary>
    [Fact]
    public async Task The_recommended_change_reaches_layers_that_name_their_own()
    {
        var layers = string.Join(", ",
            Enumerable.Repeat("""{"type": "dense", "units": 64, "activation": "sigmoid", "initializer": "kaiming_normal"}""", 8));
        var job = await RunAsync($$"""
            {"dataset": "digits", "model": {"activation": "elu", "layers": [{{layers}}, {"type": "layer_norm"}]},
             "training": {"epochs": 20}, "diagnostics": {"everySteps": 20} }
            """);
        var finding = (await FindingsAsync(job)).Single(f => Text(f, "rule") == "vanishing_gradient");
        var clone = (await CloneAsync(job, finding.GetProperty("recommendation").GetProperty("patch")))["spec"].GetProperty("model");
        Assert.All(clone.GetProperty("layers").EnumerateArray().Take(8), l =>
            Assert.Equal(("tanh", "xavier_normal"),
                (Text(l.GetProperty("activation"), "name"), Text(l.GetProperty("initializer"), "name"))));
        Assert.Equal((9, "elu"), (clone.GetProperty("layers").GetArrayLength(), Text(clone.GetProperty("activation"), "name")));
    }

    [Fact]
    public async Task Thresholds_come_from_the_request()
    {
        string Spec(string rules) => $$"""
            {"dataset": "digits", "model": {"hiddenLayers": [16]},
             "training": {"epochs": 3, "optimizer": {"name": "sgd", "learningRate": 1e-6} },
             "diagnostics": {"everySteps": 10, "tryPatches": false, "rules": {{rules}} } }
            """;
        async Task Check(string rules, params string[] expected) =>
            Assert.Equal(expected, (await FindingsAsync(await RunAsync(Spec(rules)))).Select(f => Text(f, "rule")!).Distinct().Order());
        const string Stuck = """ "loss_not_decreasing": {"enabled": false} """;
        await Check("{}", "loss_not_decreasing", "update_ratio");
        await Check($$"""{ {{Stuck}} }""", "update_ratio");
        await Check($$"""{"update_ratio": {"enabled": false}, {{Stuck}} }""");
        await Check($$"""{"update_ratio": {"min": -9}, {{Stuck}} }""");
        await Check($$"""{"update_ratio": {"evaluations": 50}, {{Stuck}} }""");
        await Check($$"""{"initial_loss": {"warn": 0.01}, {{Stuck}} }""", "initial_loss", "update_ratio");
        await Check($$"""{"unscaled_features": {"max": 0.5}, "update_ratio": {"enabled": false}, {{Stuck}} }""", "unscaled_features");
    }

    [Fact]
    public async Task Unknown_rules_and_thresholds_are_refused()
    {
        async Task<Answer> Post(string rules) =>
            await service.Http.PostJob($$"""{"dataset": "digits", "diagnostics": {"rules": {{rules}} } }""");
        Assert.Contains("did you mean 'dead_units'?",
            (await Post("""{"dead_unit": {}}""")).Error("/diagnostics/rules/dead_unit"), StringComparison.Ordinal);
        Assert.Contains("did you mean 'warn'?",
            (await Post("""{"overfit": {"warm": 1}}""")).Error("/diagnostics/rules/overfit/warm"), StringComparison.Ordinal);
        Assert.Contains("it has enabled, warn, rise",
            (await Post("""{"overfit": {"min": 1}}""")).Error("/diagnostics/rules/overfit/min"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_diverges_keeps_what_it_measured_and_shows_what_is_not_finite()
    {
        var job = await RunAsync(Digits("[64, 64]", rate: "1e6"));
        Assert.Equal(("failed", "diverged"), (job.Status(), job.ErrorCode()));
        var id = job.GetProperty("id").GetGuid();
        foreach (var path in (string[])["metrics", "layers"])
        {
            var answer = await service.Http.GetAnswer($"/api/v1/jobs/{id}/{path}");
            Assert.Equal(200, answer.Status);
            Assert.Contains("\"NaN\"", answer.Text, StringComparison.Ordinal);
            Assert.Contains("[[0,", answer.Text, StringComparison.Ordinal);
        }
        Assert.Equal("NaN", (await FindingsAsync(job)).Single(f => Text(f, "rule") == "diverged").GetProperty("value").GetString());
    }

    [Fact]
    public async Task There_are_no_findings_of_a_job_that_is_not_there() =>
        (await service.Http.GetAnswer($"/api/v1/jobs/{Guid.NewGuid()}/findings")).MustBeProblem(404, "not-found");

    private static string Untried(string spec)
    {
        var job = JsonNode.Parse(spec)!.AsObject();
        var diagnostics = job["diagnostics"] as JsonObject ?? [];
        job.Remove("diagnostics");
        diagnostics["tryPatches"] = false;
        job["diagnostics"] = diagnostics;
        return job.ToJsonString();
    }

    private static string Digits(string hidden, string activation = "relu",
        string initializer = "kaiming_normal", string rate = "0.05", string more = "") => $$"""
        {"dataset": "digits",
         "model": {"hiddenLayers": {{hidden}}, "activation": "{{activation}}",
                   "initializer": {{(initializer[0] == '{' ? initializer : $"\"{initializer}\"")}}{{more}} },
         "training": {"epochs": 20, "optimizer": {"name": "sgd", "learningRate": {{rate}} } }, "diagnostics": {"everySteps": 20} }
        """;

    private async Task<JsonElement> RunAsync(string spec)
    {
        var answer = await service.Http.PostJob(spec);
        Assert.True(answer.Status == 202, answer.Text);
        return await service.Http.WaitForEndAsync(answer["id"].GetGuid());
    }

    private async Task<JsonElement[]> FindingsAsync(JsonElement job) =>
        [.. (await service.Http.GetAnswer($"/api/v1/jobs/{job.GetProperty("id")}/findings"))["items"].EnumerateArray()];

    private Task<Answer> CloneAsync(JsonElement job, JsonElement patch) =>
        service.Http.Send("POST", $"/api/v1/jobs/{job.GetProperty("id")}/clone",
            System.Text.Encoding.UTF8.GetBytes(patch.GetRawText()), "application/merge-patch+json");

    /// <summary>0 of a run that diverged, which has none.</summary>
    private static double Accuracy(JsonElement job) =>
        job.GetProperty("result").TryGetProperty("trainAccuracy", out var accuracy) && accuracy.ValueKind is JsonValueKind.Number
            ? accuracy.GetDouble() : 0;

    private static double Last(JsonElement layer, string series) =>
        layer.GetProperty("series").GetProperty(series).EnumerateArray().Last()[2].GetDouble();

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();
}
