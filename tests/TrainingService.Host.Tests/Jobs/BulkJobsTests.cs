using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

[Collection(nameof(ApiOnly))]
public sealed class BulkJobsTests(ApiOnly api)
{
    private readonly string _batch = Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Cancels_what_the_filter_names_and_nothing_else_and_again_changes_nothing()
    {
        var ids = await SubmitAsync(250);
        var other = await api.Http.SubmitAsync();
        Assert.Equal((250, 250, 0), Counts(await PostAsync("cancel")));
        Assert.Equal((250, 0, 250), Counts(await PostAsync("cancel")));
        Assert.Equal("queued", (await api.Http.GetJobAsync(other)).Status());
        await using var db = api.NewDbContext();
        Assert.Equal(250, await db.Jobs.CountAsync(job => ids.Contains(job.Id) && job.Status == JobStatus.Canceled
            && job.FinishedAt != null,
            TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Deletes_finished_jobs_alone()
    {
        var ids = await SubmitAsync(3);
        using var cancel = await api.Http.PostAsync(new Uri($"/api/v1/jobs/{ids[1]}/cancel", UriKind.Relative), null,
            TestContext.Current.CancellationToken);
        Assert.Equal((3, 1, 2), Counts(await PostAsync("delete")));
        Assert.Equal((2, 0, 2), Counts(await PostAsync("delete")));
        Assert.Equal(404, (await api.Http.GetAnswer($"/api/v1/jobs/{ids[1]}")).Status);
    }

    [Fact]
    public async Task Those_that_are_named_are_changed_and_no_others()
    {
        var ids = await SubmitAsync(3);
        var answer = await api.Http.Send("POST", "/api/v1/jobs/bulk",
            $$"""{"filter": {"ids": ["{{ids[0]}}", "{{ids[2]}}"]}, "action": "label", "labels": {"kept": "yes"} }""");
        Assert.Equal((2, 2, 0), Counts(answer));
        for (var i = 0; i < 3; i++)
            Assert.Equal(i != 1, (await api.Http.GetJobAsync(ids[i])).GetProperty("labels").TryGetProperty("kept", out _));
        var none = await api.Http.Send("POST", "/api/v1/jobs/bulk", """{"filter": {"ids": []}, "action": "cancel"}""");
        Assert.Contains("1 to 500 ids", none.Error("/filter/ids"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sets_labels_and_takes_them_off()
    {
        var ids = await SubmitAsync(2);
        Assert.Equal((2, 2, 0), Counts(await PostAsync("label", """, "labels": {"kept": "yes", "batch2": "x"}""")));
        Assert.Equal((2, 0, 2), Counts(await PostAsync("label", """, "labels": {"kept": "yes"}""")));
        Assert.Equal((2, 2, 0), Counts(await PostAsync("label", """, "removeLabels": ["batch2"]""")));
        Assert.Equal($$"""{"kept":"yes","batch":"{{_batch}}"}""",
            (await api.Http.GetJobAsync(ids[0])).GetProperty("labels").GetRawText().Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(2, (await api.Http.GetAnswer($"/api/v1/jobs?label=kept=yes&label=batch={_batch}"))["items"].GetArrayLength());
    }

    [Theory]
    [InlineData("""{"filter": {}, "action": "destroy"}""", "/action")]
    [InlineData("""{"filter": {"status": ["done"]}, "action": "cancel"}""", "/filter/status")]
    [InlineData("""{"filter": {"state": "queued"}, "action": "cancel"}""", "/filter/state")]
    [InlineData("""{"filter": {"label": ["a"]}, "action": "cancel"}""", "/filter/label")]
    [InlineData("""{"filter": {}, "action": "label"}""", "/labels")]
    [InlineData("""{"filter": {}, "action": "cancel", "labels": {"a": "b"}}""", "/labels")]
    [InlineData("""{"action": "cancel"}""", "/filter")]
    public async Task Says_what_is_wrong_and_changes_nothing(string body, string pointer)
    {
        var answer = await api.Http.Send("POST", "/api/v1/jobs/bulk", body);
        answer.MustBeProblem(400, "validation");
        Assert.NotEmpty(answer.Error(pointer));
    }

    [Fact]
    public async Task Without_a_worker_a_job_says_so_and_has_no_estimated_start()
    {
        var created = await api.Http.PostJob("""{"dataset": "iris"}""");
        Assert.Contains("No worker", created["notes"][0].GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, created["estimatedStartAt"].ValueKind);
        var ready = await api.Http.GetAnswer("/health/ready");
        Assert.Equal((200, "degraded"), (ready.Status, ready["status"].GetString()));
        Assert.Contains("No worker", ready["checks"].GetProperty("workers").GetString(), StringComparison.Ordinal);
    }

    private async Task<Guid[]> SubmitAsync(int count) => await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
    {
        var answer = await api.Http.PostJob($$"""{"dataset": "iris", "labels": {"batch": "{{_batch}}"} }""");
        Assert.Equal(202, answer.Status);
        return Guid.Parse(answer.Id);
    }));

    private Task<Answer> PostAsync(string action, string? labels = null) => api.Http.Send("POST", "/api/v1/jobs/bulk",
        $$"""{"filter": {"label": ["batch={{_batch}}"]}, "action": "{{action}}"{{labels}} }""");

    private static (int Matched, int Changed, int Unchanged) Counts(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Text);
        return (answer["matched"].GetInt32(), answer["changed"].GetInt32(), answer["unchanged"].GetInt32());
    }
}
