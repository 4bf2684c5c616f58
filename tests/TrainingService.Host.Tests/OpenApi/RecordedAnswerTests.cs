using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>The document's examples of answers are what the service has answered once.</summary>
public sealed class RecordedAnswerTests(Service service)
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>With <c>UPDATE_EXAMPLES=1</c> they are recorded anew; then build, and <c>UPDATE_OPENAPI=1</c>.</summary>
    [Fact]
    public async Task Every_example_of_an_answer_fits_its_schema()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_EXAMPLES") == "1")
            await File.WriteAllTextAsync(Recorded(), (await Record()).ToJsonString(Indented) + "\n", TestContext.Current.CancellationToken);
        var document = await Document.Read(service.Http);
        var (problems, examples) = (new List<string>(), 0);
        foreach (var path in document.Json.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject())
                foreach (var response in operation.Value.GetProperty("responses").EnumerateObject())
                    foreach (var media in response.Value.TryGetProperty("content", out var content) ? content.EnumerateObject() : [])
                        if (media.Value.TryGetProperty("example", out var example))
                        {
                            examples++;
                            problems.AddRange(document.Schemas.Errors(media.Value.GetProperty("schema"), example)
                                .Select(error => $"{operation.Name} {path.Name} {response.Name}: {error}"));
                        }
                        // a net as JSON is a file, like its other formats
                        else if (media.Name is "application/problem+json" or "application/json"
                            && media.Value.GetProperty("schema").TryGetProperty("$ref", out _))
                        {
                            problems.Add($"{operation.Name} {path.Name} {response.Name} has no example");
                        }
        Assert.True(problems.Count == 0, string.Join("\n", problems));
        Assert.True(examples > 200, $"only {examples}");
    }

    private async Task<JsonObject> Record()
    {
        var recorded = new JsonObject();
        var operations = (await Document.Read(service.Http)).Json.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation =>
                (Id: operation.Value.GetProperty("operationId").GetString()!, Method: operation.Name, Path: path.Name)))
            .ToDictionary(operation => operation.Id);
        async Task<JsonElement> Ask(string operation, string? body = null, string query = "", string id = "", string name = "")
        {
            var (_, method, path) = operations[operation];
            var answer = await service.Http.Send(method.ToUpperInvariant(), path.Replace("{id}", id, StringComparison.Ordinal)
                .Replace("{name}", name, StringComparison.Ordinal).Replace("{layer}", "0", StringComparison.Ordinal) + query, body);
            Assert.True(answer.Status is >= 200 and < 300, $"{operation}: {answer.Text}");
            recorded[operation] = new JsonObject { [$"{answer.Status}"] = Cut(JsonNode.Parse(answer.Text)) };
            return answer.Json;
        }

        const string Spec = """
            {"name": "iris, leaky relu", "dataset": "iris", "model": {"hiddenLayers": [16], "activation": "leaky_relu"},
             "training": {"epochs": 20}, "labels": {"team": "a"}}
            """;
        var job = (await Ask("createJob", Spec)).GetProperty("id").GetString()!;
        await Ask("validateJob", Spec);
        await service.Http.WaitForEndAsync(Guid.Parse(job));
        foreach (var operation in (string[])["getJob", "getFindings", "getPreflight", "getUnits", "listCheckpoints"])
            await Ask(operation, id: job);
        foreach (var operation in (string[])["getMetrics", "getLayers"])
            await Ask(operation, id: job, query: "?maxPoints=2");
        await Ask("predictByJob", """{"inputs": [[5.1, 3.5, 1.4, 0.2]]}""", id: job);
        await Ask("getMistakes", id: job, query: "?split=validation&limit=1");
        await Ask("getBoundary", id: job, query: "?resolution=8");
        await Ask("putModel", $$"""{"jobId": "{{job}}", "note": "the first"}""", name: "example-iris");
        foreach (var operation in (string[])["getRegisteredModel", "listModels"])
            await Ask(operation, name: "example-iris");
        await Ask("predictByModel", """{"inputs": [[5.1, 3.5, 1.4, 0.2]]}""", name: "example-iris");
        var rerun = (await Ask("verifyJob", id: job)).GetProperty("id").GetString()!;
        await service.Http.WaitForEndAsync(Guid.Parse(rerun));
        await Ask("getVerification", id: rerun);
        var clone = (await Ask("cloneJob", """{"training": {"epochs": 100000}}""", id: job)).GetProperty("id").GetString()!;
        foreach (var operation in (string[])["pauseJob", "resumeJob", "cancelJob"])
            await Ask(operation, id: clone);
        await service.Http.WaitForEndAsync(Guid.Parse(clone));
        await Ask("retryJob", id: clone);
        await Ask("changeJobs", """{"filter": {"label": ["team=a"], "status": ["queued", "running"]}, "action": "cancel"}""");
        await Ask("listJobs", query: "?limit=1&label=team%3Da&status=succeeded");
        var sweep = (await Ask("createSweep", """
            {"name": "tanh against relu", "base": {"dataset": "iris", "training": {"epochs": 5}},
             "grid": {"/model/activation": ["relu", "tanh"]}, "seedCount": 6}
            """)).GetProperty("id").GetString()!;
        await service.Http.WaitForSweepEnd(sweep);
        await Ask("listSweepJobs", id: sweep, query: "?limit=1");
        foreach (var operation in (string[])["getSweep", "getSweepReport", "getSweepImportance"])
            await Ask(operation, id: sweep);
        await Ask("extendSweep", """{"seedCount": 7}""", id: sweep);
        await Ask("cancelSweep", id: sweep);
        await Ask("listSweeps", query: "?limit=1");
        await Ask("validateSweep", """
            {"base": {"dataset": "iris", "training": {"epochs": 5}}, "grid": {"/model/activation": ["relu", "tanh"]}, "seedCount": 6}
            """);
        await Ask("validateStudy", """{"dataset": "iris"}""", name: "relu-vs-leaky-relu");
        await Ask("listStudies");
        await Ask("getStudy", name: "relu-vs-leaky-relu");
        var study = (await Ask("runStudy", """{"dataset": "iris", "seedCount": 2}""", name: "relu-vs-leaky-relu")).GetProperty("id");
        await service.Http.Send("POST", $"/api/v1/sweeps/{study}/cancel");
        await Ask("listDatasets", query: "?limit=2");
        await Ask("getDataset", name: "iris");
        await Ask("previewDataset", name: "iris", query: "?rows=2");
        await Ask("getHistograms", name: "iris", query: "?limit=2");
        await Ask("getActivation", name: "leaky_relu");
        await Ask("getInitializer", name: "kaiming_normal");
        foreach (var operation in (string[])["listActivations", "listInitializers", "listJobFields", "getLiveness", "getReadiness"])
            await Ask(operation);
        return recorded;
    }

    /// <summary>Long lists by their beginning: the first two of what has parts of its own, four of what has none.</summary>
    private static JsonNode? Cut(JsonNode? node) => node switch
    {
        JsonArray list => new JsonArray([.. list.Take(list.Any(item => item is JsonObject or JsonArray) ? 2 : 4).Select(Cut)]),
        JsonObject fields => new JsonObject(fields.Select(field => KeyValuePair.Create(field.Key, Cut(field.Value)))),
        _ => node?.DeepClone(),
    };

    private static string Recorded([CallerFilePath] string here = "") => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(here)!, "../../../src/TrainingService.Host/Hosting/OpenApi/answers.json"));
}
