using TrainingService.Host.Tests.Fixtures;

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
        await Expect("&dataset=nowhere");
        await Expect("&status=queued", mixed, leaky, relu);
        await Expect("&status=running&status=queued", mixed, leaky, relu);
        await Expect("&status=running");
        await Expect("&label=more%3Da%3Db");
        await Expect($"&sweepId={Guid.NewGuid()}");
        await Expect("&createdAfter=2020-01-01&createdBefore=2999-01-01T00:00:00%2B02:00", mixed, leaky, relu);
        await Expect("&createdBefore=2020-01-01T00:00Z");
        var created = (await api.Http.GetAnswer($"/api/v1/jobs/{leaky}"))["createdAt"].GetDateTimeOffset();
        await Expect($"&createdAfter={created:yyyy-MM-ddTHH:mm:ss.fff}Z", mixed);
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
