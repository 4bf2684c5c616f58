using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>Pausing and resuming in every state; where a worker would act, the test does.</summary>
[Collection(nameof(ApiOnly))]
public sealed class PauseJobTests(ApiOnly api)
{
    [Theory]
    [InlineData(JobStatus.Queued, "paused", "queued", "canceled")]
    [InlineData(JobStatus.Running, "pausing", "running", "canceling")]
    [InlineData(JobStatus.Pausing, "pausing", "running", "canceling")]
    [InlineData(JobStatus.Paused, "paused", "queued", "canceled")]
    [InlineData(JobStatus.Canceling, null, null, "canceling")]
    [InlineData(JobStatus.Succeeded, null, null, "succeeded")]
    [InlineData(JobStatus.Failed, null, null, "failed")]
    [InlineData(JobStatus.Canceled, null, null, "canceled")]
    public async Task Each_state_answers_and_repeating_changes_nothing(JobStatus status, string? paused, string? resumed, string canceled)
    {
        foreach (var (act, expected) in new[] { ("pause", paused), ("resume", resumed), ("cancel", canceled) })
        {
            var path = await Create(status);
            var first = await api.Http.Send("POST", $"{path}/{act}");
            if (expected is null)
            {
                first.MustBeProblem(409, "conflict");
                Assert.Equal(Json.NameOf(status), (await api.Http.GetAnswer(path))["status"].GetString());
                continue;
            }
            Assert.Equal((202, expected), (first.Status, first["status"].GetString()));
            var again = await api.Http.Send("POST", $"{path}/{act}");
            Assert.Equal((202, first.Text, first.ETag), (again.Status, again.Text, again.ETag));
        }
    }

