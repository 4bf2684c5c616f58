using System.Net;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Hosting;

/// <summary>What Hangfire's pages show, where no worker takes anything away.</summary>
public sealed class DashboardTests(Service service) : IAsyncLifetime
{
    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Entries_have_the_names_of_jobs_and_sweeps_and_html_in_them_is_text()
    {
        await using var api = await HostProcess.StartAsync("api", _database);
        await api.Http.PostJob("""{"name": "mine <b>", "dataset": "iris", "priority": "high"}""");
        var id = (await api.Http.PostJob("""{"dataset": "iris", "priority": "high"}""")).Id;
        await api.Http.SubmitSweep(
            $$"""{"name": "slopes", "base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 3}""");
        var high = await PageAsync(api.Http, "high", "&#39;mine &lt;b&gt;&#39;");
        Assert.Contains($"job {id}", high, StringComparison.Ordinal);
        Assert.DoesNotContain("mine <b>", high, StringComparison.Ordinal);
        await PageAsync(api.Http, "low", "all that waits with priority low, now 6 cells of sweep &#39;slopes&#39;");
    }

    /// <summary>The page of a queue, once it has a text: wake-ups come a little later than the answers.</summary>
    private static async Task<string> PageAsync(HttpClient http, string queue, string text)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            var page = (await http.GetAnswer($"/hangfire/jobs/enqueued/{queue}")).Text;
            if (page.Contains(text, StringComparison.Ordinal))
                return page;
            Assert.True(DateTime.UtcNow < limit, WebUtility.HtmlDecode(page));
        }
    }
}
