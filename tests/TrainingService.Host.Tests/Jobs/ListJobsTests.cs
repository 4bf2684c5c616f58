using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Jobs;

[Collection(nameof(ApiOnly))]
public sealed class ListJobsTests(ApiOnly api)
{
    private readonly string _label = $"list={Guid.NewGuid()}";

    [Fact]
    public async Task Pages_hold_every_job_once_in_the_order_asked_for()
    {
        var ids = new List<string>();
        for (var i = 0; i < 7; i++)
            ids.Add(await Create());
        Assert.Equal(ids, await ReadAll("&orderBy=createdAt&limit=3"));
        ids.Reverse();
        Assert.Equal(ids, await ReadAll("&limit=2"));
        Assert.Equal(ids, await ReadAll("&orderBy=-createdAt&limit=7"));
        Assert.Equal(ids, await ReadAll("&limit=1000000"));
    }

    [Fact]
    public async Task Filters_choose()
    {
        var relu = await Create();
        var leaky = await Create(model: """{"activation": "lrelu", "initializer": "glorot_uniform"}""");
        var mixed =
            await Create("iris", """{"layers": [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense", "units": 4}]}""");
        await Expect("&activation=leaky_relu", leaky);
        await Expect("&activation=lrelu", leaky);
        await Expect("&activation=relu", mixed, relu);
        await Expect("&activation=tanh", mixed);
        await Expect("&initializer=xavier_uniform", leaky);
        await Expect("&initializer=he_normal", mixed, relu);
        await Expect("&dataset=iris", mixed);
        await Expect("&status=queued", mixed, leaky, relu);
        await Expect("&status=running&status=queued", mixed, leaky, relu);
        await Expect("&status=running");
        await Expect("&label=more%3Da%3Db");
        await Expect($"&sweepId={Guid.NewGuid()}");
        await Expect("&sweepId=none", mixed, leaky, relu);
        await Expect("&createdAfter=2020-01-01&createdBefore=2999-01-01T00:00:00%2B02:00", mixed, leaky, relu);
        await Expect("&createdBefore=2020-01-01T00:00Z");
        var created = (await api.Http.GetAnswer($"/api/v1/jobs/{leaky}"))["createdAt"].GetDateTimeOffset();
        await Expect($"&createdAfter={created:yyyy-MM-ddTHH:mm:ss.fff}Z", mixed);
    }

