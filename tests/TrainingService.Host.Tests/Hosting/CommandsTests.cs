using TrainingService.Host.Tests.Fixtures;

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

    [Theory]
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
