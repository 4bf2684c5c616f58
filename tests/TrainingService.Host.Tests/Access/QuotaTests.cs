using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Access;

/// <summary>What one owner may have of what all share.</summary>
public sealed class QuotaTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length", Job = """{"dataset": "iris", "training": {"epochs": 1}}""";

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Nobody_fills_the_queue_for_others_and_repetitions_are_answered_all_the_same()
    {
        await using var host = await HostAsync("TRAINING_OWNER_QUEUED_JOBS", "3");
        var (ada, bob) = (await KeyAsync(host, "ada"), await KeyAsync(host, "bob"));
        var first = await host.Http.PostJob(Job, ada, ("Idempotency-Key", "first"));
        Answer refused;
        // the count may be a second old
        for (var limit = DateTime.UtcNow.AddMinutes(1); (refused = await host.Http.PostJob(Job, ada)).Status == 202;
            await Task.Delay(100, TestContext.Current.CancellationToken))
            Assert.True(DateTime.UtcNow < limit);
        refused.MustBeProblem(429, "too-many");
        Assert.Contains("3 jobs of 'ada' wait already, which is as many as may of one owner (TRAINING_OWNER_QUEUED_JOBS)",
            refused["detail"].GetString(), StringComparison.Ordinal);
        Assert.NotNull(refused.Headers.RetryAfter);
        var sweep = $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""";
        (await host.Http.Send("POST", SweepClient.Root, sweep, ada)).MustBeProblem(429, "too-many");
        Assert.Equal(first.Id, (await host.Http.PostJob(Job, ada, ("Idempotency-Key", "first"))).Id);
        Assert.Equal(202, (await host.Http.PostJob(Job, bob)).Status);
        foreach (var job in (await host.Http.GetAnswer("/api/v1/jobs", ada))["items"].EnumerateArray())
            await host.Http.Send("POST", $"/api/v1/jobs/{job.GetProperty("id").GetString()}/cancel", null, ada);
        Assert.Equal(202, (await host.Http.PostJob(Job, ada)).Status);
    }

    [Fact]
    public async Task Data_sets_of_one_owner_take_so_much_and_no_more_until_some_are_deleted()
    {
        await using var host = await HostAsync("TRAINING_OWNER_DATASETS_MB", "1");
        var (ada, bob) = (await KeyAsync(host, "ada"), await KeyAsync(host, "bob"));
        var random = new Random(1);
        async Task<Answer> UploadAsync((string, string) key, string name, int rows, string query = "")
        {
            var lines = Enumerable.Range(0, rows).Select(row =>
                $"{random.NextDouble()},{random.NextDouble()},{random.NextDouble()},{random.NextDouble()},{row % 2}");
            using var form = new MultipartFormDataContent
            {
                { new StringContent($"a,b,c,d,e\n{string.Join('\n', lines)}"), "file", "some.csv" },
                { new StringContent("e"), "target" },
                { new StringContent(name), "name" },
            };
            return await host.Http.Send("POST", $"/api/v1/datasets{query}", await form.ReadAsByteArrayAsync(),
                $"{form.Headers.ContentType}", key);
        }
        Assert.Equal(201, (await UploadAsync(ada, "large", 100_000)).Status);
        var refused = await UploadAsync(ada, "more", 10);
        refused.MustBeProblem(409, "conflict");
        Assert.Matches(@"of 'ada' take [1-9]\.\d MB, and 1 MB is as much .*TRAINING_OWNER_DATASETS_MB", refused["detail"].GetString());
        Assert.Equal(200, (await UploadAsync(ada, "more", 10, "?dryRun=true")).Status);
        Assert.Equal(201, (await UploadAsync(bob, "more", 10)).Status);
        Assert.Equal(204, (await host.Http.Send("DELETE", "/api/v1/datasets/large", null, ada)).Status);
        Assert.Equal(201, (await UploadAsync(ada, "more", 10)).Status);
    }

    [Fact]
    public async Task Sweeps_of_one_owner_have_so_many_cells_and_no_more_until_some_are_deleted()
    {
        await using var host = await HostAsync("TRAINING_OWNER_CELLS", "3");
        var (ada, bob) = (await KeyAsync(host, "ada"), await KeyAsync(host, "bob"));
        var sweep = $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""";
        var first = await host.Http.Send("POST", SweepClient.Root, sweep, ada, ("Idempotency-Key", "first"));
        var refused = await RefusedAsync(() => host.Http.Send("POST", SweepClient.Root, sweep, ada));
        Assert.Matches(@"The sweeps of 'ada' have \d+ cells, and 3 are as many .*TRAINING_OWNER_CELLS", refused["detail"].GetString());
        (await host.Http.Send("POST", "/api/v1/studies/init-pairing", "{}", ada)).MustBeProblem(409, "conflict");
        Assert.Equal(first.Id, (await host.Http.Send("POST", SweepClient.Root, sweep, ada, ("Idempotency-Key", "first"))).Id);
        Assert.Equal(202, (await host.Http.PostJob(Job, ada)).Status);
        Assert.Equal(202, (await host.Http.Send("POST", SweepClient.Root, sweep, bob)).Status);
        foreach (var made in (await host.Http.GetAnswer(SweepClient.Root, ada))["items"].EnumerateArray())
        {
            var path = $"{SweepClient.Root}/{made.GetProperty("id").GetString()}";
            Assert.Equal(202, (await host.Http.Send("POST", $"{path}/cancel", null, ada)).Status);
            Assert.Equal(204, (await host.Http.Send("DELETE", path, null, ada)).Status);
        }
        Assert.Equal(202, (await host.Http.Send("POST", SweepClient.Root, sweep, ada)).Status);
    }

    [Fact]
    public async Task A_sweep_has_as_many_cells_as_the_operator_allows()
    {
        await using var host = await HostAsync("TRAINING_SWEEP_CELLS", "3");
        var ada = await KeyAsync(host, "ada");
        var refused = await host.Http.Send("POST", SweepClient.Root,
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""", ada);
        refused.MustBeProblem(400, "validation");
        Assert.Contains("would have 4 cells (arms times seeds); at most 3 are allowed (TRAINING_SWEEP_CELLS)", refused.Text,
            StringComparison.Ordinal);
    }

    /// <summary>Of measurements what a job that waits will store counts already; nets, once they are kept.</summary>
    [Fact]
    public async Task What_jobs_of_one_owner_measured_and_learned_takes_so_much_and_no_more_until_some_are_deleted()
    {
        const string Measures = """
            {"dataset": "iris", "training": {"epochs": 500}, "diagnostics": {"everySteps": 1}, "storeWeights": false}
            """,
            Learns = """{"dataset": "digits", "model": {"hiddenLayers": [512, 512]}, "training": {"epochs": 1}}""";
        await using var host = await HostAsync("TRAINING_OWNER_STORED_MB", "1", "all");
        var (ada, bob) = (await KeyAsync(host, "ada"), await KeyAsync(host, "bob"));
        foreach (var body in new[] { Measures, Learns })
        {
            var id = (await host.Http.PostJob(body, ada)).Id;
            for (var limit = DateTime.UtcNow.AddMinutes(1);
                !(await host.Http.GetAnswer($"/api/v1/jobs/{id}", ada)).Text.Contains("\"succeeded\"", StringComparison.Ordinal);
                await Task.Delay(20, TestContext.Current.CancellationToken))
                Assert.True(DateTime.UtcNow < limit);
            var refused = await RefusedAsync(() => host.Http.PostJob(Job, ada));
            Assert.Matches(@"jobs of 'ada' measured and learned takes [1-9]\.\d MB, as estimated, and 1 MB is .*TRAINING_OWNER_STORED_MB",
                refused["detail"].GetString());
            (await host.Http.Send("POST", $"/api/v1/jobs/{id}/clone", "{}", ada)).MustBeProblem(409, "conflict");
            Assert.Equal(202, (await host.Http.PostJob(Job, bob)).Status);
            Assert.Equal(204, (await host.Http.Send("DELETE", $"/api/v1/jobs/{id}", null, ada)).Status);
        }
        Assert.Equal(202, (await host.Http.PostJob(Job, ada)).Status);
    }

    /// <summary>What comes of it once the count, which may be a second old, is new.</summary>
    private static async Task<Answer> RefusedAsync(Func<Task<Answer>> send)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(100, TestContext.Current.CancellationToken))
        {
            var answer = await send();
            if (answer.Status != 202)
            {
                answer.MustBeProblem(409, "conflict");
                return answer;
            }
            Assert.True(DateTime.UtcNow < limit);
        }
    }

    private static async Task<(string, string)> KeyAsync(HostProcess host, string owner) => ("X-Api-Key",
        (await host.Http.Send("POST", "/api/v1/keys", $$"""{"name": "{{owner}}", "scopes": ["submit"]}""", ("X-Api-Key", AdminKey)))["key"]
            .GetString()!);

    private Task<HostProcess> HostAsync(string setting, string value, string role = "api") => HostProcess.StartAsync(role, _database,
        new Dictionary<string, string?> { [AccessSettings.AdminKey] = AdminKey, [setting] = value });
}
