using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;
using TrainingService.Host.Tests.Uploads;

namespace TrainingService.Host.Tests.Access;

/// <summary>A service that two people use, each with a key, and what one of them has made.</summary>
public sealed class TwoOwners(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length";

    private HostProcess? _host;
    private string? _database;

    public HttpClient Http => service.Present(_host).Http;
    public string ConnectionString => service.Present(_database);
    public (string, string) Admin { get; } = ("X-Api-Key", AdminKey);
    public (string, string) Ada { get; private set; }
    public (string, string) Bob { get; private set; }

    /// <summary>Nothing was ever made in his name, not even of what was shared.</summary>
    public (string, string) Carl { get; private set; }

    // Ada's
    public string Job { get; private set; } = "";
    public string Sweep { get; private set; } = "";
    public string Dataset { get; } = "wealth-of-ada";
    public string Model { get; } = "oracle-of-ada";

    public async ValueTask InitializeAsync()
    {
        _database = await service.CreateMigratedDatabaseAsync();
        _host = await HostProcess.StartAsync("all", _database, new Dictionary<string, string?> { [AccessSettings.AdminKey] = AdminKey });
        (Ada, Bob, Carl) = (await KeyAsync("ada"), await KeyAsync("bob"), await KeyAsync("carl"));
        Assert.Equal(201, (await UploadAsync(Ada, "POST", "/api/v1/datasets", 60, ("name", Dataset), ("target", "kind"))).Status);
        var job = $$$"""{"dataset": "{{{Dataset}}}", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}}""";
        var sweep = await Http.PostSweep(
            $$"""{"base": {{job}}, "arms": {{SweepClient.ReluAndTanh}}, "seeds": [1, 2]}""", Ada, ("Idempotency-Key", "once"));
        Assert.True(sweep.Status == 202, sweep.Text);
        Sweep = sweep.Id;
        var first = await Http.PostJob(job, Ada);
        Assert.True(first.Status == 202, first.Text);
        await EndAsync($"/api/v1/jobs/{first.Id}");
        Job = (await Http.Send("POST", $"/api/v1/jobs/{first.Id}/verify", null, Ada)).Id;
        await EndAsync($"/api/v1/jobs/{Job}");
        await EndAsync($"/api/v1/sweeps/{Sweep}");
        Assert.Equal(200, (await Http.Send("PUT", $"/api/v1/models/{Model}", $$"""{"jobId": "{{Job}}"}""", Ada)).Status);
    }

    public async Task EndAsync(string address)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(2); ; await Task.Delay(20))
        {
            var row = await Http.GetAnswer(address, Ada);
            if (row["finishedAt"].ValueKind != JsonValueKind.Null)
            {
                Assert.Equal("succeeded", row["status"].GetString());
                return;
            }
            Assert.True(DateTime.UtcNow < limit, row.Text);
        }
    }

    public async Task<Answer> UploadAsync((string Name, string Value) key, string method, string address, int rows,
        params (string Name, string Value)[] fields)
    {
        // the client sends no headers of its own for a form
        using var http = new HttpClient { BaseAddress = Http.BaseAddress };
        http.DefaultRequestHeaders.Add(key.Name, key.Value);
        return await http.Upload(method, address, [("file", "made.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(rows)))], fields);
    }

    /// <summary>The address of what Ada made; null for what is nobody's.</summary>
    public string? Of(string path, string? job = null, string? sweep = null, string? dataset = null, string? model = null) =>
        path.Split('/')[3] switch
        {
            "jobs" => path.Replace("{id}", job ?? Job, StringComparison.Ordinal),
            "sweeps" => path.Replace("{id}", sweep ?? Sweep, StringComparison.Ordinal),
            "datasets" => path.Replace("{name}", dataset ?? Dataset, StringComparison.Ordinal),
            "models" => path.Replace("{name}", model ?? Model, StringComparison.Ordinal),
            "studies" or "activations" or "initializers" => null,
            // which WebhookTests looks at
            "webhooks" => null,
            // which are for admins alone
            "keys" or "audit" => null,
            var other => throw new InvalidOperationException($"Whose are the {other} of {path}? Say so here, and see that owners hold."),
        };

    public async Task<(string, string)> KeyAsync(string owner) => ("X-Api-Key", (await Http.Send("POST", "/api/v1/keys",
        $$"""{"name": "laptop", "owner": "{{owner}}"}""", Admin))["key"].GetString()!);

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (_database is not null)
            await service.Postgres.DropDatabaseAsync(_database);
    }
}

/// <summary>What is one person's is not there for others, on any route that the document has.</summary>
public sealed partial class OwnerTests(TwoOwners service) : IClassFixture<TwoOwners>
{
    private HttpClient Http => service.Http;

    /// <summary>What an address may name that is not there yet: it becomes the caller's own.</summary>
    private static readonly string[] Making = ["replaceDataset"];

    /// <summary>What is made of a row that one may read, or only tells of it.</summary>
    private static readonly string[] Using = ["verifyJob", "cloneJob", "predictByJob", "predictByModel", "pullDataset"];

    [Fact]
    public async Task What_is_anothers_is_as_if_it_were_not_there()
    {
        var walked = 0;
        foreach (var (method, path, id) in await OperationsAsync())
            if (path.Contains('{', StringComparison.Ordinal) && !Making.Contains(id) && service.Of(path) is { } address)
            {
                var body = Body(id);
                var absent = service.Of(path, Guid.Empty.ToString(), Guid.Empty.ToString(), "riches-of-eve", "augur-of-eve")!;
                var (hers, nobodys) = (await Http.Send(method, Filled(address), body, service.Bob),
                    await Http.Send(method, Filled(absent), body, service.Bob));
                Assert.True(hers.Status == 404, $"{method} {address}: {hers.Status} {hers.Text}");
                hers.MustBeProblem(404, "not-found");
                Assert.Equal(Told(nobodys), Told(hers));
                if (method == "GET" && id != "getDatasetPull")
                    foreach (var key in new[] { service.Ada, service.Admin })
                    {
                        var own = await Http.GetAnswer(Filled(address), key);
                        Assert.True(own.Status == 200, $"{address}: {own.Status} {own.Text}");
                    }
                walked++;
            }
        Assert.InRange(walked, 38, 500);
    }

    [Fact]
    public async Task Lists_of_others_have_nothing_of_it()
    {
        string[] hers = [service.Job, service.Sweep, service.Dataset, service.Model, "\"ada\""];
        var lists = (await OperationsAsync()).Where(operation => operation.Method == "GET"
            && !operation.Path.Contains('{', StringComparison.Ordinal)
            && operation.Path.StartsWith("/api/", StringComparison.Ordinal)).ToList();
        foreach (var (_, path, _) in lists)
        {
            foreach (var query in (string[])["", "?owner=ada", "?visibility=everyone", "?visibility=private"])
            {
                var answer = await Http.GetAnswer(path + query, service.Carl);
                Assert.All(hers, word => Assert.DoesNotContain(word, answer.Text, StringComparison.Ordinal));
            }
            if (path is "/api/v1/jobs" or "/api/v1/sweeps" or "/api/v1/datasets" or "/api/v1/models")
                foreach (var (key, query) in new[] { (service.Ada, ""), (service.Admin, ""), (service.Admin, "?owner=ada") })
                    Assert.Contains("\"ada\"", (await Http.GetAnswer($"{path}{query}", key)).Text, StringComparison.Ordinal);
        }
        Assert.Empty(Items(await Http.GetAnswer("/api/v1/jobs?owner=carl", service.Admin)));
        Assert.Empty(Items(await Http.GetAnswer($"/api/v1/jobs?sweepId={service.Sweep}", service.Carl)));
        Assert.InRange(lists.Count, 8, 100);
    }

    [Fact]
    public async Task Bodies_that_name_it_are_refused()
    {
        var data = $$"""{"dataset": "{{service.Dataset}}"}""";
        var sha256 = (await Http.GetAnswer($"/api/v1/datasets/{service.Dataset}", service.Ada))["sha256"].GetString();
        var own = await Http.PostJob("""{"dataset": "iris", "training": {"epochs": 1}}""", service.Bob);
        Assert.Equal("bob", own["owner"].GetString());
        foreach (var (path, body, status) in new[]
        {
            ("jobs", data, 400), ("jobs?validateOnly=true", data, 400),
            ("jobs", $$$"""{"dataset": {"name": "{{{service.Dataset}}}", "sha256": "{{{sha256}}}"}}""", 400),
            ("sweeps", $$"""{"base": {{data}}, "arms": {{SweepClient.ReluAndTanh}}, "seeds": [1, 2]}""", 400),
            ("studies/dead-layers", data, 400),
            ($"jobs/{own.Id}/clone", data, 400),
            ($"jobs/{own.Id}/clone", $$$"""{"fromCheckpoint": {"job": "{{{service.Job}}}", "step": 1}}""", 400),
        })
        {
            var answer = await Http.Send("POST", $"/api/v1/{path}", body, service.Bob);
            Assert.True(answer.Status == status, $"{path} {body}: {answer.Text}");
        }
        Assert.Equal(404, (await Http.Send("PUT", "/api/v1/models/mine", $$"""{"jobId": "{{service.Job}}"}""", service.Bob)).Status);
        foreach (var filter in (string[])[$$"""{"sweepId": "{{service.Sweep}}"}""", """{"owner": "ada"}"""])
            Assert.Equal(0, (await Http.Send("POST", "/api/v1/jobs/bulk", $$"""{"filter": {{filter}}, "action": "delete"}""", service.Bob))
                ["matched"].GetInt32());
    }

    [Fact]
    public async Task A_key_of_an_idempotent_request_is_the_callers()
    {
        const string Body = """{"dataset": "iris", "training": {"epochs": 1}}""";
        var key = ("Idempotency-Key", "once");
        var first = await Http.PostJob(Body, service.Bob, key);
        Assert.Equal((202, "bob"), (first.Status, first["owner"].GetString()));
        Assert.Equal(first.Id, (await Http.PostJob(Body, service.Bob, key)).Id);
        Assert.Equal("admin", (await Http.PostJob(Body, service.Admin, key))["owner"].GetString());
    }

    [Fact]
    public async Task What_is_shared_can_be_read_and_used_and_not_changed()
    {
        // What this test does to it the others must not see.
        await using var mine = new Shared(service);
        await mine.SetAsync("everyone");
        foreach (var (method, path, id) in await OperationsAsync())
            if (path.Contains('{', StringComparison.Ordinal) && !Making.Contains(id) && id != "putModel" && service.Of(path) is { } address)
            {
                var answer = await Http.Send(method, Filled(address), Body(id), service.Bob);
                if (method == "GET" && id != "getDatasetPull")
                    Assert.True(answer.Status == 200, $"{address}: {answer.Text}");
                else if (Using.Contains(id))
                    Assert.True(answer.Status is 200 or 202 or 400 or 409, $"{method} {address}: {answer.Text}");
                else if (method != "GET")
                    Assert.True(answer.Status == 403 && answer["detail"].GetString()!.Contains("'ada'", StringComparison.Ordinal),
                        $"{method} {address}: {answer.Text}");
            }
        foreach (var list in (string[])["jobs", "sweeps", "models"])
            Assert.Contains("\"ada\"", (await Http.GetAnswer($"/api/v1/{list}?visibility=everyone", service.Bob)).Text,
                StringComparison.Ordinal);
        var trained = await Http.PostJob(
            $$$"""{"dataset": "{{{service.Dataset}}}", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}}""", service.Bob);
        Assert.Equal((202, "bob", "private"),
            (trained.Status, trained["owner"].GetString(), trained["visibility"].GetString()));
        var copy = await Http.Send("POST", $"/api/v1/jobs/{service.Job}/clone", "{}", service.Bob);
        Assert.Equal(("bob", "private"), (copy["owner"].GetString(), copy["visibility"].GetString()));

        // one's own comes first under the same name
        var bobs = await Http.Send("PUT", $"/api/v1/models/{service.Model}", Body("putModel"), service.Bob);
        Assert.Equal("bob", bobs["owner"].GetString());
        Assert.Equal("ada", (await Http.GetAnswer($"/api/v1/models/{service.Model}", service.Ada))["owner"].GetString());
        Assert.Equal(204, (await Http.Send("DELETE", $"/api/v1/models/{service.Model}", null, service.Bob)).Status);
        Assert.Equal("ada", (await Http.GetAnswer($"/api/v1/models/{service.Model}", service.Bob))["owner"].GetString());
        var brought = await service.UploadAsync(service.Bob, "PUT", $"/api/v1/datasets/{service.Dataset}", 30, ("target", "kind"));
        Assert.Equal(201, brought.Status);
        foreach (var (key, rows) in new[] { (service.Ada, 60), (service.Bob, 30) })
            Assert.Equal(rows, (await Http.GetAnswer($"/api/v1/datasets/{service.Dataset}", key))["rows"].GetInt32());
        var versions = Items(await Http.GetAnswer($"/api/v1/datasets/{service.Dataset}/versions", service.Bob));
        Assert.Equal(30, Assert.Single(versions).GetProperty("rows").GetInt32());
        Assert.Equal(200, (await Http.Send("DELETE", $"/api/v1/datasets/{service.Dataset}?force=true", null, service.Bob)).Status);
        Assert.Equal(60, (await Http.GetAnswer($"/api/v1/datasets/{service.Dataset}", service.Bob))["rows"].GetInt32());
    }

    [Fact]
    public async Task What_is_shared_as_it_is_made_is_there_for_others_at_once()
    {
        var dora = await service.KeyAsync("dora");
        const string Data = "gift-of-dora", Job = $$"""{"dataset": "{{Data}}", "training": {"epochs": 1}""", Alone = Job + "}";
        var brought = await service.UploadAsync(dora, "POST", "/api/v1/datasets", 60, ("name", Data), ("target", "kind"),
            ("visibility", "everyone"));
        Assert.Equal((201, "everyone"), (brought.Status, brought["visibility"].GetString()));
        var job = await Http.PostJob($$"""{{Job}}, "visibility": "everyone"}""", dora);
        var sweep = await Http.PostSweep(
            $$"""{"base": {{Alone}}, "arms": {{SweepClient.ReluAndTanh}}, "seeds": [1], "keepBest": false, "visibility": "everyone"}""",
            dora);
        var study = await Http.Send("POST", "/api/v1/studies/init-pairing", """{"seedCount": 1, "visibility": "everyone"}""", dora);
        foreach (var (path, made) in new[] { ("jobs", job), ("sweeps", sweep), ("sweeps", study) })
        {
            Assert.Equal((202, "everyone"), (made.Status, made["visibility"].GetString()));
            var seen = await Http.GetAnswer($"/api/v1/{path}/{made.Id}", service.Bob);
            Assert.Equal((200, "dora"), (seen.Status, seen["owner"].GetString()));
            Assert.False(seen.Json.TryGetProperty("spec", out var spec) && spec.TryGetProperty("visibility", out _));
        }
        foreach (var cell in Items(await Http.GetAnswer($"/api/v1/sweeps/{sweep.Id}/jobs", service.Bob)))
            Assert.Equal("everyone", cell.GetProperty("visibility").GetString());
        await Http.Send("POST", $"/api/v1/sweeps/{study.Id}/cancel", null, dora);
        await service.EndAsync($"/api/v1/jobs/{job.Id}");
        foreach (var (visibility, status) in new[] { ("everyone", 200), ("private", 404) })
        {
            var named = await Http.Send("PUT", "/api/v1/models/voice-of-dora",
                $$"""{"jobId": "{{job.Id}}", "visibility": "{{visibility}}"}""", dora);
            Assert.Equal((200, visibility, 1),
                (named.Status, named["visibility"].GetString(), named["version"].GetInt32()));
            Assert.Equal(status, (await Http.GetAnswer("/api/v1/models/voice-of-dora", service.Bob)).Status);
        }
        foreach (var (path, body, place) in new[]
        {
            ("jobs", $$"""{{Job}}, "visibility": "all"}""", "/visibility"),
            ("sweeps", $$$"""{"base": {{{Job}}}, "visibility": "everyone"}}""", "/base/visibility"),
            ("sweeps", $$$"""{"base": {{{Alone}}}, "grid": {"/visibility": ["private", "everyone"]}}""", "/grid/~1visibility"),
        })
            Assert.Contains($"\"{place}\"", (await Http.Send("POST", $"/api/v1/{path}", body, dora)).Text, StringComparison.Ordinal);

        // those of others count, too: a job and the cells of a sweep
        await service.EndAsync($"/api/v1/sweeps/{sweep.Id}");
        Assert.Equal(204, (await Http.Send("DELETE", $"/api/v1/sweeps/{sweep.Id}", null, dora)).Status);
        Assert.Equal(202, (await Http.PostJob(Alone, service.Bob)).Status);
        Assert.Equal(202, (await Http.PostSweep(
            $$"""{"base": {{Alone}}, "arms": {{SweepClient.ReluAndTanh}}, "seeds": [1], "keepBest": false}""", service.Bob)).Status);
        var refused = await Http.Send("DELETE", $"/api/v1/datasets/{Data}", null, dora);
        refused.MustBeProblem(409, "conflict");
        Assert.Contains($"4 jobs have used '{Data}' (3 of other people's)", refused["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal(4, (await Http.Send("DELETE", $"/api/v1/datasets/{Data}?force=true", null, dora))["jobs"].GetInt32());
    }

    [Fact]
    public async Task Rows_of_nobody_are_found_by_an_owner_that_none_is()
    {
        await using var db = Service.Context(service.ConnectionString);
        var id = await db.InsertJobAsync(change: job => job.Status = JobStatus.Canceled);
        Assert.Equal(id, Assert.Single(Items(await Http.GetAnswer("/api/v1/jobs?owner=none", service.Admin))).GetProperty("id").GetGuid());
        Assert.Empty(Items(await Http.GetAnswer("/api/v1/jobs?owner=none", service.Bob)));
        foreach (var list in (string[])["sweeps", "models", "datasets"])
            Assert.Empty(Items(await Http.GetAnswer($"/api/v1/{list}?owner=none", service.Admin)));
        var deleted = await Http.Send("POST", "/api/v1/jobs/bulk", """{"filter": {"owner": "none"}, "action": "delete"}""", service.Admin);
        Assert.Equal((1, 1), (deleted["matched"].GetInt32(), deleted["changed"].GetInt32()));
    }

    [Fact]
    public async Task A_sweeps_jobs_are_its_owners_whoever_adds_to_it()
    {
        var extended = await Http.Send("POST", $"/api/v1/sweeps/{service.Sweep}/extend", """{"seeds": [7]}""", service.Admin);
        Assert.True(extended.Status == 202, extended.Text);
        await service.EndAsync($"/api/v1/sweeps/{service.Sweep}");
        var jobs = Items(await Http.GetAnswer($"/api/v1/sweeps/{service.Sweep}/jobs", service.Ada));
        Assert.Equal(6, jobs.Count);
        Assert.All(jobs, job => Assert.Equal("ada", job.GetProperty("owner").GetString()));
        var best = (await Http.GetAnswer($"/api/v1/sweeps/{service.Sweep}", service.Ada))["best"].GetProperty("jobId").GetString();
        Assert.Equal("ada", (await Http.GetAnswer($"/api/v1/jobs/{best}", service.Ada))["owner"].GetString());
    }

    /// <summary>A condition that holds of all rows would cost workers their indexes.</summary>
    [Fact]
    public void Who_sees_all_asks_without_a_condition()
    {
        using var db = Service.Context("Host=nowhere");
        string Asked() => db.Jobs.Select(job => job.Id).ToQueryString();
        Assert.DoesNotContain("WHERE", Asked(), StringComparison.Ordinal);
        using (View.Enter(new("bob", SeesAll: false, ReadsShared: true)))
            Assert.Contains("owner = @", Asked(), StringComparison.Ordinal);
        Assert.DoesNotContain("WHERE", Asked(), StringComparison.Ordinal);
    }

    /// <summary>All that Ada made, shared for a while.</summary>
    private sealed class Shared(TwoOwners service) : IAsyncDisposable
    {
        public async Task SetAsync(string visibility)
        {
            foreach (var address in (string[])[$"jobs/{service.Job}", $"sweeps/{service.Sweep}", $"datasets/{service.Dataset}",
                $"models/{service.Model}"])
            {
                var answer = await service.Http.Send("PATCH", $"/api/v1/{address}", $$"""{"visibility": "{{visibility}}"}""", service.Ada);
                Assert.True(answer.Status == 200, answer.Text);
                Assert.Equal((visibility, "ada"), (answer["visibility"].GetString(), answer["owner"].GetString()));
            }
        }

        public async ValueTask DisposeAsync() => await SetAsync("private");
    }

    private async Task<IReadOnlyList<(string Method, string Path, string Id)>> OperationsAsync() =>
        [.. from path in (await Http.GetAnswer("/openapi/v1.json"))["paths"].EnumerateObject()
            from operation in path.Value.EnumerateObject()
            // what is read first and taken away last
            orderby operation.Name == "delete", operation.Name != "get"
            select (operation.Name.ToUpperInvariant(), path.Name, operation.Value.GetProperty("operationId").GetString()!)];

    /// <summary>One that gets as far as the row.</summary>
    private string? Body(string operation) => operation switch
    {
        "shareJob" or "shareSweep" or "shareDataset" or "shareModel" => """{"visibility": "private"}""",
        "cloneJob" or "trainBestArm" => "{}",
        "extendSweep" => """{"seedCount": 5}""",
        "predictByJob" or "predictByModel" => """{"inputs": [{}]}""",
        "putModel" => $$"""{"jobId": "{{service.Job}}"}""",
        _ => null,
    };

    private static string Filled(string address) => Parameter().Replace(address, name => name.Value == "{plot}" ? "loss" : "0");

    private string Told(Answer answer) => new[] { service.Job, service.Sweep, service.Dataset, service.Model, Guid.Empty.ToString(),
        "riches-of-eve", "augur-of-eve" }.Aggregate(
            string.Create(CultureInfo.InvariantCulture, $"{answer.Status} {answer.Type} {answer["detail"]}"),
            (text, name) => text.Replace(name, "it", StringComparison.Ordinal));

    private static List<JsonElement> Items(Answer answer) => [.. answer["items"].EnumerateArray()];

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
