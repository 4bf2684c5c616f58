using System.Net;
using System.Text;
using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Access;

/// <summary>How much one caller may ask for.</summary>
public sealed class RequestLimitTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length";

    private static readonly (string, string) Admin = ("X-Api-Key", AdminKey);

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task A_key_has_so_many_requests_a_minute_and_is_told_what_is_left()
    {
        await using var host = await HostAsync(new() { [AccessSettings.AdminKey] = AdminKey, [RequestLimits.RateSetting] = "60" });
        var other = (await host.Http.Send("POST", "/api/v1/keys", """{"name": "other", "scopes": ["read"]}""", Admin))["key"].GetString()!;
        var answer = await host.Http.GetAnswer("/api/v1/activations", Admin);
        Assert.Equal("\"requests\";q=60;w=60", Header(answer, "RateLimit-Policy"));
        // one comes back every second, maybe just now
        Assert.Matches("^\"requests\";r=(5[0-9]|60);t=[0-9]+$", Header(answer, "RateLimit"));
        var served = 0;
        for (; answer.Status == 200 && served < 1000; served++)
            answer = await host.Http.GetAnswer("/api/v1/activations", Admin);
        answer.MustBeProblem(429, "too-many");
        Assert.True(served >= 58, $"{served}");
        Assert.Contains($"60 requests a minute are allowed to this key or token ({RequestLimits.RateSetting})",
            answer["detail"].GetString(), StringComparison.Ordinal);
        Assert.StartsWith("\"requests\";r=0", Header(answer, "RateLimit"), StringComparison.Ordinal);
        Assert.Equal("1", Header(answer, "Retry-After"));
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/activations", ("X-Api-Key", other))).Status);
        Assert.Equal(200, (await host.Http.GetAnswer("/health/ready", Admin)).Status);
        while ((answer = await host.Http.GetAnswer("/api/v1/activations", Admin)).Status == 429)
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task Without_keys_an_address_is_limited_but_this_machine()
    {
        await using var host = await HostAsync(new()
        {
            [RequestLimits.RateSetting] = "5",
            ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true",
        });
        async Task<Answer> From(string address) => await host.Http.GetAnswer("/api/v1/activations", ("X-Forwarded-For", address));
        for (var i = 0; i < 20; i++)
            Assert.False((await host.Http.GetAnswer("/api/v1/activations")).Headers.Contains("RateLimit"));
        Answer answer;
        var served = 0;
        while ((answer = await From("2001:db8:1:2::1")).Status == 200 && served < 100)
            served++;
        Assert.InRange(served, 5, 99);
        Assert.Contains("the address that this comes from", answer["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal(429, (await From("2001:db8:1:2:ffff::2")).Status);
        Assert.Equal(200, (await From("203.0.113.9")).Status);
    }

    [Fact]
    public async Task Only_so_many_requests_of_a_key_may_be_sending_at_once()
    {
        await using var host = await HostAsync(new() { [AccessSettings.AdminKey] = AdminKey, [RequestLimits.PostsSetting] = "1" });
        var body = new HeldContent("""{"dataset": "iris", "training": {"epochs": 1}}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs") { Content = body };
        request.Headers.Add(Admin.Item1, Admin.Item2);
        // its body is asked for when it has been let in
        request.Headers.ExpectContinue = true;
        using var handler = new SocketsHttpHandler { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan };
        using var client = new HttpClient(handler) { BaseAddress = host.Http.BaseAddress };
        var first = client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.NotSame(first, await Task.WhenAny(first, body.Asked));
        var answer = await host.Http.Send("POST", $"/api/v1/jobs/{Guid.Empty}/cancel", null, Admin);
        answer.MustBeProblem(429, "too-many");
        Assert.Contains($"1 POST and PUT requests of this key or token are under way, which is as many as may be at once "
            + $"({RequestLimits.PostsSetting})", answer["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal("1", Header(answer, "Retry-After"));
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs", Admin)).Status);
        body.Release();
        using var answered = await first;
        Assert.Equal(HttpStatusCode.Accepted, answered.StatusCode);
        Assert.Equal(404, (await host.Http.Send("POST", $"/api/v1/jobs/{Guid.Empty}/cancel", null, Admin)).Status);
    }

    private static string Header(Answer answer, string name) => Assert.Single(answer.Headers.GetValues(name));

    private Task<HostProcess> HostAsync(Dictionary<string, string?> settings) => HostProcess.StartAsync("api", _database, settings);

    /// <summary>JSON that is kept back until it is released.</summary>
    private sealed class HeldContent : HttpContent
    {
        private readonly byte[] _bytes;
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously),
            _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public HeldContent(string json)
        {
            _bytes = Encoding.UTF8.GetBytes(json);
            Headers.ContentType = new("application/json");
        }

        public Task Asked => _asked.Task;

        public void Release() => _released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _asked.SetResult();
            await _released.Task;
            await stream.WriteAsync(_bytes);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
