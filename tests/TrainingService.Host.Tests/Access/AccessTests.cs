using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Access;

/// <summary>Who may do what, where the service has access keys.</summary>
public sealed partial class AccessTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length", Job = """{"dataset": "iris", "training": {"epochs": 1}}""";

    private static readonly (string, string) Admin = ("X-Api-Key", AdminKey);

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Without_a_key_nothing_is_served_but_health_and_the_document()
    {
        await using var host = await ClosedAsync();
        var read = await KeyAsync(host, "read");
        var document = (await host.Http.GetAnswer("/openapi/v1.json")).Json;
        var walked = 0;
        foreach (var path in document.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject())
            {
                if (path.Name.StartsWith("/health", StringComparison.Ordinal))
                    continue;
                var (method, address) = (operation.Name.ToUpperInvariant(), Parameter().Replace(path.Name, Guid.Empty.ToString()));
                (await host.Http.Send(method, address)).MustBeProblem(401, "unauthorized");
                (await host.Http.Send(method, address, null, ("Authorization", "Bearer tsk_guessed"))).MustBeProblem(401, "unauthorized");
                var reading = await host.Http.Send(method, address, method is "GET" or "DELETE" ? null : "{}", ("X-Api-Key", read));
                var needsMore = path.Name is "/api/v1/keys" or "/api/v1/audit" or "/api/v1/webhooks/secret";
                Assert.True(method is not "GET" || needsMore ? reading.Status == 403
                    : reading.Status is not (401 or 403), $"{method} {address}: {reading.Status} {reading.Text}");
                walked++;
            }
        Assert.InRange(walked, 50, 500);
        foreach (var open in (string[])["/health/live", "/health/ready", "/openapi/v1.json", "/swagger/index.html"])
            Assert.Equal(200, (await host.Http.GetAnswer(open)).Status);
        foreach (var closed in (string[])["/hangfire", "/metrics", "/nowhere"])
            Assert.Equal(401, (await host.Http.GetAnswer(closed)).Status);
    }

    [Fact]
    public async Task Each_scope_may_do_what_those_before_it_may()
    {
        await using var host = await ClosedAsync();
        var (read, submit, admin) = (await KeyAsync(host, "read"), await KeyAsync(host, "submit"), await KeyAsync(host, "admin"));
        foreach (var (key, jobs, posted, keys) in new[] { (read, 200, 403, 403), (submit, 200, 202, 403), (admin, 200, 202, 200) })
        {
            Assert.Equal(jobs, (await host.Http.GetAnswer("/api/v1/jobs", ("X-Api-Key", key))).Status);
            Assert.Equal(posted, (await host.Http.PostJob(Job, ("X-Api-Key", key))).Status);
            Assert.Equal(keys, (await host.Http.GetAnswer("/api/v1/keys", ("X-Api-Key", key))).Status);
            Assert.Equal(keys, (await host.Http.GetAnswer("/hangfire", ("X-Api-Key", key))).Status);
        }
        var refused = await host.Http.PostJob(Job, ("X-Api-Key", read));
        Assert.Contains("needs 'submit'", refused["detail"].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_sent_as_bearer_as_a_header_of_its_own_or_as_a_password()
    {
        await using var host = await ClosedAsync();
        var key = await KeyAsync(host, "read");
        var login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"anybody:{key}"));
        foreach (var header in new[] { ("Authorization", $"Bearer {key}"), ("authorization", $"bearer {key}"), ("X-Api-Key", key),
            ("Authorization", $"Basic {login}"), ("Authorization", $"Bearer {AdminKey}") })
            Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", header)).Status);
        foreach (var header in new[] { ("Authorization", key), ("Authorization", "Basic ?"), ("Authorization", "Bearer"),
            ("X-Api-Key", "") })
            Assert.Equal(401, (await host.Http.GetAnswer("/api/v1/jobs", header)).Status);
        Assert.StartsWith("Basic", (await host.Http.GetAnswer("/hangfire")).Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal("Bearer", (await host.Http.GetAnswer("/api/v1/jobs")).Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task What_is_revoked_replaced_or_expired_is_so_in_every_process_at_once()
    {
        await using var host = await ClosedAsync();
        await using var other = await ClosedAsync();
        async Task<Answer> AskedElsewhere(string key) => await other.Http.GetAnswer("/api/v1/jobs", ("X-Api-Key", key));
        var made = await host.Http.Send("POST", "/api/v1/keys", """{"name": "laptop", "owner": "ada", "scopes": ["read"]}""", Admin);
        Assert.Equal(201, made.Status);
        var first = made["key"].GetString()!;
        Assert.Equal(200, (await AskedElsewhere(first)).Status);
        var replaced = await host.Http.Send("POST", $"/api/v1/keys/{made.Id}/rotate", null, Admin);
        Assert.Equal((201, "ada"), (replaced.Status, replaced["owner"].GetString()));
        Assert.Contains("revoked", (await AskedElsewhere(first))["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal(409, (await host.Http.Send("POST", $"/api/v1/keys/{made.Id}/rotate", null, Admin)).Status);
        var second = replaced["key"].GetString()!;
        Assert.Equal(200, (await AskedElsewhere(second)).Status);
        Assert.Equal(204, (await host.Http.Send("DELETE", $"/api/v1/keys/{replaced.Id}", null, Admin)).Status);
        Assert.Equal(204, (await host.Http.Send("DELETE", $"/api/v1/keys/{replaced.Id}", null, Admin)).Status);
        Assert.Equal(401, (await AskedElsewhere(second)).Status);
        Assert.Equal(404, (await host.Http.Send("DELETE", $"/api/v1/keys/{Guid.Empty}", null, Admin)).Status);

        var brief = await KeyAsync(host, "read");
        await using (var db = Service.Context(_database))
            await db.ApiKeys.Where(key => key.Hash == ApiKey.HashOf(brief)).ExecuteUpdateAsync(
                set => set.SetProperty(key => key.ExpiresAt, DateTimeOffset.UtcNow.AddSeconds(-1)), TestContext.Current.CancellationToken);
        Assert.Contains("expired", (await AskedElsewhere(brief))["detail"].GetString(), StringComparison.Ordinal);

        var listed = (await host.Http.GetAnswer("/api/v1/keys", Admin))["items"];
        Assert.Equal(3, listed.GetArrayLength());
        Assert.All(listed.EnumerateArray(), key => Assert.False(key.TryGetProperty("key", out _) || key.TryGetProperty("hash", out _)));
        Assert.NotEqual(JsonValueKind.Null, listed[2].GetProperty("lastUsedAt").ValueKind);
    }

    [Fact]
    public async Task The_first_key_closes_what_was_open_and_the_last_admin_stays()
    {
        await using var host = await HostProcess.StartAsync("api", _database);
        await using var other = await HostProcess.StartAsync("api", _database);
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs")).Status);
        (await host.Http.Send("POST", "/api/v1/keys", """{"name": "first"}""")).MustBeProblem(409, "conflict");
        var made = await host.Http.Send("POST", "/api/v1/keys", """{"name": "first", "scopes": ["admin"]}""");
        Assert.Equal(201, made.Status);
        var admin = ("X-Api-Key", made["key"].GetString()!);
        Assert.Equal(401, (await host.Http.GetAnswer("/api/v1/jobs")).Status);
        while ((await other.Http.GetAnswer("/api/v1/jobs")).Status != 401)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        (await host.Http.Send("DELETE", $"/api/v1/keys/{made.Id}", null, admin)).MustBeProblem(409, "conflict");
        var second = await host.Http.Send("POST", "/api/v1/keys", """{"name": "second", "scopes": ["admin"]}""", admin);
        Assert.Equal(204, (await host.Http.Send("DELETE", $"/api/v1/keys/{made.Id}", null, admin)).Status);
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/keys", ("X-Api-Key", second["key"].GetString()!))).Status);
    }

    [Theory]
    [InlineData("""{"name": "a", "scopes": []}""", "/scopes")]
    [InlineData("""{"name": "a", "scopes": ["write"]}""", "/scopes/0")]
    [InlineData("""{"name": "a", "expiresAt": "2020-01-01T00:00:00Z"}""", "/expiresAt")]
    [InlineData("""{"name": ""}""", "/name")]
    [InlineData("""{"name": "none"}""", "/name")]
    [InlineData("""{"name": "a", "owner": "none"}""", "/owner")]
    public async Task A_key_that_makes_no_sense_is_refused(string body, string place) =>
        Assert.NotEmpty((await service.Http.Send("POST", "/api/v1/keys", body)).Error(place));

    [Fact]
    public async Task A_command_makes_a_key_of_which_only_the_hash_is_kept()
    {
        var (exitCode, _, output) = await HostProcess.RunAsync(["keys", "create", "operator"],
            new Dictionary<string, string?> { ["ConnectionStrings__Training"] = _database });
        Assert.Equal(0, exitCode);
        var key = output.Split('\n').Single(line => line.StartsWith(ApiKey.Prefix, StringComparison.Ordinal));
        await using var host = await HostProcess.StartAsync("api", _database);
        Assert.Equal(401, (await host.Http.GetAnswer("/api/v1/keys")).Status);
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/keys", ("Authorization", $"Bearer {key}"))).Status);
        await using var db = Service.Context(_database);
        var row = Assert.Single(await db.Database.SqlQuery<string>($"""SELECT api_keys::text AS "Value" FROM api_keys""")
            .ToListAsync(TestContext.Current.CancellationToken));
        Assert.DoesNotContain(key, row, StringComparison.Ordinal);
        Assert.Contains(key[..8], row, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Origin", "https://elsewhere.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_page_of_another_site_changes_nothing(string header, string value)
    {
        foreach (var path in (string[])["/api/v1/jobs", $"/api/v1/jobs/{Guid.Empty}/cancel", "/hangfire/jobs/enqueued/delete"])
            (await service.Http.Send("POST", path, "x"u8.ToArray(), "text/plain", (header, value))).MustBeProblem(403, "forbidden");
        Assert.Equal(200, (await service.Http.GetAnswer("/api/v1/jobs", (header, value))).Status);
    }

    [Fact]
    public async Task Pages_of_the_service_itself_may_ask_for_changes()
    {
        var here = service.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        foreach (var header in new[] { ("Origin", here), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "none") })
            Assert.Equal(404, (await service.Http.Send("POST", $"/api/v1/jobs/{Guid.Empty}/cancel", null, header)).Status);
    }

    [Fact]
    public async Task Where_access_is_open_the_service_answers_to_no_name_of_a_site()
    {
        foreach (var (name, status) in new[] { ("elsewhere.example", 421), ("127.0.0.1.elsewhere.example:80", 421), ("localhost", 200),
            ("api:8080", 200), ("[::1]:8080", 200), ("10.1.2.3", 200), ("api.training.svc.cluster.local", 200) })
            Assert.Equal(status, (await service.Http.GetAnswer("/api/v1/jobs?limit=1", ("Host", name))).Status);
        await using var host = await ClosedAsync();
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", Admin, ("Host", "train.example"))).Status);
        await using var named = await HostProcess.StartAsync("api", _database,
            new Dictionary<string, string?> { [Hosts.Setting] = "127.0.0.1, *.example.org" });
        Assert.Equal(200, (await named.Http.GetAnswer("/api/v1/jobs", ("Host", "train.example.org"))).Status);
        Assert.Equal(421, (await named.Http.GetAnswer("/api/v1/jobs", ("Host", "localhost"))).Status);
        Assert.Equal(200, (await named.Http.GetAnswer("/health/ready", ("Host", "localhost"))).Status);
    }

    [Fact]
    public async Task With_a_key_any_address_may_be_listened_on()
    {
        await using var host = await HostProcess.StartAsync("api", _database, new Dictionary<string, string?>
        {
            [AccessSettings.AdminKey] = AdminKey,
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0;http://0.0.0.0:0",
        });
        var (exitCode, errors, _) = await HostProcess.RunAsync(["--role", "api"], new Dictionary<string, string?>
        {
            ["ConnectionStrings__Training"] = _database,
            [AccessSettings.AdminKey] = "short",
        });
        Assert.NotEqual(0, exitCode);
        Assert.Contains("at least 24 characters", errors, StringComparison.Ordinal);
    }

    private Task<HostProcess> ClosedAsync() => HostProcess.StartAsync("api", _database,
        new Dictionary<string, string?> { [AccessSettings.AdminKey] = AdminKey });

    private static async Task<string> KeyAsync(HostProcess host, string scope) =>
        (await host.Http.Send("POST", "/api/v1/keys", $$"""{"name": "{{scope}} key", "scopes": ["{{scope}}"]}""", Admin))["key"]
            .GetString()!;

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
