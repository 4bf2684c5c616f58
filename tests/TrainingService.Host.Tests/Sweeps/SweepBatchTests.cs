using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>
/// Between a batch of seeds and the next, with workers that die, race and come late. The service has no worker: the tests end the jobs.
/// </summary>
[Collection(nameof(ApiOnly))]
public sealed class SweepBatchTests(ApiOnly api)
{
    private readonly PooledDbContextFactory<TrainingDbContext> _databases =
        new(new DbContextOptionsBuilder<TrainingDbContext>().UseTrainingDatabase(api.ConnectionString).Options);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_workers_that_end_a_batch_at_once_one_looks()
    {
        var id = await SubmitAsync();
        await EndJobsAsync(id, Open);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Progress().AdvanceAsync(id, Cancellation)));
        await MustHaveAsync(id, 9, [6]);
        await EndJobsAsync(id, Open);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Progress().AdvanceAsync(id, Cancellation)));
        await MustHaveAsync(id, 12, [6, 9]);
    }

    [Fact]
    public async Task A_batch_with_an_unfinished_job_is_not_looked_at()
    {
        var id = await SubmitAsync();
        await EndJobsAsync(id, Open, all: false);
        await Progress().AdvanceAsync(id, Cancellation);
        await MustHaveAsync(id, 6, []);
    }

    [Fact]
    public async Task A_worker_that_dies_while_it_looks_has_not_looked_and_the_next_one_does()
    {
        var id = await SubmitAsync();
        await EndJobsAsync(id, Open);
        // Somebody holds the row, so that the look waits in its transaction; then its connection is cut.
        await using (var db = api.NewDbContext())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Cancellation);
            await db.Database.ExecuteSqlAsync($"SELECT 1 FROM sweeps WHERE id = {id} FOR UPDATE", Cancellation);
            var dying = Progress().AdvanceAsync(id, Cancellation);
            await using var other = api.NewDbContext();
            for (var killed = 0; killed == 0; await Task.Delay(10, Cancellation))
                killed = await other.Database.SqlQuery<int>($"""
                    SELECT count(pg_terminate_backend(pid))::int AS "Value" FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE '%sweeps%FOR UPDATE%'
                    """).SingleAsync(Cancellation);
            await Assert.ThrowsAnyAsync<Exception>(() => dying);
        }
        await MustHaveAsync(id, 6, []);
        await Progress().AdvanceForgottenAsync(Cancellation);
        await MustHaveAsync(id, 9, [6]);
        // Whoever comes late changes nothing.
        await Progress().AdvanceForgottenAsync(Cancellation);
        await Progress().AdvanceAsync(id, Cancellation);
        await MustHaveAsync(id, 9, [6]);
    }

    [Fact]
    public async Task A_sweep_that_is_canceled_during_a_batch_gets_no_other_one()
    {
        var id = await SubmitAsync();
        await EndJobsAsync(id, Open);
        await Progress().AdvanceAsync(id, Cancellation);
        var answer = await api.Http.Send("POST", $"{SweepClient.Root}/{id}/cancel");
        Assert.Equal((202, "canceled"), (answer.Status, answer["status"].GetString()));
        await Progress().AdvanceForgottenAsync(Cancellation);
        var sweep = await MustHaveAsync(id, 9, [6]);
        Assert.Equal((JobStatus.Canceled, null), (sweep.Status, sweep.Spec.Stopped));
        Assert.Equal(9, (await api.Http.GetSweep($"{id}"))["seedsAtMost"].GetInt32());

        // What was canceled can be run after all, and then it goes on until it is decided.
        Assert.Equal(202, (await api.Http.Send("POST", $"{SweepClient.Root}/{id}/retry-failed")).Status);
        await EndJobsAsync(id, Plain);
        await Progress().AdvanceAsync(id, Cancellation);
        await EndJobsAsync(id, Plain);
        await Progress().AdvanceAsync(id, Cancellation);
        sweep = await MustHaveAsync(id, 16, [6, 9, 12]);
        Assert.False(sweep.IsFinished);
    }

    [Fact]
    public async Task A_decided_sweep_ends_and_stays_so()
    {
        var id = await SubmitAsync();
        for (var batch = 0; batch < 3; batch++)
        {
            await EndJobsAsync(id, Plain);
            await Progress().AdvanceAsync(id, Cancellation);
        }
        await Progress().AdvanceAsync(id, Cancellation);
        var sweep = await MustHaveAsync(id, 12, [6, 9, 12]);
        Assert.Equal((JobStatus.Succeeded, SweepStop.Decided), (sweep.Status, sweep.Spec.Stopped));
    }

    [Fact]
    public async Task Runs_that_all_fail_end_the_sweep_with_the_first_batch()
    {
        var id = await SubmitAsync();
        await EndJobsAsync(id, (_, _) => null);
        await Progress().AdvanceAsync(id, Cancellation);
        var sweep = await MustHaveAsync(id, 6, [6]);
        Assert.Equal((JobStatus.Failed, "no_outcome", SweepStop.Hopeless), (sweep.Status, sweep.ErrorCode, sweep.Spec.Stopped));
    }

    [Fact]
    public async Task Arms_that_come_later_are_compared_without_more_seeds()
    {
        var id = await SubmitAsync(""", "budgetSeconds": 0.000001""");
        await EndJobsAsync(id, Plain);
        await Progress().AdvanceAsync(id, Cancellation);
        var answer = await api.Http.Send("POST", $"{SweepClient.Root}/{id}/extend",
            """{"arms": [{"name": "elu", "patch": {"model": {"activation": "elu"}}}]}""");
        Assert.True(answer.Status == 202, answer.Text);
        await EndJobsAsync(id, Plain);
        await Progress().AdvanceAsync(id, Cancellation);
        var sweep = await ReadAsync(id);
        Assert.Equal((JobStatus.Succeeded, 6, 1, 2),
            (sweep.Status, sweep.Spec.Seeds.Count, sweep.Spec.Looks.Count, sweep.Spec.Looks[0].Of));
    }

    /// <summary>Nothing to see, but at a spread at which 60 seeds may show that.</summary>
    private static double? Open(int arm, long seed) => 0.8 + (arm == 0 ? 0 : 0.0045 * (seed % 2 == 0 ? 1 : -1));

    private static double? Plain(int arm, long seed) => 0.8 + 0.1 * arm + 0.001 * (seed % 3);

    private async Task<Guid> SubmitAsync(string more = "") => Guid.Parse(await api.Http.SubmitSweep(
        $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seeds": {"until": "decided", "atMost": 60}{{more}}}"""));

    private SweepProgress Progress() => new(_databases, new(new(new DatasetRegistry("", ""), new(2048)), new(SweepRules.MaxCells)),
        new(new DatasetRegistry("", ""), new(2048)),
        new([], [], (_, _) => throw new InvalidOperationException("nothing is measured")),
        new(NullLogger<WakeUps>.Instance), TimeProvider.System, NullLogger<SweepProgress>.Instance);

    /// <summary>Ends the sweep's jobs as a worker would, or all but the last.</summary>
    private async Task EndJobsAsync(Guid id, Func<int, long, double?> accuracy, bool all = true)
    {
        await using var db = api.NewDbContext();
        var cells = await db.SweepCells.Where(cell => cell.SweepId == id).OrderBy(cell => cell.Seed).ThenBy(cell => cell.Arm)
            .ToListAsync(Cancellation);
        var jobs = await db.Jobs.Where(job => job.SweepId == id && job.FinishedAt == null).ToDictionaryAsync(job => job.Id, Cancellation);
        foreach (var cell in cells.Where(cell => jobs.ContainsKey(cell.JobId)).SkipLast(all ? 0 : 1))
        {
            var job = jobs[cell.JobId];
            var value = accuracy(cell.Arm, cell.Seed);
            (job.Status, job.ErrorCode) = value is null ? (JobStatus.Failed, "timeout") : (JobStatus.Succeeded, null);
            (job.StartedAt, job.FinishedAt, job.Layers) = (DateTimeOffset.UtcNow.AddSeconds(-1), DateTimeOffset.UtcNow, []);
            job.Result = value is null ? null : new TrainingResult { TestAccuracy = (float)value, WeightsSha256 = "" };
        }
        await db.SaveChangesAsync(Cancellation);
    }

    private async Task<Sweep> MustHaveAsync(Guid id, int seeds, int[] looks)
    {
        await using var db = api.NewDbContext();
        var sweep = await ReadAsync(id);
        Assert.Equal(SweepRules.Listed(seeds), sweep.Spec.Seeds);
        Assert.Equal(looks, sweep.Spec.Looks.Select(look => look.Seeds));
        var cells = await db.SweepCells.Where(cell => cell.SweepId == id).Select(cell => new { cell.Arm, cell.Seed, cell.JobId })
            .ToListAsync(Cancellation);
        Assert.Equal(2 * seeds, cells.Count);
        Assert.Equal(2 * seeds, cells.Select(cell => cell.JobId).Distinct().Count());
        Assert.Equal(2 * seeds, await db.Jobs.CountAsync(job => job.SweepId == id, Cancellation));
        return sweep;
    }

    private async Task<Sweep> ReadAsync(Guid id)
    {
        await using var db = api.NewDbContext();
        return await db.Sweeps.AsNoTracking().SingleAsync(sweep => sweep.Id == id, Cancellation);
    }
}
