using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Uploads;

namespace TrainingService.Host.Tests.Hosting;

public sealed class CommandsTests(Service service)
{
    [Fact]
    public async Task Healthcheck_is_0_while_the_service_is_ready()
    {
        var (exitCode, errors, _) = await HostProcess.RunAsync(["healthcheck"],
            Urls($"http://0.0.0.0:{service.Http.BaseAddress!.Port};http://127.0.0.1:1"));
        Assert.Equal((0, ""), (exitCode, errors));
    }

    [Fact]
    public async Task Healthcheck_is_1_with_a_reason_where_nobody_answers()
    {
        var (exitCode, errors, _) = await HostProcess.RunAsync(["healthcheck"], Urls("http://127.0.0.1:1"));
        Assert.Equal(1, exitCode);
        Assert.StartsWith("no answer: ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_trains_the_sample_well_and_shows_result_layers_and_addresses()
    {
        var (exitCode, errors, log) =
            await HostProcess.RunAsync(["demo", "--url", service.Http.BaseAddress!.ToString()], new Dictionary<string, string?>());
        Assert.Equal((0, ""), (exitCode, errors));
        var test = log.Split('\n').Single(line => line.Contains("test ", StringComparison.Ordinal))
            .Split([' ', '│'], StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(double.Parse(test[2], System.Globalization.CultureInfo.InvariantCulture), 96, 100);
        Assert.All(["hidden1", "hidden2", "output", "sparsity", "dead", "born", "died"],
            word => Assert.Contains(word, log, StringComparison.Ordinal));
        Assert.Contains($"{service.Http.BaseAddress}swagger", log, StringComparison.Ordinal);
        Assert.Contains($"{service.Http.BaseAddress}api/v1/jobs/", log, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', log);
    }

    [Fact]
    public async Task Demo_goes_from_a_file_of_ones_own_to_a_verdict()
    {
        var folder = Directory.CreateTempSubdirectory("demo-");
        try
        {
            // The name of a built-in data set, a column that can't be used, and one that names the rows.
            var file = Path.Combine(folder.FullName, "iris.csv");
            var lines = UploadClient.Flowers(150).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            await File.WriteAllLinesAsync(file, lines.Select((line, i) => i == 0 ? $"{line},note" : $"{line},note {i} of {i * 7}"),
                TestContext.Current.CancellationToken);
            var (exitCode, errors, log) = await HostProcess.RunAsync(
                ["demo", "--url", service.Http.BaseAddress!.ToString(), "--csv", file, "--target", "kind"],
                new Dictionary<string, string?> { ["TRAINING_DATA_DIR"] = folder.FullName });
            Assert.Equal((0, ""), (exitCode, errors));
            // It ends with the verdict, the net as a file, and how to ask it.
            var model = Path.Combine(folder.FullName, "models", "iris.onnx");
            Assert.Matches($"The model +{System.Text.RegularExpressions.Regex.Escape(model)}", log);
            using (var session = new Microsoft.ML.OnnxRuntime.InferenceSession(model))
                Assert.Contains("length", session.InputMetadata.Keys);
            Assert.Matches("head -n 4 iris.csv \\| curl -s http://.*/predictions -H 'Content-Type: text/csv' --data-binary @-", log);
            var job = System.Text.RegularExpressions.Regex.Match(log, "api/v1/jobs/([0-9a-f-]{36})/predictions").Groups[1].Value;
            var asked = await service.Http.Send("POST", $"/api/v1/jobs/{job}/predictions",
                System.Text.Encoding.UTF8.GetBytes(string.Join('\n', (await File.ReadAllLinesAsync(file,
                    TestContext.Current.CancellationToken)).Take(4))), "text/csv");
            Assert.True(asked.Status == 200 && asked["labels"].GetArrayLength() == 3, asked.Text);
            Assert.All(["Left out", "note", "Stored as 'own-iris', version 1: 150 rows", "leaky ReLU against ReLU: succeeded",
                "Verdict on testAccuracy", $"{service.Http.BaseAddress}api/v1/sweeps/"], words =>
                    Assert.Contains(words, log, StringComparison.Ordinal));
            (exitCode, errors, _) = await HostProcess.RunAsync(
                ["demo", "--url", service.Http.BaseAddress.ToString(), "--csv", file, "--target", "knd"], new Dictionary<string,
                    string?>());
            Assert.Equal(1, exitCode);
            Assert.Contains("there is no column 'knd': did you mean 'kind'?", errors, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("demo", "--url", "http://127.0.0.1:1", "--csv", "x.csv")]
    [InlineData("demo")]
    [InlineData("demo", "--url", "nonsense")]
    [InlineData("healthcheck", "--now")]
    public async Task Misused_commands_tell_their_usage(params string[] arguments)
    {
        var (exitCode, errors, _) = await HostProcess.RunAsync(arguments, new Dictionary<string, string?>());
        Assert.Equal(2, exitCode);
        Assert.StartsWith("Usage: ", errors, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Urls(string urls) => new() { ["ASPNETCORE_URLS"] = urls };
}