    [Fact]
    public async Task Specs_are_there_if_they_are_asked_for()
    {
        await Create();
        var sweep = await api.Http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""");
        foreach (var list in (string[])[$"/api/v1/jobs?label={Uri.EscapeDataString(_label)}", $"{SweepClient.Root}/{sweep}/jobs?limit=2",
            $"{SweepClient.Root}?limit=1"])
        {
            Assert.All((await api.Http.GetAnswer(list)).Json.List("items"), item => Assert.False(item.TryGetProperty("spec", out _)));
            foreach (var item in (await api.Http.GetAnswer($"{list}&fields=spec")).Json.List("items"))
            {
                var whole = (await api.Http.GetAnswer(item.GetProperty("links").Text("self")))["spec"];
                Assert.Equal(whole.GetRawText(), item.GetProperty("spec").GetRawText());
            }
            var refused = await api.Http.GetAnswer($"{list}&fields=spec,result");
            Assert.True(refused.Status == 400 && refused.Text.Contains("/fields", StringComparison.Ordinal), refused.Text);
        }
    }

    [Fact]
    public async Task A_list_shows_all_of_a_job_but_its_spec()
    {
        var request = SweepClient.Tiny.TrimEnd()[..^1] + """, "storeWeights": true}""";
        var sweep = await api.Http.SubmitSweep($$"""{"base": {{request}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 1}""");
        var alone = (await api.Http.Send("POST", "/api/v1/jobs", request)).Id;
        await using var db = api.NewDbContext();
        var (job, ofSweep) = (Guid.Parse(alone), Guid.Parse(sweep));
        foreach (var status in (string[])["queued", "running", "failed", "succeeded"])
        {
            // whatever differs from what a new row has
            await db.Database.ExecuteSqlAsync($$"""
                UPDATE jobs SET status = {{status}}, name = 'all', labels = '{"a": "b"}', visibility = 'everyone', attempt = 2, epoch = 1,
                    step = 3, eta_seconds = 1.5, findings = '{"info": 1, "warning": 2, "error": 3, "critical": 4}',
                    result = '{"testAccuracy": 0.5, "weightsSha256": "0"}', verifies = id, error_code = 'diverged',
                    error_message = 'It did.', notify_url = 'https://example.com/', started_at = now(), finished_at = now(),
                    from_checkpoint = '{"job": "00000000-0000-0000-0000-000000000001", "step": 7}'
                WHERE id = {{job}} OR sweep_id = {{ofSweep}}
                """, TestContext.Current.CancellationToken);
            foreach (var list in (string[])["/api/v1/jobs?limit=1", "/api/v1/jobs?limit=1&orderBy=-createdAt&status=" + status,
                $"{SweepClient.Root}/{sweep}/jobs", $"{SweepClient.Root}/{sweep}/jobs?orderBy=testAccuracy"])
            {
                var page = await api.Http.GetAnswer(list);
                Assert.True(page.Status == 200, $"{list}: {page.Text}");
                foreach (var item in page.Json.List("items"))
                    Assert.Equal(Fields((await api.Http.GetAnswer(item.GetProperty("links").Text("self"))).Json), Fields(item));
            }
        }

        // its place is of the moment, and may count for a while jobs that have just left
        IEnumerable<string> Fields(JsonElement job) =>
            job.EnumerateObject().Where(field => field.Name is not ("spec" or "queuePosition")).Select(field => $"{field}");
    }

    [Fact]
    public async Task Jobs_of_a_sweep_carry_arm_and_seed_and_are_chosen_by_them()
    {
        var sweep = await api.Http.Send("POST", "/api/v1/sweeps", """
            {"base": {"dataset": "iris"}, "seeds": [5, 6],
             "arms": [{"name": "plain"}, {"name": "narrow, deep", "patch": {"model": {"hiddenLayers": [4, 4]}}}]}
            """);
        Assert.True(sweep.Status == 202, sweep.Text);
        Assert.Equal(["narrow, deep 5", "narrow, deep 6", "plain 5", "plain 6"], (await Runs("")).Order());
        Assert.Equal(["narrow, deep 5", "narrow, deep 6"], (await Runs("?arm=narrow,%20deep")).Order());
        Assert.Equal(["narrow, deep 6"], await Runs("?arm=narrow,%20deep&seed=6"));
        Assert.Empty(await Runs("?arm=Plain"));
        await api.Http.Send("POST", $"/api/v1/sweeps/{sweep.Id}/cancel");

        async Task<IEnumerable<string>> Runs(string query) =>
            (await api.Http.GetAnswer($"/api/v1/sweeps/{sweep.Id}/jobs{query}"))["items"].EnumerateArray()
                .Select(job => $"{job.GetProperty("arm").GetString()} {job.GetProperty("seed").GetInt64()}");
    }

    [Fact]
    public async Task Labels_must_all_match_and_may_hold_an_equals_sign()
    {
        var one = await Create(labels: "\"more\": \"a=b\"");
        await Create(labels: "\"more\": \"a\"");
        await Expect("&label=more%3Da%3Db", one);
    }

    [Theory]
    [InlineData("limit=0", "/limit", "at least 1")]
    [InlineData("limit=-3", "/limit", "at least 1")]
    [InlineData("limit=ten", "/limit", "integer")]
    [InlineData("limit=", "/limit", "")]
    [InlineData("limit=99999999999", "/limit", "integer")]
    [InlineData("cursor=abc", "/cursor", "nextCursor")]
    [InlineData("cursor=!", "/cursor", "nextCursor")]
    [InlineData("cursor=", "/cursor", "empty")]
    [InlineData("statu=queued", "/statu", "did you mean 'status'")]
    [InlineData("activaton=relu", "/activaton", "did you mean 'activation'")]
    [InlineData("status=quued", "/status", "did you mean 'queued'")]
    [InlineData("activation=rellu", "/activation", "did you mean 'relu'")]
    [InlineData("initializer=zero", "/initializer", "did you mean 'zeros'")]
    [InlineData("label=a", "/label", "key=value")]
    [InlineData("label=a%00%3Db", "/label", "NUL")]
    [InlineData("dataset=%00", "/dataset", "NUL")]
    [InlineData("sweepId=7", "/sweepId", "UUID")]
    [InlineData("dataset=digts", "/dataset", "did you mean 'digits'")]
    [InlineData("orderBy=accuracy", "/orderBy", "did you mean 'testAccuracy'")]
    [InlineData("createdAfter=yesterday", "/createdAfter", "ISO 8601")]
    [InlineData("createdBefore=01/02/2026", "/createdBefore", "ISO 8601")]
    [InlineData("orderBy=name", "/orderBy", "-createdAt")]
    public async Task A_parameter_that_makes_no_sense_is_400(string query, string pointer, string part)
    {
        var answer = await api.Http.GetAnswer($"/api/v1/jobs?{query}");
        answer.MustBeProblem(400, "validation");
        Assert.Contains(part, answer.Error(pointer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_tells_how_many_there_are_if_it_is_asked()
    {
        await Create();
        await Create();
        var list = $"/api/v1/jobs?label={Uri.EscapeDataString(_label)}&limit=1";
        Assert.Equal(2, (await api.Http.GetAnswer($"{list}&total=true"))["total"].GetInt32());
        Assert.False((await api.Http.GetAnswer(list)).Json.TryGetProperty("total", out _));
    }

    [Fact]
    public async Task Any_result_orders_them_and_those_without_it_come_last()
    {
        var ids = new List<string>();
        foreach (var accuracy in (string?[])["0.5", "\"NaN\"", "0.25", null, "0.75", "0.5"])
        {
            ids.Add(await Create());
            await using var db = api.NewDbContext();
            if (accuracy is not null)
                await db.Database.ExecuteSqlAsync($"""
                    UPDATE jobs SET result = {Result(accuracy)}::jsonb WHERE id = {Guid.Parse(ids[^1])}
                    """, TestContext.Current.CancellationToken);
        }
        static string Result(string accuracy) => $$"""
            {"trainLoss": 1, "testAccuracy": {{accuracy}}, "bestEpoch": 1, "seconds": 1, "diagnosticsSeconds": 0, "samplesPerSecond": 1,
             "parameterCount": 1, "weightsSha256": "x"}
            """;
        string[] Of(params int[] places) => [.. places.Select(place => ids[place])];
        foreach (var limit in (int[])[1, 2, 100])
        {
            Assert.Equal(Of(2, 0, 5, 4, 1, 3), await ReadAll($"&orderBy=testAccuracy&limit={limit}"));
            Assert.Equal(Of(4, 5, 0, 2, 1, 3), await ReadAll($"&orderBy=-testAccuracy&limit={limit}"));
        }
    }

    [Fact]
    public async Task A_cursor_belongs_to_its_list_and_order()
    {
        await Create();
        await Create();
        var cursor = (await api.Http.GetAnswer("/api/v1/jobs?limit=1"))["nextCursor"].GetString();
        var answer = await api.Http.GetAnswer($"/api/v1/jobs?orderBy=createdAt&cursor={cursor}");
        Assert.Contains("other order", answer.Error("/cursor"), StringComparison.Ordinal);
        foreach (var other in (string[])["sweeps", "datasets"])
            Assert.Contains("not a cursor of this list",
                (await api.Http.GetAnswer($"/api/v1/{other}?cursor={cursor}")).Error("/cursor"), StringComparison.Ordinal);
    }

    private async Task<string> Create(string dataset = "digits", string model = "{}", string? labels = null)
    {
        var (key, value) = (_label.Split('=')[0], _label.Split('=')[1]);
        var more = labels is null ? "" : $", {labels}";
        var answer = await api.Http.PostJob(
            $$$"""{"dataset": "{{{dataset}}}", "model": {{{model}}}, "labels": {"{{{key}}}": "{{{value}}}"{{{more}}}}}""");
        Assert.True(answer.Status == 202, answer.Text);
        return answer.Id;
    }

    private async Task Expect(string query, params string[] ids) => Assert.Equal(ids, await ReadAll(query));

    private async Task<List<string>> ReadAll(string query)
    {
        var ids = new List<string>();
        string? cursor = null;
        do
        {
            var page = await api.Http.GetAnswer(
                $"/api/v1/jobs?label={Uri.EscapeDataString(_label)}{query}{(cursor is null ? "" : $"&cursor={cursor}")}");
            Assert.True(page.Status == 200, page.Text);
            ids.AddRange(page["items"].EnumerateArray().Select(job => job.GetProperty("id").GetString()!));
            cursor = page["nextCursor"].GetString();
        }
        while (cursor is not null);
        return ids;
    }
}
