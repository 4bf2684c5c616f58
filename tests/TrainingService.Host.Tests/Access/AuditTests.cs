using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Access;

/// <summary>Who changed what is written down.</summary>
public sealed class AuditTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length", Job = """{"dataset": "iris", "training": {"epochs": 1}}""";

    private static readonly (string, string) Admin = ("X-Api-Key", AdminKey);

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Each_request_that_may_change_something_is_told_with_its_answer()
    {
        await using var host = await ClosedAsync();
        var made = await host.Http.Send("POST", "/api/v1/keys", """{"name": "laptop", "owner": "ada"}""", Admin);
        var (ada, secret) = (("X-Api-Key", made["key"].GetString()!), made["key"].GetString()!);
        var job = (await host.Http.PostJob(Job, ada)).Id;
        Assert.Equal(202, (await host.Http.Send("POST", $"/api/v1/jobs/{job}/cancel", null, ada)).Status);
        Assert.Equal(404, (await host.Http.Send("DELETE", $"/api/v1/jobs/{Guid.Empty}", null, ada)).Status);
        Assert.Equal(400, (await host.Http.PostJob("{", ada)).Status);
        Assert.Equal(403, (await host.Http.Send("POST", "/api/v1/keys", """{"name": "more"}""", ada)).Status);
        // these are not
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", ada)).Status);
        Assert.Equal(401, (await host.Http.PostJob(Job)).Status);
        (await host.Http.GetAnswer("/api/v1/audit", ada)).MustBeProblem(403, "forbidden");
        foreach (var address in (string[])["/api/v1/jobs/validate", "/api/v1/jobs?validateOnly=true"])
            Assert.Equal((200, 400), ((await host.Http.Send("POST", address, Job, ada)).Status,
                (await host.Http.Send("POST", address, """{"dataset": "none"}""", ada)).Status));

        var told = await EntriesAsync(host, "", 6);
        Assert.Equal(
        [
            "ada laptop POST /api/v1/keys   403", "ada laptop POST /api/v1/jobs   400",
            $"ada laptop DELETE /api/v1/jobs/{{id}} {Guid.Empty}  404",
            $"ada laptop POST /api/v1/jobs/{{id}}/cancel {job} /api/v1/jobs/{job} 202",
            $"ada laptop POST /api/v1/jobs  /api/v1/jobs/{job} 202", "admin admin POST /api/v1/keys   201",
        ], told.Select(Line));
        Assert.All(told, entry => Assert.Equal("127.0.0.1", entry.GetProperty("address").GetString()));
        var text = (await host.Http.GetAnswer("/api/v1/audit", Admin)).Text;
        Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain("iris", text, StringComparison.Ordinal);

        var since = Uri.EscapeDataString(told[4].GetProperty("at").GetString()!);
        foreach (var (query, count) in new[] { ("owner=ada", 5), ($"key={made.Id}", 5), ($"target={job}", 1), ("owner=eve", 0),
            ("route=%2Fapi%2Fv1%2Fjobs", 2), ($"since={since}", 5), ($"until={since}", 1) })
            Assert.Equal(count, (await host.Http.GetAnswer($"/api/v1/audit?{query}", Admin))["items"].GetArrayLength());
        var first = await host.Http.GetAnswer("/api/v1/audit?limit=4", Admin);
        Assert.Equal(2, (await host.Http.GetAnswer($"/api/v1/audit?limit=4&cursor={first["nextCursor"].GetString()}", Admin))["items"]
            .GetArrayLength());
    }

    [Fact]
    public async Task What_waits_is_stored_when_the_process_is_told_to_stop_and_goes_with_age()
    {
        const int Requests = 40;
        await using var host = await ClosedAsync();
        await Task.WhenAll(Enumerable.Range(0, Requests).Select(_ => host.Http.Send("DELETE", $"/api/v1/jobs/{Guid.Empty}", null, Admin)));
        await host.TerminateAsync();
        await using var db = Service.Context(_database);
        Assert.Equal(Requests, await db.Audit.CountAsync(TestContext.Current.CancellationToken));
        var limits = new RetentionLimits(null, null, null, TimeSpan.FromDays(1));
        foreach (var (days, gone) in new[] { (0.5, 0), (1.5, Requests) })
            Assert.Equal(gone, (await Retention.RunAsync(db, limits, DateTimeOffset.UtcNow.AddDays(days),
                TestContext.Current.CancellationToken)).Audit);
    }

    private static async Task<IReadOnlyList<JsonElement>> EntriesAsync(HostProcess host, string query, int count)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            var entries = (await host.Http.GetAnswer($"/api/v1/audit{query}", Admin))["items"];
            if (entries.GetArrayLength() >= count || DateTime.UtcNow > limit)
                return [.. entries.EnumerateArray()];
        }
    }

    private static string Line(JsonElement entry) => string.Join(' ',
        ((string[])["owner", "key", "method", "route", "target", "made", "status"]).Select(name =>
            entry.TryGetProperty(name, out var value) ? string.Create(CultureInfo.InvariantCulture, $"{value}") : ""));

    private Task<HostProcess> ClosedAsync() => HostProcess.StartAsync("api", _database,
        new Dictionary<string, string?> { [AccessSettings.AdminKey] = AdminKey });
}
