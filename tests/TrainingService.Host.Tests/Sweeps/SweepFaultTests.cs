using System.Linq.Expressions;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Faults;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>Several workers, dying workers, and none.</summary>
[Trait("Category", "Slow")]
public sealed class SweepFaultTests(Service service, ApiWithoutWorkers api) : IClassFixture<ApiWithoutWorkers>, IAsyncDisposable
{
    private readonly List<HostProcess> _workers = [];
    private readonly HttpClient _http = service.Present(api.Api).Http;

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in _workers)
            await worker.DisposeAsync();
    }

    [Fact]
    public async Task Two_workers_share_a_sweep_and_when_one_is_killed_the_other_ends_it()
    {
        await StartWorker();
        await StartWorker();
        var id = await _http.SubmitSweep("""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [256, 256]}, "training": {"epochs": 60}},
             "seedCount": 6, "grid": {"/model/activation": ["relu", "tanh"]}}
            """);
        await _http.WaitForSweep(id, sweep => sweep.Count("running") >= 2);
        await _workers[0].KillAsync();
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("succeeded", 12), (sweep.Status(), sweep.Count("succeeded")));
        Assert.All((await _http.GetReport(id)).List("arms"), arm => Assert.Equal(6, arm.GetProperty("n").GetInt32()));
    }

    [Fact]
    public async Task A_worker_that_is_killed_amid_many_short_runs_costs_no_finished_one_and_no_bit_of_the_others()
    {
        const string Sweep = """
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [16]}, "training": {"epochs": 60}},
             "seedCount": 250, "grid": {"/model/activation": ["relu", "tanh"]}}
            """;
        var id = await _http.SubmitSweep(Sweep);
        await StartWorker();
        await _http.WaitForSweep(id, sweep => sweep.Count("succeeded") > 50);
        await _workers[0].KillAsync();
        var done = await AttemptsAsync(id, job => job.Status == JobStatus.Succeeded);
        await StartWorker();
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("succeeded", 500), (sweep.Status(), sweep.Count("succeeded")));
        Assert.InRange(done.Count, 51, 499);
        Assert.Equal(done, (await AttemptsAsync(id, job => true)).Where(job => done.ContainsKey(job.Key)));
        await using var db = Service.Context(api.Database);
        // Rows of one run each, and all of them.
        Assert.Equal([], await db.Database.SqlQuery<Guid>($"""
            SELECT job_id AS "Value" FROM jobs LEFT JOIN
                (SELECT job_id, count(*) AS rows
                    FROM (SELECT job_id FROM job_metrics UNION ALL SELECT job_id FROM job_layers) each GROUP BY 1) measured ON job_id = id
            WHERE sweep_id = {Guid.Parse(id)} AND rows IS DISTINCT FROM (result ->> 'storedRows')::int
            """).ToListAsync(TestContext.Current.CancellationToken));

        var undisturbed = await _http.SubmitSweep(Sweep);
        await _http.WaitForSweepEnd(undisturbed);
        Assert.Equal(await WeightsAsync(undisturbed), await WeightsAsync(id));
    }

    private async Task<SortedDictionary<Guid, int>> AttemptsAsync(string sweep, Expression<Func<Job, bool>> which)
    {
        await using var db = Service.Context(api.Database);
        return new(await db.Jobs.Where(job => job.SweepId == Guid.Parse(sweep)).Where(which)
            .ToDictionaryAsync(job => job.Id, job => job.Attempt, TestContext.Current.CancellationToken));
    }

    /// <summary>By the runs' names.</summary>
    private async Task<SortedDictionary<string, string>> WeightsAsync(string sweep)
    {
        await using var db = Service.Context(api.Database);
        return new(await db.Jobs.Where(job => job.SweepId == Guid.Parse(sweep))
            .ToDictionaryAsync(job => job.Name ?? "", job => job.Result?.WeightsSha256 ?? "", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_sweep_that_runs_until_decided_loses_no_seed_and_runs_none_twice_when_workers_are_killed()
    {
        // Three, since the sweep may be done before another one has started.
        for (var worker = 0; worker < 3; worker++)
            await StartWorker();
        var id = await _http.SubmitSweep("""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [128, 128]}, "training": {"epochs": 20}},
             "arms": [{"name": "learns"}, {"name": "can't", "patch": {"training": {"optimizer": {"learningRate": 1e-9}}}}],
             "seeds": {"until": "decided", "atLeast": 4, "atMost": 60}}
            """);
        // One dies in the first batch, and one in the second.
        await _http.WaitForSweep(id, sweep => sweep.Count("running") >= 2);
        await _workers[0].KillAsync();
        await _http.WaitForSweep(id, sweep => sweep.List("looks").Count > 0 && sweep.Count("running") >= 1);
        await _workers[1].KillAsync();
        var sweep = await _http.WaitForSweepEnd(id);
        var seeds = sweep.GetProperty("seeds").GetInt32();
        Assert.Equal(("succeeded", "decided", 2 * seeds), (sweep.Status(), sweep.Text("stopped"), sweep.Count("succeeded")));
        var looks = sweep.List("looks").Select(look => look.GetProperty("seeds").GetInt32()).ToList();
        Assert.Equal(looks.Distinct(), looks);
        var report = await _http.GetReport(id);
        Assert.All(report.List("arms"), arm => Assert.Equal(seeds, arm.GetProperty("n").GetInt32()));
        Assert.Equal(2 * seeds, (await _http.SweepJobs(id)).Select(job => job.Text("name")).Distinct().Count());
    }

    [Theory]
    [InlineData(JobStatus.Queued, "succeeded")]
    [InlineData(JobStatus.Canceling, "canceled")]
    public async Task What_a_worker_left_undone_after_its_last_job_the_next_one_does(JobStatus left, string end)
    {
        var id = await _http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 2}""");
        await StartWorker();
        await _http.WaitForSweepEnd(id);
        await _workers[0].KillAsync();
        // As if it had died between the end of the last job and that of the sweep.
        await using (var db = Service.Context(api.Database))
            await db.Sweeps.Where(sweep => sweep.Id == Guid.Parse(id)).ExecuteUpdateAsync(
                set => set.SetProperty(sweep => sweep.Status, left).SetProperty(sweep => sweep.FinishedAt, (DateTimeOffset?)null),
                TestContext.Current.CancellationToken);
        Assert.Equal(JsonValueKind.Null, (await _http.GetSweep(id))["finishedAt"].ValueKind);
        await StartWorker();
        Assert.Equal(end, (await _http.WaitForSweepEnd(id)).Status());
    }

    [Fact]
    public async Task A_sweep_that_waits_for_a_worker_is_canceled_at_once()
    {
        var id = await _http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 3}""");
        var answer = await _http.Send("POST", $"{SweepClient.Root}/{id}/cancel");
        Assert.Equal((202, "canceled", 3), (answer.Status, answer["status"].GetString(), answer.Json.Count("canceled")));
        Assert.Contains("No cell has an outcome", (await _http.GetReport(id)).Text("answer"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_whose_jobs_are_canceled_one_by_one_ends_with_the_last()
    {
        var id = await _http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 2}""");
        foreach (var job in await _http.SweepJobs(id))
            Assert.Equal(202, (await _http.Send("POST", $"/api/v1/jobs/{job.Text("id")}/cancel")).Status);
        var sweep = (await _http.GetSweep(id)).Json;
        Assert.Equal(("failed", "no_outcome"), (sweep.Status(), sweep.ErrorCode()));
    }

    [Fact]
    public async Task A_single_job_does_not_wait_for_a_sweep_that_came_before_it()
    {
        var id = await _http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 40}""");
        var job = await _http.SubmitAsync();
        await StartWorker();
        var started = (await _http.WaitForEndAsync(job)).GetProperty("startedAt").GetDateTimeOffset();
        await _http.WaitForSweepEnd(id);
        var before = (await _http.SweepJobs(id)).Count(cell => cell.GetProperty("startedAt").GetDateTimeOffset() < started);
        // Those that the workers had taken when they found it.
        Assert.True(before <= 8, $"{before} cells were first");
    }

    private async Task StartWorker() =>
        _workers.Add(await HostProcess.StartAsync("worker", api.Database,
            new Dictionary<string, string?> { ["TRAINING_LEASE_SECONDS"] = "4" }));
}
