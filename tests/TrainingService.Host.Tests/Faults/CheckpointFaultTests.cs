using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>A run whose worker dies or is stopped goes on at its last checkpoint, and nobody can tell by what it leaves behind.</summary>
[Trait("Category", "Slow")]
public sealed class CheckpointFaultTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api),
    IClassFixture<ApiWithoutWorkers>
{
    /// <summary>Long enough for several checkpoints a second apart.</summary>
    public static TheoryData<string, string> Runs => new()
    {
        { "adam", """
            {"dataset": "digits", "model": {"layers": [{"type": "dense", "units": 128, "activation": "prelu"}, {"type": "batch_norm"},
                {"type": "dropout", "rate": 0.2}, {"type": "dense", "units": 128}]},
             "training": {"epochs": 600, "optimizer": {"name": "adam"}, "earlyStopping": {"patience": 590}},
             "diagnostics": {"everySteps": 100, "tryPatches": false}}
            """ },
        { "sgd", """
            {"dataset": "digits", "model": {"hiddenLayers": [128, 128]},
             "training": {"epochs": 1000, "optimizer": {"name": "sgd", "learningRate": 0.05, "momentum": 0.9}, "schedule": "cosine"},
             "diagnostics": {"everySteps": 100, "tryPatches": false}}
            """ },
    };

    [Theory, MemberData(nameof(Runs))]
    public async Task A_run_whose_worker_is_killed_ends_as_if_nothing_had_happened(string name, string body)
    {
        var first = await StartWorkerAsync(leaseSeconds: 2, checkpointSeconds: 1);
        var id = Guid.Parse((await Http.PostJob(body)).Id);
        await WaitForCheckpointAsync(id);
        await first.KillAsync();
        var second = await StartWorkerAsync(leaseSeconds: 2, checkpointSeconds: 1);
        var job = await Http.WaitForEndAsync(id);
        Assert.Equal((name, "succeeded", 2), (name, job.Status(), job.GetProperty("attempt").GetInt32()));
        Assert.Contains($"Job {id} goes on at step", second.Log, StringComparison.Ordinal);
        await using (var db = NewDbContext())
            Assert.False(await db.Checkpoints.AnyAsync(c => c.JobId == id, Cancellation));
        await MustEqualUndisturbedAsync(id, body);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_loses_nothing_of_its_run()
    {
        var body = Runs.Last().Data.Item2;
        var first = await StartWorkerAsync(leaseSeconds: 3600, checkpointSeconds: 3600);
        var id = Guid.Parse((await Http.PostJob(body)).Id);
        await Http.WaitForStepAsync(id);
        Assert.True(await first.TerminateAsync() is 0 or 143);
        var given = await Http.GetJobAsync(id);
        var step = given.Step();
        Assert.Equal(("queued", true), (given.Status(), step > 0));

        var second = await StartWorkerAsync(leaseSeconds: 3600, checkpointSeconds: 3600);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        Assert.Contains($"Job {id} goes on at step {step}.", second.Log, StringComparison.Ordinal);
        await MustEqualUndisturbedAsync(id, body);
    }

    /// <summary>Paused before it could be taken, while it ran, and with its worker dead.</summary>
    [Fact]
    public async Task A_job_that_was_paused_ends_as_if_it_had_not_been()
    {
        var body = Runs.Last().Data.Item2;
        var id = Guid.Parse((await Http.PostJob(body)).Id);
        Assert.Equal("paused", (await ActAsync(id, "pause")).Status());
        var first = await StartWorkerAsync(leaseSeconds: 2, checkpointSeconds: 3600);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(await Http.SubmitAsync())).Status());
        Assert.Equal(("paused", 0), ((await Http.GetJobAsync(id)).Status(), (await ReadAsync(id)).Attempt));
        await ActAsync(id, "resume");
        await Http.WaitForStepAsync(id);
        await ActAsync(id, "pause");
        var paused = await Http.WaitForAsync(id, job => job.Status() == "paused");
        Assert.True(paused.Step() > 0);
        Assert.Single((await Http.GetAnswer($"/api/v1/jobs/{id}/checkpoints"))["items"].EnumerateArray());

        await ActAsync(id, "resume");
        await Http.WaitForAsync(id, job => job.Status() == "running" && job.Step() > paused.Step());
        await first.KillAsync();
        Assert.Equal("pausing", (await ActAsync(id, "pause")).Status());
        var second = await StartWorkerAsync(leaseSeconds: 2, checkpointSeconds: 3600);
        Assert.Equal(paused.Step(), (await Http.WaitForAsync(id, job => job.Status() == "paused")).Step());
        await ActAsync(id, "resume");
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        Assert.Contains($"Job {id} goes on at step {paused.Step()}.", second.Log, StringComparison.Ordinal);
        await MustEqualUndisturbedAsync(id, body);
    }

    /// <summary>Without a change it ends as the run itself would have; with one only what lies behind the checkpoint is another.</summary>
    [Fact]
    public async Task A_clone_goes_on_from_a_checkpoint_with_one_change()
    {
        var body = Runs.Last().Data.Item2;
        await StartWorkerAsync(leaseSeconds: 3600, checkpointSeconds: 3600);
        var id = Guid.Parse((await Http.PostJob(body)).Id);
        await Http.WaitForStepAsync(id);
        await ActAsync(id, "pause");
        var step = (await Http.WaitForAsync(id, job => job.Status() == "paused")).Step();
        var (same, other) = (await ForkAsync("{}"), await ForkAsync("""{"activation": "leaky_relu"}"""));
        await CancelAsync(id);
        using (var deleted = await Http.DeleteAsync(new Uri($"/api/v1/jobs/{id}", UriKind.Relative), Cancellation))
            Assert.Equal(System.Net.HttpStatusCode.NoContent, deleted.StatusCode);
        var job = await Http.WaitForEndAsync(same);
        Assert.Equal("succeeded", job.Status());
        await MustEqualUndisturbedAsync(same, body);
        var changed = await Http.WaitForEndAsync(other);
        Assert.Equal("succeeded", changed.Status());
        Assert.NotEqual(Weights(job), Weights(changed));
        Assert.Equal(step, changed.GetProperty("fromCheckpoint").GetProperty("step").GetInt64());
        Assert.Equal(await CurvesAsync(same), await CurvesAsync(other));
        (await Http.Send("POST", $"/api/v1/jobs/{other}/verify")).MustBeProblem(409, "conflict");

        static string? Weights(JsonElement job) => job.GetProperty("result").GetProperty("weightsSha256").GetString();
        async Task<Guid> ForkAsync(string model)
        {
            var answer = await Http.Send("POST", $"/api/v1/jobs/{id}/clone",
                $$$"""{"fromCheckpoint": {"job": "{{{id}}}", "step": {{{step}}}}, "model": {{{model}}}}""");
            Assert.True(answer.Status == 202, answer.Text);
            return Guid.Parse(answer.Id);
        }
        Task<string> CurvesAsync(Guid of) => Http.GetStringAsync($"/api/v1/jobs/{of}/metrics?maxPoints=1000000&toStep={step}");
    }

    private async Task<JsonElement> ActAsync(Guid id, string act)
    {
        var answer = await Http.Send("POST", $"/api/v1/jobs/{id}/{act}");
        Assert.Equal(202, answer.Status);
        return answer.Json;
    }

    [Theory]
    [InlineData("DELETE FROM checkpoint_chunks piece USING newest WHERE (piece.job_id, piece.step) = (newest.job_id, newest.step)", false)]
    [InlineData("UPDATE checkpoint_chunks piece SET data = set_byte(data, 2000, 255 - get_byte(data, 2000)) FROM newest "
        + "WHERE (piece.job_id, piece.step) = (newest.job_id, newest.step)", false)]
    [InlineData("DELETE FROM job_layers row USING newest WHERE row.job_id = newest.job_id AND row.step = 100", true)]
    public async Task A_checkpoint_that_cannot_be_used_leaves_the_one_before_or_the_beginning(string damage, bool fromTheBeginning)
    {
        var body = Runs.Last().Data.Item2;
        var id = Guid.Parse((await Http.PostJob(body)).Id);
        for (var (attempt, step) = (1, 0L); attempt <= 2; attempt++)
        {
            var worker = await StartWorkerAsync(leaseSeconds: 3600, checkpointSeconds: 3600);
            await Http.WaitForAsync(id, job => job.GetProperty("attempt").GetInt32() == attempt && job.Step() > step);
            await worker.TerminateAsync();
            step = (await Http.GetJobAsync(id)).Step();
        }
        await using var test = await ConnectAsync();
        await ExecuteAsync(test,
            $"WITH newest AS (SELECT job_id, step FROM checkpoints WHERE job_id = '{id}' ORDER BY step DESC LIMIT 1) {damage}");
        Checkpoint[] left;
        await using (var db = NewDbContext())
            left = [.. db.Checkpoints.Where(c => c.JobId == id).OrderBy(c => c.Step)];
        Assert.Equal(2, left.Length);
        var second = await StartWorkerAsync(leaseSeconds: 3600, checkpointSeconds: 3600);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        Assert.Contains($"the checkpoint at step {left[1].Step} can't be used", second.Log, StringComparison.Ordinal);
        if (fromTheBeginning)
            Assert.DoesNotContain("goes on at step", second.Log, StringComparison.Ordinal);
        else
            Assert.Contains($"goes on at step {left[0].Step}.", second.Log, StringComparison.Ordinal);
        await MustEqualUndisturbedAsync(id, body);
    }

    private async Task WaitForCheckpointAsync(Guid id)
    {
        await using var watch = await ConnectAsync();
        await WaitAsync(watch, $"SELECT (SELECT count(*) > 0 FROM checkpoints WHERE job_id = jobs.id) OR finished_at IS NOT NULL "
            + $"FROM jobs WHERE id = '{id}'");
        Assert.Equal("running", (await Http.GetJobAsync(id)).Status());
    }

    /// <summary>On the worker that is there now.</summary>
    private async Task MustEqualUndisturbedAsync(Guid id, string body)
    {
        var undisturbed = Guid.Parse((await Http.PostJob(body)).Id);
        var job = await Http.WaitForEndAsync(undisturbed);
        Assert.Equal(1, job.GetProperty("attempt").GetInt32());
        foreach (var part in (string[])["metrics?maxPoints=1000000", "layers?maxPoints=1000000", "findings", "preflight", "layers/0/units"])
            Assert.Equal(await Http.GetStringAsync($"/api/v1/jobs/{undisturbed}/{part}"),
                await Http.GetStringAsync($"/api/v1/jobs/{id}/{part}"));
        Assert.Equal(Result(job), Result(await Http.GetJobAsync(id)));

        static string Result(JsonElement job)
        {
            var result = JsonNode.Parse(job.GetProperty("result").GetRawText())!.AsObject();
            foreach (var time in (string[])["seconds", "diagnosticsSeconds", "fastestEpochSeconds", "samplesPerSecond"])
                Assert.True(result.Remove(time), time);
            return result.ToJsonString();
        }
    }
}