    /// <summary>Of a job that another request is about to put back into the queue it is told what was there then.</summary>
    [Theory]
    [InlineData("pause", "paused")]
    [InlineData("cancel", "canceled")]
    public async Task A_job_that_is_being_changed_is_waited_for(string act, string expected)
    {
        var path = await Create(JobStatus.Failed);
        var id = Guid.Parse(path.Split('/')[^1]);
        await using var db = api.NewDbContext();
        await using var retry = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await db.Jobs.Where(job => job.Id == id).ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Queued),
            TestContext.Current.CancellationToken);
        var answer = api.Http.Send("POST", $"{path}/{act}");
        while (!answer.IsCompleted && !await db.Database.SqlQuery<bool>($"""
            SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))) AS "Value"
            """).SingleAsync(TestContext.Current.CancellationToken))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        await retry.CommitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((202, expected), ((await answer).Status, (await answer)["status"].GetString()));
    }

    [Fact]
    public async Task A_paused_job_waits_is_listed_as_such_and_is_not_deleted()
    {
        var path = await Create(JobStatus.Paused);
        var job = await api.Http.GetAnswer(path);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, job["queuePosition"].ValueKind);
        var listed = await api.Http.GetAnswer("/api/v1/jobs?status=paused");
        Assert.Contains(listed["items"].EnumerateArray(), item => item.GetProperty("id").GetString() == job.Id);
        (await api.Http.Send("DELETE", path)).MustBeProblem(409, "conflict");
        (await api.Http.Send("POST", $"{path}/retry")).MustBeProblem(409, "conflict");
        (await api.Http.Send("POST", $"{path}/pause", null, ("If-Match", "\"1\""))).MustBeProblem(412, "precondition-failed");
    }

    [Fact]
    public async Task Checkpoints_are_listed_and_go_with_a_retry()
    {
        var path = await Create(JobStatus.Failed);
        var id = Guid.Parse(path.Split('/')[^1]);
        await using (var db = api.NewDbContext())
        {
            foreach (var step in new[] { 10, 20 })
                db.Checkpoints.Add(new()
                {
                    JobId = id,
                    Step = step,
                    Epoch = 1,
                    Attempt = 1,
                    Bytes = 1000,
                    StoredBytes = 900,
                    EngineVersion = "1.0",
                    InstructionSet = "avx2",
                    CreatedAt = DateTimeOffset.UtcNow,
                });
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }
        var items = (await api.Http.GetAnswer($"{path}/checkpoints"))["items"].EnumerateArray().ToList();
        Assert.Equal([20, 10], items.Select(item => item.GetProperty("step").GetInt32()));
        Assert.Equal(("avx2", "1.0", 1000, 1), (items[0].GetProperty("instructionSet").GetString(),
            items[0].GetProperty("engineVersion").GetString(), items[0].GetProperty("bytes").GetInt32(),
            items[0].GetProperty("epoch").GetInt32()));
        Assert.Equal(202, (await api.Http.Send("POST", $"{path}/retry")).Status);
        Assert.Empty((await api.Http.GetAnswer($"{path}/checkpoints"))["items"].EnumerateArray());
        (await api.Http.GetAnswer($"/api/v1/jobs/{Guid.NewGuid()}/checkpoints")).MustBeProblem(404, "not-found");
    }

    [Theory]
    [InlineData("""{"step": 10}, "training": {"batchSize": 16}""", 400, "/training/batchSize", "can't change where a run goes on")]
    [InlineData("""{"step": 10}, "training": {"seed": 9}""", 400, "/training/seed", "can't change where a run goes on")]
    [InlineData("""{"step": 10}, "training": {"optimizer": {"name": "adam"}}""", 400, "/training/optimizer/name", "can't change where")]
    [InlineData("""{"step": 10}, "training": {"optimizer": {"momentum": 0}}""", 400, "/training/optimizer/momentum", "can't change where")]
    [InlineData("""{"step": 10}, "training": {"earlyStopping": {"patience": 3}}""", 400, "/training/earlyStopping", "can't change where")]
    [InlineData("""{"step": 10}, "model": {"hiddenLayers": [7]}""", 400, "/model/hiddenLayers", "can't change where a run goes on")]
    [InlineData("""{"step": 10}, "model": {"activation": "prelu"}""", 400, "/model/activation", "can't change where a run goes on")]
    [InlineData("""{"step": 10}, "model": {"dropout": 0.5}""", 400, "/model/dropout", "can't change where a run goes on")]
    [InlineData("""{"step": 10}, "dataset": "iris" """, 400, "/dataset", "can't change where a run goes on")]
    [InlineData("""{"step": 10000000}""", 400, "", "must be more")]
    [InlineData("""{"step": "x"}""", 400, "/fromCheckpoint", "must be an object with 'job'")]
    [InlineData("""{"step": 10, "jbo": 1}""", 400, "/fromCheckpoint", "must be an object with 'job'")]
    [InlineData("""{"step": 10, "job": "0198c5a5-0000-7000-8000-000000000000"}""", 400, "/fromCheckpoint/job", "must be the job")]
    [InlineData("""{"step": 10}, "training": {"optimizer": {"learningRate": 0.001}, "epochs": 20}""", 409, null, "no checkpoint")]
    [InlineData("""{"step": 10}, "model": {"activation": "leaky_relu"}""", 409, null, "no checkpoint at step 10; it has none.")]
    public async Task What_a_fork_cannot_change_is_refused_by_its_name(string patch, int status, string? pointer, string sentence)
    {
        var path = await Create(JobStatus.Failed);
        var answer = await api.Http.Send("POST", $"{path}/clone", $"{{\"fromCheckpoint\": {patch}}}");
        answer.MustBeProblem(status, pointer is null ? "conflict" : "validation");
        Assert.Contains(sentence, answer.Text.Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        if (pointer is not null)
            Assert.Contains(answer["errors"].EnumerateObject(), error => error.Name.StartsWith(pointer, StringComparison.Ordinal));
    }

    private async Task<string> Create(JobStatus status)
    {
        var id = Guid.Parse((await api.Http.PostJob("""{"dataset": "digits"}""")).Id);
        await using var db = api.NewDbContext();
        var job = await db.Jobs.SingleAsync(j => j.Id == id, TestContext.Current.CancellationToken);
        (job.Status, job.FinishedAt) = (status, job.IsFinished ? DateTimeOffset.UtcNow : null);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return $"/api/v1/jobs/{id}";
    }
}
