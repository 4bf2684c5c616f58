using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;
using TrainingService.Host.Webhooks;

namespace TrainingService.Host.Tests.Webhooks;

/// <summary>Who asks to be told of an end is told once, and can tell who told them.</summary>
public sealed class WebhookTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length", Deliveries = "/api/v1/webhooks/deliveries";
    private static readonly (string, string) Admin = ("X-Api-Key", AdminKey);

    private string _database = "";
    private Receiver _receiver = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await service.CreateMigratedDatabaseAsync();
        _receiver = await Receiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await service.Postgres.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task Each_end_of_a_job_or_a_sweep_is_told_once_signed_for_its_owner_by_whichever_process()
    {
        await using var host = await HostAsync("all", closed: true);
        await using var other = await HostAsync("api", closed: true);
        var (ada, eve) = (await KeyAsync(host, "ada"), await KeyAsync(host, "eve"));
        async Task<string> Submit(string path, string more) => (await host.Http.PostJob(
            $$"""{"dataset": "iris", "notifyUrl": "{{_receiver.Url(path)}}", {{more}}}""", ada)) is { Status: 202 } made ? made.Id : "";
        var good = await Submit("/good", """ "name": "a \"b\" ü", "training": {"epochs": 1}""");
        var bad = await Submit("/bad", """ "training": {"epochs": 50, "optimizer": {"name": "sgd", "learningRate": 1e30}}""");
        var late = await Submit("/late", """ "timeoutSeconds": 1, "training": {"epochs": 100000}""");
        var ended = await Submit("/ended", """ "priority": "low", "training": {"epochs": 100000}""");
        await host.Http.Send("POST", $"/api/v1/jobs/{ended}/cancel", null, ada);
        var sweep = await host.Http.PostSweep($$"""
            {"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 3, "notifyUrl": "{{_receiver.Url("/sweep")}}"}
            """, ada);
        Assert.True(sweep.Status == 202, sweep.Text);
        Assert.Equal(_receiver.Url("/sweep"), sweep["notifyUrl"].GetString());
        foreach (var i in Enumerable.Range(1, 20))
            await Submit("/many", $$""" "training": {"epochs": 1, "seed": {{i}}}""");

        var secret = (await host.Http.GetAnswer("/api/v1/webhooks/secret", ada))["secret"].GetString()!;
        Assert.Equal(secret, (await other.Http.GetAnswer("/api/v1/webhooks/secret", ada))["secret"].GetString());
        Assert.NotEqual(secret, (await host.Http.GetAnswer("/api/v1/webhooks/secret", eve))["secret"].GetString());
        foreach (var (path, what, id) in new[] { ("/good", "job.succeeded", good), ("/bad", "job.failed", bad),
            ("/late", "job.failed", late), ("/ended", "job.canceled", ended), ("/sweep", "sweep.succeeded", sweep.Id) })
        {
            var call = Assert.Single(await _receiver.CallsAsync(1, path));
            Assert.Equal(call.Signature, Sign(secret, $"{call.Id}.{call.Timestamp}.{call.Body}"));
            var body = JsonDocument.Parse(call.Body).RootElement;
            Assert.Equal((what, id), (body.Text("type"), body.GetProperty("data").Text("id")));
            Assert.Equal(what, $"{what.Split('.')[0]}.{body.GetProperty("data").Text("status")}");
        }
        var told = JsonDocument.Parse((await _receiver.CallsAsync(1, "/good"))[0].Body).RootElement.GetProperty("data");
        var job = (await host.Http.GetAnswer($"/api/v1/jobs/{good}", ada)).Json;
        Assert.Equal(("a \"b\" ü", job.GetProperty("result").GetProperty("testAccuracy").GetDouble(),
            job.GetProperty("finishedAt").GetDateTimeOffset()), (told.Text("name"),
            told.GetProperty("result").GetProperty("testAccuracy").GetDouble(), told.GetProperty("finishedAt").GetDateTimeOffset()));
        var many = await _receiver.CallsAsync(20, "/many");
        Assert.Equal((20, 20), (many.Length, many.DistinctBy(call => call.Id).Count()));
        Assert.Equal(25, _receiver.Calls.Count);

        await DeliveredAsync(host, 25, ada);
        Assert.Empty((await host.Http.GetAnswer(Deliveries, eve)).Json.List("items"));
        Assert.Equal(25, (await host.Http.GetAnswer(Deliveries, Admin)).Json.List("items").Count);
        var found = Assert.Single((await host.Http.GetAnswer($"{Deliveries}?sweepId={sweep.Id}", ada)).Json.List("items"));
        Assert.Equal(("sweep.succeeded", 1, 204), (found.Text("event"), found.Int("attempts"), found.Int("answer")));
        Assert.Single((await host.Http.GetAnswer($"{Deliveries}?jobId={bad}&status=delivered", ada)).Json.List("items"));
        Assert.Empty((await host.Http.GetAnswer($"{Deliveries}?jobId={bad}&status=failed", ada)).Json.List("items"));
        var page = await host.Http.GetAnswer($"{Deliveries}?limit=20", ada);
        Assert.Equal(5, (await host.Http.GetAnswer($"{Deliveries}?limit=20&cursor={page["nextCursor"]}", ada)).Json.List("items").Count);
        (await host.Http.Send("POST", $"{Deliveries}/{found.Text("id")}/retry", null, eve)).MustBeProblem(404, "not-found");
        // who it is shared with is told of the job, not of whom it tells
        Assert.Equal(200, (await host.Http.Send("PATCH", $"/api/v1/jobs/{good}", """{"visibility": "everyone"}""", ada)).Status);
        Assert.Contains("notifyUrl", (await host.Http.GetAnswer($"/api/v1/jobs/{good}", ada)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("notifyUrl", (await host.Http.GetAnswer($"/api/v1/jobs/{good}", eve)).Text, StringComparison.Ordinal);
        var clone = await host.Http.Send("POST", $"/api/v1/jobs/{good}/clone", "{}", eve);
        Assert.Equal(202, clone.Status);
        Assert.DoesNotContain("notifyUrl", clone.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_receiver_took_is_told_again_and_can_be_told_again_at_will()
    {
        await using var host = await HostAsync("all");
        _receiver.Status = 500;
        var job = (await host.Http.PostJob($$"""
            {"dataset": "iris", "training": {"epochs": 1}, "notifyUrl": "{{_receiver.Url()}}"}
            """)).Id;
        var waiting = await DeliveryAsync(host, one => one.Int("attempts") == 1 && one.TryGetProperty("answer", out _));
        Assert.Equal(("pending", 500, job), (waiting.Text("status"), waiting.Int("answer"), waiting.Text("jobId")));
        Assert.InRange((waiting.GetProperty("nextAt").GetDateTimeOffset() - waiting.GetProperty("lastAt").GetDateTimeOffset()).TotalSeconds,
            4, 7);
        // to where it leads on nobody goes
        _receiver.Status = 302;
        await RetryAsync();
        Assert.Equal("pending", (await DeliveryAsync(host, one => one.TryGetProperty("answer", out var a) && a.GetInt32() == 302))
            .Text("status"));
        _receiver.Status = 410;
        await RetryAsync();
        Assert.Equal("failed", (await DeliveryAsync(host, one => one.TryGetProperty("answer", out var a) && a.GetInt32() == 410))
            .Text("status"));
        _receiver.Status = 200;
        await RetryAsync();
        var told = await DeliveryAsync(host, one => one.Text("status") == "delivered");
        Assert.Equal((4, false, false), (told.Int("attempts"), told.TryGetProperty("nextAt", out _), told.TryGetProperty("error", out _)));
        var call = Assert.Single(_receiver.Calls.DistinctBy(call => (call.Id, call.Body)));
        Assert.Equal(told.Text("body"), call.Body);
        Assert.All(_receiver.Calls, one => Assert.Equal("/", one.Path));

        // it is kept by age
        await using var db = Service.Context(_database);
        var limits = new RetentionLimits(null, null, null, null, TimeSpan.FromDays(1));
        foreach (var (days, gone) in new[] { (0.5, 0), (1.5, 1) })
            Assert.Equal(gone, (await Retention.RunAsync(db, limits, DateTimeOffset.UtcNow.AddDays(days),
                TestContext.Current.CancellationToken)).Webhooks);

        async Task RetryAsync() =>
            Assert.Equal(202, (await host.Http.Send("POST", $"{Deliveries}/{waiting.Text("id")}/retry")).Status);
    }

    [Fact]
    public async Task A_process_that_dies_in_the_midst_loses_nothing_and_the_next_one_tells()
    {
        await using var db = Service.Context(_database);
        var id = Guid.CreateVersion7();
        // another process took it, and its time is over
        db.WebhookDeliveries.Add(new()
        {
            Id = id,
            Owner = "",
            Event = "job.succeeded",
            Url = _receiver.Url(),
            Body = "{}",
            Attempts = 1,
            Status = DeliveryStatus.Pending,
            NextAt = DateTimeOffset.UtcNow.AddSeconds(-1),
            LastAt = DateTimeOffset.UtcNow.AddMinutes(-1),
            CreatedAt = DateTimeOffset.UtcNow,
        });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        await using var host = await HostAsync("api");
        Assert.Equal($"{id}", Assert.Single(await _receiver.CallsAsync(1)).Id);
        Assert.Equal(2, (await DeliveryAsync(host, one => one.Text("status") == "delivered")).Int("attempts"));
    }

    [Fact]
    public async Task Private_addresses_are_called_by_no_name()
    {
        await using var host = await HostProcess.StartAsync("api", _database);
        await using var db = Service.Context(_database);
        foreach (var address in (string[])[_receiver.Url(), _receiver.Url().Replace("127.0.0.1", "localhost", StringComparison.Ordinal),
            _receiver.Url().Replace("127.0.0.1", "[::ffff:127.0.0.1]", StringComparison.Ordinal), "http://169.254.169.254/"])
            db.WebhookDeliveries.Add(new()
            {
                Id = Guid.CreateVersion7(),
                Owner = "",
                Event = "job.succeeded",
                Url = address,
                Body = "{}",
                Status = DeliveryStatus.Pending,
                NextAt = DateTimeOffset.UtcNow,
                CreatedAt = DateTimeOffset.UtcNow,
            });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            var all = (await host.Http.GetAnswer(Deliveries)).Json.List("items");
            if (all.All(one => one.TryGetProperty("error", out _)))
            {
                Assert.All(all, one => Assert.Contains("TRAINING_WEBHOOKS=any", one.Text("error"), StringComparison.Ordinal));
                break;
            }
            Assert.True(DateTime.UtcNow < limit, string.Join("\n", all));
        }
        Assert.Empty(_receiver.Calls);
    }

    [Theory]
    [InlineData("ftp://example.org/x", "begins with http:// or https://")]
    [InlineData("nonsense", "begins with http:// or https://")]
    [InlineData("", "begins with http:// or https://")]
    [InlineData("https://ada:secret@example.org/", "no user name")]
    [InlineData("http://127.0.0.1:8080/", "no address that the whole world reaches")]
    [InlineData("http://2130706433/", "no address that the whole world reaches")]
    [InlineData("http://localhost/", "no address that the whole world reaches")]
    [InlineData("http://[::1]/", "no address that the whole world reaches")]
    [InlineData("http://[::ffff:10.0.0.1]/", "no address that the whole world reaches")]
    [InlineData("http://0.0.0.0/", "no address that the whole world reaches")]
    [InlineData("http://169.254.169.254/latest/meta-data", "no address that the whole world reaches")]
    [InlineData("http://[fe80::1]/", "no address that the whole world reaches")]
    public async Task An_address_that_can_not_be_told_is_refused_when_it_is_given(string url, string why)
    {
        var text = JsonSerializer.Serialize(url);
        foreach (var (path, body) in new[] { ("jobs", """ "dataset": "iris" """),
            ("sweeps", $$""" "base": {"dataset": "iris"}, "arms": {{SweepClient.ReluAndTanh}} """),
            ("studies/relu-vs-leaky-relu", """ "size": "quick" """) })
        {
            var answer = await service.Http.Send("POST", $"/api/v1/{path}", $$"""{ {{body}}, "notifyUrl": {{text}}}""");
            Assert.Equal(400, answer.Status);
            Assert.Contains(why, answer.Error("/notifyUrl"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Jobs_of_a_sweep_tell_nobody()
    {
        var sweep = await service.Http.PostSweep($$"""
            {"base": {"dataset": "iris", "notifyUrl": "https://example.org"}, "arms": {{SweepClient.ReluAndTanh}}}
            """);
        Assert.Contains("beside 'base'", sweep.Error("/base/notifyUrl"), StringComparison.Ordinal);
        var arm = await service.Http.PostSweep("""
            {"base": {"dataset": "iris"},
             "arms": [{"name": "a", "patch": {"notifyUrl": "https://example.org"}}, {"name": "b", "patch": {}}]}
            """);
        Assert.Contains("beside 'base'", arm.Error("/arms/0/patch/notifyUrl"), StringComparison.Ordinal);
    }

    private static string Sign(string secret, string what) => $"v1,{Convert.ToBase64String(HMACSHA256.HashData(
        Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes(what)))}";

    private static async Task<JsonElement> DeliveryAsync(HostProcess host, Func<JsonElement, bool> state)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20))
        {
            var all = (await host.Http.GetAnswer(Deliveries)).Json.List("items");
            if (all is [var only] && state(only))
                return only;
            Assert.True(DateTime.UtcNow < limit, string.Join("\n", all));
        }
    }

    private static async Task DeliveredAsync(HostProcess host, int count, (string, string) key)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20))
        {
            var all = (await host.Http.GetAnswer($"{Deliveries}?status=delivered", key)).Json.List("items");
            if (all.Count == count)
                return;
            Assert.True(DateTime.UtcNow < limit, string.Join("\n", all));
        }
    }

    private static async Task<(string, string)> KeyAsync(HostProcess host, string owner) => ("X-Api-Key", (await host.Http.Send("POST",
        "/api/v1/keys", $$"""{"name": "laptop", "owner": "{{owner}}"}""", Admin))["key"].GetString()!);

    private Task<HostProcess> HostAsync(string role, bool closed = false) => HostProcess.StartAsync(role, _database,
        new Dictionary<string, string?> { ["TRAINING_WEBHOOKS"] = "any", [AccessSettings.AdminKey] = closed ? AdminKey : null });
}
