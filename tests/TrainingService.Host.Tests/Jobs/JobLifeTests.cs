using System.Net;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>Reading, canceling and deleting; where a worker would act, the test does.</summary>
[Collection(nameof(ApiOnly))]
public sealed class JobLifeTests(ApiOnly api)
{
    [Fact]
    public async Task An_unchanged_job_costs_a_304()
    {
        var path = await Create();
        var read = await api.Http.GetAnswer(path);
        Assert.NotNull(read.Headers.RetryAfter);
        var again = await api.Http.GetAnswer(path, ("If-None-Match", $"\"x\", {read.ETag}"));
        Assert.Equal((304, "", read.ETag), (again.Status, again.Text, again.ETag));
        await Move(path, job => job.Status = JobStatus.Running);
        var changed = await api.Http.GetAnswer(path, ("If-None-Match", read.ETag!));
        Assert.Equal((200, "running"), (changed.Status, changed["status"].GetString()));
        Assert.NotEqual(read.ETag, changed.ETag);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, changed["queuePosition"].ValueKind);
    }

    [Fact]
    public async Task The_ETag_follows_the_place_in_the_queue()
    {
        // near the head of the queue, where a place is never a moment old
        var ahead = await Create("high");
        var path = await Create("high");
        var read = await api.Http.GetAnswer(path);
        await api.Http.Send("POST", $"{ahead}/cancel");
        var moved = await api.Http.GetAnswer(path, ("If-None-Match", read.ETag!));
        Assert.Equal((200, read["queuePosition"].GetInt32() - 1), (moved.Status, moved["queuePosition"].GetInt32()));
        // The job itself is as it was.
        Assert.Equal(202, (await api.Http.Send("POST", $"{path}/cancel", null, ("If-Match", read.ETag!))).Status);
    }

    [Fact]
    public async Task A_queued_job_is_canceled_at_once_and_only_once()
    {
        var path = await Create();
        var canceled = await api.Http.Send("POST", $"{path}/cancel");
        Assert.Equal((202, "canceled"), (canceled.Status, canceled["status"].GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.String, canceled["finishedAt"].ValueKind);
        var again = await api.Http.Send("POST", $"{path}/cancel");
        Assert.Equal((202, canceled.Text), (again.Status, again.Text));
        Assert.Null((await api.Http.GetAnswer(path)).Headers.RetryAfter);
    }

    [Fact]
    public async Task A_running_job_is_asked_to_stop()
    {
        var path = await Create();
        await Move(path, job => (job.Status, job.StartedAt) = (JobStatus.Running, DateTimeOffset.UtcNow));
        var first = await api.Http.Send("POST", $"{path}/cancel");
        Assert.Equal((202, "canceling"), (first.Status, first["status"].GetString()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, first["finishedAt"].ValueKind);
        Assert.Equal("canceling", (await api.Http.Send("POST", $"{path}/cancel"))["status"].GetString());
        (await api.Http.Send("DELETE", path)).MustBeProblem(409, "conflict");
    }

    [Theory]
    [InlineData(JobStatus.Succeeded)]
    [InlineData(JobStatus.Failed)]
    public async Task Canceling_a_finished_job_changes_nothing(JobStatus status)
    {
        var path = await Create();
        await Move(path, job => (job.Status, job.FinishedAt) = (status, DateTimeOffset.UtcNow));
        var before = await api.Http.GetAnswer(path);
        var answer = await api.Http.Send("POST", $"{path}/cancel");
        Assert.Equal((202, before.Text, before.ETag), (answer.Status, answer.Text, answer.ETag));
    }

    [Fact]
    public async Task If_Match_guards_cancel_and_delete()
    {
        var path = await Create();
        var old = (await api.Http.GetAnswer(path)).ETag!;
        await Move(path, job => job.Status = JobStatus.Running);
        (await api.Http.Send("POST", $"{path}/cancel", null, ("If-Match", old))).MustBeProblem(412, "precondition-failed");
        (await api.Http.Send("POST", $"{path}/cancel", null, ("If-Match", "W/" + old))).MustBeProblem(412, "precondition-failed");
        Assert.Equal("running", (await api.Http.GetAnswer(path))["status"].GetString());
        await Move(path, job => job.Status = JobStatus.Succeeded);
        (await api.Http.Send("DELETE", path, null, ("If-Match", old))).MustBeProblem(412, "precondition-failed");
        (await api.Http.Send("DELETE", path, null, ("If-Match", "no quotes"))).MustBeProblem(400, "validation");
        var current = (await api.Http.GetAnswer(path)).ETag!;
        Assert.Equal(204, (await api.Http.Send("DELETE", path, null, ("If-Match", $"{old}, {current}"))).Status);
    }

    [Fact]
    public async Task If_Match_does_not_look_at_how_far_the_run_is()
    {
        var path = await Create();
        await Move(path, job => (job.Status, job.Attempt) = (JobStatus.Running, 1));
        var before = (await api.Http.GetAnswer(path)).ETag!;
        await Move(path, job => job.Step++);
        Assert.NotEqual(before, (await api.Http.GetAnswer(path)).ETag);
        // another attempt is another matter
        await Move(path, job => job.Attempt++);
        (await api.Http.Send("POST", $"{path}/cancel", null, ("If-Match", before))).MustBeProblem(412, "precondition-failed");
        await Move(path, job => job.Attempt--);
        Assert.Equal(202, (await api.Http.Send("POST", $"{path}/cancel", null, ("If-Match", before))).Status);
    }

    [Fact]
    public async Task Deleting_takes_the_metrics_along()
    {
        var path = await Create();
        (await api.Http.Send("DELETE", path)).MustBeProblem(409, "conflict");
        var id = Guid.Parse(path.Split('/')[^1]);
        await using var db = api.NewDbContext();
        db.Metrics.Add(new() { JobId = id, Step = 1, Split = Split.Train, Epoch = 1, Loss = 1 });
        db.Layers.Add(new LayerRow { JobId = id, Step = 0, Layer = 0, Epoch = 0 });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        await api.Http.Send("POST", $"{path}/cancel");
        var deleted = await api.Http.Send("DELETE", path);
        Assert.Equal((204, ""), (deleted.Status, deleted.Text));
        Assert.False(await db.Metrics.AnyAsync(m => m.JobId == id, TestContext.Current.CancellationToken));
        Assert.False(await db.Layers.AnyAsync(l => l.JobId == id, TestContext.Current.CancellationToken));
        (await api.Http.Send("DELETE", path)).MustBeProblem(404, "not-found");
        (await api.Http.GetAnswer(path)).MustBeProblem(404, "not-found");
        (await api.Http.Send("POST", $"{path}/cancel")).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task Results_that_are_not_finite_are_data()
    {
        var path = await Create();
        await Move(path, job =>
        {
            (job.Status, job.ErrorCode, job.ErrorMessage) = (JobStatus.Failed, "diverged", "The loss is not finite.");
            job.Result = new()
            {
                TrainLoss = float.NaN,
                ValidationLoss = float.PositiveInfinity,
                TestLoss = float.NegativeInfinity,
                WeightsSha256 = "",
            };
        });
        var job = await api.Http.GetAnswer(path);
        Assert.Equal(200, job.Status);
        Assert.Equal("NaN", job["result"].GetProperty("trainLoss").GetString());
        Assert.Equal("Infinity", job["result"].GetProperty("validationLoss").GetString());
        Assert.Equal("-Infinity", job["result"].GetProperty("testLoss").GetString());
        Assert.Equal("diverged", job["error"].GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("GET", "/api/v1/jobs/nonsense", 404, "not-found")]
    [InlineData("GET", "/api/v1/nothing", 404, "not-found")]
    [InlineData("GET", "/nothing", 404, "not-found")]
    [InlineData("PUT", "/api/v1/jobs", 405, "method-not-allowed")]
    [InlineData("PATCH", "/api/v1/activations", 405, "method-not-allowed")]
    [InlineData("GET", "/api/v1/jobs/0198c5a5-0000-7000-8000-000000000000", 404, "not-found")]
    [InlineData("GET", "/api/v1/jobs/0198c5a5-0000-7000-8000-000000000000?verbose=1", 400, "validation")]
    public async Task What_is_not_there_is_a_problem_too(string method, string path, int status, string type)
    {
        (await api.Http.Send(method, path)).MustBeProblem(status, type);
        (await api.Http.Send(method, path, null, ("Accept", "text/csv"))).MustBeProblem(status, type);
    }

    [Fact]
    public async Task Cancels_at_once_agree_with_a_worker_that_claims()
    {
        for (var i = 0; i < 20; i++)
        {
            var path = await Create();
            var id = Guid.Parse(path.Split('/')[^1]);
            await using var db = api.NewDbContext();
            var claim = db.Jobs.Where(j => j.Id == id && j.Status == JobStatus.Queued).ExecuteUpdateAsync(
                set => set.SetProperty(j => j.Status, JobStatus.Running), TestContext.Current.CancellationToken);
            var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => api.Http.Send("POST", $"{path}/cancel")));
            var claimed = await claim == 1;
            Assert.All(answers, answer => Assert.Equal((int)HttpStatusCode.Accepted, answer.Status));
            Assert.Equal(claimed ? "canceling" : "canceled", (await api.Http.GetAnswer(path))["status"].GetString());
        }
    }

    private async Task<string> Create(string priority = "normal") =>
        $"/api/v1/jobs/{(await api.Http.PostJob($$"""{"dataset": "digits", "priority": "{{priority}}"}""")).Id}";

    private async Task Move(string path, Action<Job> change)
    {
        await using var db = api.NewDbContext();
        var id = Guid.Parse(path.Split('/')[^1]);
        change(await db.Jobs.SingleAsync(j => j.Id == id, TestContext.Current.CancellationToken));
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }
}
