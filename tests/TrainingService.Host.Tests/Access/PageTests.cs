using System.Text.RegularExpressions;
using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Access;

/// <summary>What browsers are told to do, and not to do, with what they get.</summary>
public sealed partial class PageTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length", Lab = "https://lab.example.org";

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task No_page_has_a_script_in_it_nor_may_run_one_nor_be_shown_in_another()
    {
        await service.Http.SubmitAsync();
        var sweep = await service.Http.SubmitSweep(
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""");
        foreach (var path in (string[])["/swagger/index.html", "/hangfire", "/hangfire/jobs/enqueued", "/hangfire/jobs/succeeded",
            "/hangfire/servers", "/hangfire/retries", "/hangfire/recurring", $"/api/v1/sweeps/{sweep}/report"])
        {
            var page = await service.Http.GetAnswer(path, ("Accept", "text/html"));
            Assert.Equal((200, "text/html"), (page.Status, page.MediaType));
            Assert.DoesNotMatch(InPlace(), page.Text);
            var policy = Header(page, "Content-Security-Policy");
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
            // those that come with files of their own may load them; a report is all in one
            Assert.Equal(path.EndsWith("/report", StringComparison.Ordinal),
                !policy.Contains("script-src 'self';", StringComparison.Ordinal));
            Assert.DoesNotMatch("script-src[^;]*unsafe", policy);
            Assert.Equal(("nosniff", "same-origin"), (Header(page, "X-Content-Type-Options"), Header(page, "Referrer-Policy")));
            Assert.False(page.Headers.Contains("Strict-Transport-Security"));
        }
        foreach (var path in (string[])["/api/v1/jobs", "/api/v1/jobs/none", "/swagger/swagger-ui.css", "/openapi/v1.json"])
            Assert.Equal("nosniff", Header(await service.Http.GetAnswer(path), "X-Content-Type-Options"));
    }

    [Fact]
    public async Task Behind_a_proxy_with_tls_browsers_are_told_to_stay_with_it()
    {
        await using var host = await HostAsync(new() { ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true" });
        Assert.Equal("max-age=31536000",
            Header(await host.Http.GetAnswer("/api/v1/jobs", ("X-Forwarded-Proto", "https")), "Strict-Transport-Security"));
        Assert.False((await host.Http.GetAnswer("/api/v1/jobs")).Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Pages_of_origins_that_are_named_may_call_with_a_key_and_by_nothing_else()
    {
        await using var host = await HostAsync(new()
        {
            [AccessSettings.AdminKey] = AdminKey,
            [Cors.Setting] = $"{Lab}/, http://localhost:3000",
        });
        var (cancel, key, site) = ($"/api/v1/jobs/{Guid.Empty}/cancel", ("X-Api-Key", AdminKey), ("Sec-Fetch-Site", "cross-site"));
        var preflight = await host.Http.Send("OPTIONS", "/api/v1/jobs", null, ("Origin", Lab),
            ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-api-key,content-type,idempotency-key"));
        Assert.Equal((204, Lab), (preflight.Status, Header(preflight, "Access-Control-Allow-Origin")));
        var read = await host.Http.GetAnswer("/api/v1/jobs", key, ("Origin", Lab));
        Assert.Equal((200, Lab), (read.Status, Header(read, "Access-Control-Allow-Origin")));
        foreach (var header in (string[])["Location", "ETag", "Retry-After", "RateLimit", "traceparent"])
            Assert.Contains(header, Header(read, "Access-Control-Expose-Headers"), StringComparison.OrdinalIgnoreCase);
        Assert.False(read.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Equal(404, (await host.Http.Send("POST", cancel, null, ("Origin", Lab), key, site)).Status);
        Assert.Equal(404, (await host.Http.Send("POST", cancel, null, ("Origin", "http://localhost:3000"), site,
            ("Authorization", $"Bearer {AdminKey}"))).Status);
        var refused = await host.Http.Send("POST", cancel, null, ("Origin", Lab), site);
        Assert.Equal((401, Lab), (refused.Status, Header(refused, "Access-Control-Allow-Origin")));
        var basic = ("Authorization", $"Basic {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"a:{AdminKey}"))}");
        foreach (var mine in new[] { ("Cookie", "a=b"), basic })
            Assert.Equal(403, (await host.Http.Send("POST", cancel, null, ("Origin", Lab), site, mine)).Status);
        foreach (var other in (string[])["https://lab.example.org.evil.example", "http://lab.example.org", "null"])
        {
            Assert.Equal(403, (await host.Http.Send("POST", cancel, null, ("Origin", other), key, site)).Status);
            Assert.False(MayRead(await host.Http.GetAnswer("/api/v1/jobs", key, ("Origin", other))));
        }
    }

    [Fact]
    public async Task Without_names_no_page_of_another_origin_may_read_anything()
    {
        Assert.False(MayRead(await service.Http.GetAnswer("/api/v1/jobs?limit=1", ("Origin", Lab))));
        var (exitCode, errors, _) = await HostProcess.RunAsync(["--role", "api"], new Dictionary<string, string?>
        {
            ["ConnectionStrings__Training"] = _database,
            [Cors.Setting] = "*",
        });
        Assert.NotEqual(0, exitCode);
        Assert.Contains("must name origins such as", errors, StringComparison.Ordinal);
    }

    private static bool MayRead(Answer answer) => answer.Headers.Contains("Access-Control-Allow-Origin");

    private static string Header(Answer answer, string name) => Assert.Single(answer.Headers.GetValues(name));

    private Task<HostProcess> HostAsync(Dictionary<string, string?> settings) => HostProcess.StartAsync("api", _database, settings);

    /// <summary>A script without an address, a handler in an attribute, or a script as an address.</summary>
    [GeneratedRegex(@"<script(?![^>]*\ssrc=)|<[^>]+\son[a-z]+\s*=|[""']\s*javascript:", RegexOptions.IgnoreCase)]
    private static partial Regex InPlace();
}
