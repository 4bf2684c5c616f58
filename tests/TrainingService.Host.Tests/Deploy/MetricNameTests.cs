using System.Text.Json;
using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Hosting;

namespace TrainingService.Host.Tests.Deploy;

/// <summary>The dashboard and the alerts ask for what is exported, and for labels that it has.</summary>
public sealed partial class MetricNameTests(Service service) : IAsyncLifetime
{
    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task What_the_dashboard_and_the_alerts_ask_for_is_exported()
    {
        await using var host = await HostProcess.StartAsync("all", _database);
        await host.Http.WaitForEndAsync(await host.Http.SubmitAsync());
        var there = await ObservabilityTests.ReadAsync(host.Http);
        // counts nothing as long as no worker fell silent
        there["training_takeovers_total"] = 0;
        var asked = Dashboard().Concat(Alerts()).ToList();
        Assert.True(asked.Count > 20);
        foreach (var expression in asked)
            foreach (Match use in Use().Matches(expression))
            {
                var name = use.Groups["name"].Value;
                var series = there.Keys.Where(key => key.Split('{')[0] == name).ToList();
                Assert.True(series.Count > 0, $"{name}, of {expression}");
                var labels = Label().Matches(use.Groups["labels"].Value).Select(label => label.Groups["name"].Value);
                Assert.All(labels, label => Assert.Contains(series, key => key.Contains($"{label}=", StringComparison.Ordinal)));
            }
        foreach (var (expression, label) in asked.SelectMany(expression => By().Matches(expression)
            .SelectMany(by => by.Groups["labels"].Value.Split(", ")).Select(label => (expression, label))))
            Assert.True(label == "instance" || Use().Matches(expression).Any(use => there.Keys.Any(key =>
                key.StartsWith(use.Groups["name"].Value + "{", StringComparison.Ordinal)
                && key.Contains($"{label}=", StringComparison.Ordinal))), $"{label}, of {expression}");
    }

    private static List<string> Alerts() =>
        [.. Repository.ReadYaml("deploy/observability/alerts.yaml").SelectMany(file => Repository.ValuesOf(file, "expr"))];

    private static List<string> Dashboard()
    {
        using var dashboard = JsonDocument.Parse(Repository.Read("deploy/observability/grafana.json"));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!)];
    }

    [GeneratedRegex(@"\b(?<name>(training|http|db|dotnet)_\w+)\b(?![^{(]*\) \()(\{(?<labels>[^}]*)\})?")]
    private static partial Regex Use();

    [GeneratedRegex(@"(?<name>\w+)=")]
    private static partial Regex Label();

    [GeneratedRegex(@"by \((?<labels>[\w, ]+)\)")]
    private static partial Regex By();
}
