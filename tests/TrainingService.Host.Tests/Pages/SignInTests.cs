using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Pages;

/// <summary>Where there are keys, people sign in with one.</summary>
public sealed class SignInTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length";

    private static readonly (string, string) Html = ("Accept", "text/html");

    private string _database = "";
    private HostProcess? _host;

    private HttpClient Http => _host!.Http;

    public async ValueTask InitializeAsync()
    {
        _database = await service.CreateMigratedDatabaseAsync();
        _host = await HostProcess.StartAsync("api", _database, new Dictionary<string, string?> { [AccessSettings.AdminKey] = AdminKey });
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        await service.Postgres.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task Pages_open_with_a_key_that_is_known_and_close_when_it_is_given_back()
    {
        var closed = await Http.GetAnswer("/jobs?status=failed", Html);
        Assert.Equal((401, "text/html"), (closed.Status, closed.MediaType));
        // where one wanted to go
        Assert.Contains("name=\"return\" value=\"/jobs?status=failed\"", closed.Text, StringComparison.Ordinal);
        var (entered, cookie) = await EnterAsync(AdminKey, "/jobs?status=failed");
        Assert.Equal("/jobs?status=failed", entered);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        var session = ("Cookie", cookie.Split(';')[0]);
        var open = await Http.GetAnswer("/jobs", Html, session);
        Assert.Equal(200, open.Status);
        Assert.Contains("No worker is running", open.Text, StringComparison.Ordinal);
        // the modules of a page ask the API with it; a page of another site can't
        Assert.Equal(200, (await Http.GetAnswer("/api/v1/keys", session)).Status);
        Assert.Equal(403, (await Http.Send("POST", $"/api/v1/jobs/{Guid.Empty}/cancel", null, session,
            ("Sec-Fetch-Site", "cross-site"))).Status);
        using var left = await SendAsync("/sign-out", []);
        Assert.Contains("expires=Thu, 01 Jan 1970", Assert.Single(left.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_not_known_is_told_so_and_taken_off()
    {
        var (_, cookie) = await EnterAsync("tsk_00000000000000000000000000000000", "/");
        var refused = await Http.GetAnswer("/", Html, ("Cookie", cookie.Split(';')[0]));
        Assert.Equal(401, refused.Status);
        Assert.Contains("This access key is not known here.", refused.Text, StringComparison.Ordinal);
        Assert.Contains("expires=Thu, 01 Jan 1970", Assert.Single(refused.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("https://evil.example/")]
    public async Task Nobody_is_sent_elsewhere(string back) => Assert.Equal("/", (await EnterAsync(AdminKey, back)).Location);

    [Fact]
    public async Task What_is_others_is_not_there()
    {
        var mine = await KeyAsync("mine");
        var job = (await Http.PostJob("""{"dataset": "iris"}""", ("X-Api-Key", mine))).Id;
        var (_, own) = await EnterAsync(mine, "/");
        var (_, other) = await EnterAsync(await KeyAsync("other"), "/");
        Assert.Equal(200, (await Http.GetAnswer($"/jobs/{job}", Html, ("Cookie", own.Split(';')[0]))).Status);
        Assert.Equal(404, (await Http.GetAnswer($"/jobs/{job}", Html, ("Cookie", other.Split(';')[0]))).Status);
        Assert.Equal(403, (await Http.GetAnswer("/keys", Html, ("Cookie", own.Split(';')[0]))).Status);
        Assert.DoesNotContain(job, (await Http.GetAnswer("/jobs", Html, ("Cookie", other.Split(';')[0]))).Text, StringComparison.Ordinal);
    }

    private async Task<string> KeyAsync(string owner) => (await Http.Send("POST", "/api/v1/keys",
        $$"""{"name": "{{owner}}", "owner": "{{owner}}", "scopes": ["read", "submit"]}""", ("X-Api-Key", AdminKey)))["key"].GetString()!;

    private async Task<(string Location, string Cookie)> EnterAsync(string key, string back)
    {
        using var answer = await SendAsync("/sign-in", new() { ["key"] = key, ["return"] = back });
        return ($"{answer.Headers.Location}", Assert.Single(answer.Headers.GetValues("Set-Cookie")));
    }

    private async Task<HttpResponseMessage> SendAsync(string path, Dictionary<string, string> fields)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
        using var client = new HttpClient(handler) { BaseAddress = Http.BaseAddress };
        using var form = new FormUrlEncodedContent(fields);
        var answer = await client.PostAsync(new Uri(path, UriKind.Relative), form, TestContext.Current.CancellationToken);
        Assert.Equal(302, (int)answer.StatusCode);
        return answer;
    }
}
