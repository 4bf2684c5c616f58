using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

public sealed class RetryJobTests(Service service)
{
    [Fact]
    public async Task A_canceled_job_runs_again_as_a_new_attempt_of_the_same_spec()
    {
        var id = await service.Http.SubmitAsync(Client.Hours);
        await service.Http.WaitForStepAsync(id);
        await service.Http.Send("POST", $"/api/v1/jobs/{id}/cancel");
        var canceled = await service.Http.WaitForEndAsync(id);
        var answer = await RetryAsync(id);
        Assert.Equal((202, $"/api/v1/jobs/{id}"), (answer.Status, answer.Headers.Location!.ToString()));
        Assert.Equal(canceled.GetProperty("spec").GetRawText(), answer["spec"].GetRawText());
        var running = await service.Http.WaitForAsync(id, job => job.Status() == "running" && job.GetProperty("attempt").GetInt32() == 2);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, running.GetProperty("finishedAt").ValueKind);
        await service.Http.Send("POST", $"/api/v1/jobs/{id}/cancel");
        await service.Http.WaitForEndAsync(id);
    }

    [Fact]
    public async Task A_failed_job_leaves_nothing_of_its_first_attempt()
    {
        var id = await service.Http.SubmitAsync(epochs: 5, everySteps: 1, learningRate: 1e30);
        var first = await service.Http.WaitForEndAsync(id);
        Assert.Equal(("failed", 1), (first.Status(), first.GetProperty("attempt").GetInt32()));
        Assert.Equal(202, (await RetryAsync(id)).Status);
        var second = await service.Http.WaitForAsync(id, job => job.Status() == "failed" && job.GetProperty("attempt").GetInt32() == 2);
        // the same seed diverges in the same way
        Assert.Equal(first.ErrorCode(), second.ErrorCode());
        Assert.Equal(first.GetProperty("findings").GetRawText(), second.GetProperty("findings").GetRawText());
        await using var db = service.NewDbContext();
        Assert.Equal(3, await db.Units.CountAsync(u => u.JobId == id, TestContext.Current.CancellationToken));
    }

    [Theory, InlineData(JobStatus.Running), InlineData(JobStatus.Succeeded)]
    public async Task A_job_that_neither_failed_nor_was_canceled_can_not_be_retried(JobStatus status)
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync(change: job => (job.Status, job.LeaseUntil) = (status, DateTimeOffset.UtcNow.AddHours(1)));
        var answer = await RetryAsync(id);
        answer.MustBeProblem(409, "conflict");
        Assert.Contains($"The job is {Json.NameOf(status)}", answer["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal(status, (await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id, TestContext.Current.CancellationToken)).Status);
        await db.Jobs.Where(j => j.Id == id).ExecuteDeleteAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Who_saw_another_version_is_refused()
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync(change: job => (job.Status, job.FinishedAt) = (JobStatus.Failed, DateTimeOffset.UtcNow));
        (await service.Http.Send("POST", $"/api/v1/jobs/{id}/retry", null, ("If-Match", "\"1\"")))
            .MustBeProblem(412, "precondition-failed");
        var tag = (await service.Http.GetAnswer($"/api/v1/jobs/{id}")).ETag!;
        Assert.Equal(202, (await service.Http.Send("POST", $"/api/v1/jobs/{id}/retry", null, ("If-Match", tag))).Status);
        Assert.Equal("succeeded", (await service.Http.WaitForEndAsync(id)).Status());
    }

    [Fact]
    public async Task A_job_that_is_not_there_can_not_be_retried() => (await RetryAsync(Guid.NewGuid())).MustBeProblem(404, "not-found");

    private Task<Answer> RetryAsync(Guid id) => service.Http.Send("POST", $"/api/v1/jobs/{id}/retry");
}
