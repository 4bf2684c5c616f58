using System.Net;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Models;

public sealed class RegistryTests(Service service)
{
    private const string Root = "/api/v1/models";

    private static readonly string Name = $"flowers-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_name_stands_for_its_latest_version_and_remembers_those_before()
    {
        var (first, second) = (await Train(1), await Train(2));
        string IdOf(JsonElement job) => job.GetProperty("id").GetString()!;
        Task<Answer> Put(JsonElement job, string note) =>
            service.Http.Send("PUT", $"{Root}/{Name}", JsonSerializer.Serialize(new { jobId = IdOf(job), note, by = "anna" }));

        Assert.Equal((200, 1), ((await Put(first, "a start")) is var one ? one.Status : 0, one["version"].GetInt32()));
        Assert.Equal(1, (await Put(first, "a start"))["version"].GetInt32());
        Assert.Equal(2, (await Put(second, "better"))["version"].GetInt32());
        var model = await service.Http.GetAnswer($"{Root}/{Name}");
        Assert.Equal((2, IdOf(second), "better", "anna"),
            (model["version"].GetInt32(), model["jobId"].GetString(), model["note"].GetString(), model["by"].GetString()));
        Assert.Equal(["better", "a start"], model["versions"].EnumerateArray().Select(v => v.GetProperty("note").GetString()));

        // its answers and files are those of the job
        var ask = """{"inputs": [[5.1, 3.5, 1.4, 0.2]]}""";
        Assert.Equal((await service.Http.Send("POST", second.Path() + "/predictions", ask)).Text,
            (await service.Http.Send("POST", $"{Root}/{Name}/predictions", ask)).Text);
        Assert.Equal(await service.Http.GetByteArrayAsync(second.Path() + "/model", TestContext.Current.CancellationToken),
            await service.Http.GetByteArrayAsync($"{Root}/{Name}/model?format=onnx", TestContext.Current.CancellationToken));

        // page by page
        var other = Name + ".b";
        await service.Http.Send("PUT", $"{Root}/{other}", JsonSerializer.Serialize(new { jobId = IdOf(first) }));
        var (names, cursor) = (new List<string>(), "");
        do
        {
            var page = await service.Http.GetAnswer($"{Root}?limit=1{cursor}");
            names.AddRange(page["items"].EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
            cursor = page["nextCursor"].ValueKind is JsonValueKind.Null ? "" : $"&cursor={page["nextCursor"].GetString()}";
        }
        while (cursor.Length > 0);
        Assert.Equal([Name, other], names.Where(n => n.StartsWith(Name, StringComparison.Ordinal)));
        Assert.Equal(names.Order(StringComparer.Ordinal), names);

        // the job goes, the name says so
        Assert.Equal(204, (await service.Http.Send("DELETE", second.Path())).Status);
        (await service.Http.Send("POST", $"{Root}/{Name}/predictions", ask)).MustBeProblem(410, "gone");
        Assert.False((await service.Http.GetAnswer($"{Root}/{Name}")).Json.TryGetProperty("jobId", out _));
        Assert.Equal(204, (await service.Http.Send("DELETE", $"{Root}/{Name}")).Status);
        (await service.Http.GetAnswer($"{Root}/{Name}")).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task A_name_needs_a_job_with_a_net()
    {
        (await service.Http.Send("PUT", $"{Root}/x", $$"""{"jobId": "{{Guid.NewGuid()}}"}""")).MustBeProblem(404, "not-found");
        (await service.Http.Send("PUT", $"{Root}/x%20y", $$"""{"jobId": "{{Guid.NewGuid()}}"}""")).MustBeProblem(400, "validation");
        (await service.Http.Send("PUT", $"{Root}/x", """{"note": "y"}""")).MustBeProblem(400, "validation");
        var without = await service.Http.TrainAsync("""{"dataset": "iris", "training": {"epochs": 1}, "storeWeights": false}""");
        (await service.Http.Send("PUT", $"{Root}/x", $$"""{"jobId": "{{without.GetProperty("id").GetString()}}"}"""))
            .MustBeProblem(409, "conflict");
        (await service.Http.GetAnswer($"{Root}/x")).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task A_net_can_be_had_in_three_formats()
    {
        var job = await service.Http.TrainAsync("""
            {"dataset": "penguins", "model": {"hiddenLayers": [8], "activation": "prelu", "normalization": "batch_norm"},
             "training": {"epochs": 3}}
            """);
        using var onnx = await service.Http.GetAsync(new Uri(job.Path() + "/model", UriKind.Relative),
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, onnx.StatusCode);
        Assert.EndsWith(".onnx", onnx.Content.Headers.ContentDisposition!.FileName!.Trim('"'), StringComparison.Ordinal);
        using var session = new InferenceSession(await onnx.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(Kept.Columns("penguins"), session.InputMetadata.Keys);
        Assert.Equal(["label", "probabilities"], session.OutputMetadata.Keys);
        var result = job.GetProperty("result");
        Assert.Equal(result.GetProperty("datasetSha256").GetString(), session.ModelMetadata.CustomMetadataMap["datasetSha256"]);

        var file = await service.Http.GetByteArrayAsync(job.Path() + "/model?format=safetensors", TestContext.Current.CancellationToken);
        var header = JsonDocument.Parse(file.AsMemory(8, (int)BitConverter.ToUInt64(file))).RootElement;
        Assert.Equal(result.GetProperty("weightsSha256").GetString(),
            header.GetProperty("__metadata__").GetProperty("weightsSha256").GetString());
        // as in PyTorch: Sequential(Linear, BatchNorm1d, PReLU, Linear)
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "2.weight", "3.weight", "3.bias"],
            header.EnumerateObject().Select(p => p.Name).Where(name => name != "__metadata__"));
        var json = (await service.Http.GetAnswer(job.Path() + "/model?format=json")).Json;
        var place = header.GetProperty("3.weight").GetProperty("data_offsets")[0].GetInt32() + 8 + (int)BitConverter.ToUInt64(file);
        var weight = json.GetProperty("layers")[3].GetProperty("tensors")[0];
        Assert.Equal([3, 8], weight.GetProperty("shape").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal(BitConverter.ToSingle(file, place), weight.GetProperty("values")[0].GetSingle());
        Assert.Equal("prelu", json.GetProperty("layers")[2].GetProperty("activation").GetProperty("name").GetString());
        Assert.Equal(file.Length,
            header.GetProperty("3.bias").GetProperty("data_offsets")[1].GetInt32() + 8 + (int)BitConverter.ToUInt64(file));
        (await service.Http.GetAnswer(job.Path() + "/model?format=pickle")).MustBeProblem(400, "validation");
    }

    private async Task<JsonElement> Train(int seed) => await service.Http.TrainAsync(
        "{\"dataset\": \"iris\", \"model\": {\"hiddenLayers\": [5]}, \"training\": {\"epochs\": 1, \"seed\": " + (100 + seed) + "}}");
}
