using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>
/// The time between the end of a study's last job and that of its sweep. The service has no worker: the tests
/// measure, or something like it.
/// </summary>
[Collection(nameof(ApiOnly))]
public sealed class SweepMeasuringTests(ApiOnly api) : IDisposable
{
    private const string Study = "born-dead", Json = """{"bornDead": []}""";

    private readonly PooledDbContextFactory<TrainingDbContext> _databases =
        new(new DbContextOptionsBuilder<TrainingDbContext>().UseTrainingDatabase(api.ConnectionString).Options);

    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _goOn = new();
    private int _measured;

    public void Dispose() => _goOn.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_sweep_ends_when_it_is_measured_and_not_before()
    {
        var id = await OwingAsync();
        await Progress(Patiently).AdvanceAsync(id, Cancellation);
        Assert.False((await ReadAsync(id)).IsFinished);
        _goOn.Set();
        await Measuring(Patiently).MeasureOwedAsync(Cancellation);
        var sweep = await ReadAsync(id);
        Assert.Equal((JobStatus.Succeeded, 1), (sweep.Status, _measured));
        Assert.NotNull(sweep.Measured);
        Assert.NotNull(sweep.FinishedAt);
        await Measuring(Patiently).MeasureOwedAsync(Cancellation);
        Assert.Equal(1, _measured);
    }

    [Fact]
    public async Task Meanwhile_the_sweep_is_not_locked_and_other_workers_leave_it_alone()
    {
        var id = await OwingAsync();
        var measuring = Measuring(Patiently).MeasureOwedAsync(Cancellation);
        await _begun.Task;
        await Measuring(Patiently).MeasureOwedAsync(Cancellation);
        Assert.Equal(1, _measured);
        await using (var db = api.NewDbContext())
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Cancellation);
            await db.Sweeps.FromSql($"SELECT *, xmin FROM sweeps WHERE id = {id} FOR UPDATE NOWAIT")
                .SingleAsync(sweep => sweep.Id == id, Cancellation);
        }
        _goOn.Set();
        await measuring;
        Assert.Equal(JobStatus.Succeeded, (await ReadAsync(id)).Status);
    }

    [Fact]
    public async Task The_sweep_can_be_canceled_meanwhile()
    {
        var id = await OwingAsync();
        var measuring = Measuring(Patiently).MeasureOwedAsync(Cancellation);
        await _begun.Task;
        var answer = await api.Http.Send("POST", $"{SweepClient.Root}/{id}/cancel");
        Assert.Equal((202, "canceled"), (answer.Status, answer["status"].GetString()));
        // It ends because nobody wants it any more: nothing lets it go on.
        await measuring;
        var sweep = await ReadAsync(id);
        Assert.Equal((JobStatus.Canceled, null), (sweep.Status, sweep.Measured));
    }

    [Fact]
    public async Task What_a_stopped_worker_left_another_one_measures()
    {
        var id = await OwingAsync();
        using var shutdown = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var measuring = Measuring(Patiently).MeasureOwedAsync(shutdown.Token);
        await _begun.Task;
        await shutdown.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => measuring);
        await TakenOnAsync(id);
    }

    [Fact]
    public async Task What_a_worker_left_whose_connection_is_gone_another_one_measures()
    {
        var id = await OwingAsync();
        var measuring = Measuring(Patiently).MeasureOwedAsync(Cancellation);
        await _begun.Task;
        await using (var db = api.NewDbContext())
            await db.Database.ExecuteSqlAsync(
                $"""
                SELECT pg_terminate_backend(pid) FROM pg_locks
                WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """, Cancellation);
        await Assert.ThrowsAnyAsync<Exception>(() => measuring);
        await TakenOnAsync(id);
    }

    [Fact]
    public async Task What_can_not_be_measured_ends_the_sweep_and_says_why()
    {
        var id = await OwingAsync();
        await Measuring((_, _) => throw new InvalidOperationException("no nets today")).MeasureOwedAsync(Cancellation);
        var sweep = await ReadAsync(id);
        Assert.Equal((JobStatus.Failed, "measurement_failed", "no nets today"), (sweep.Status, sweep.ErrorCode, sweep.ErrorMessage));
    }

    [Fact]
    public async Task The_api_leaves_the_measurement_to_workers()
    {
        var id = Guid.Parse(await api.Http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 2}"""));
        await using (var db = api.NewDbContext())
            await AskAsync(db, id);
        foreach (var job in await api.Http.SweepJobs($"{id}"))
            Assert.Equal(202, (await api.Http.Send("POST", $"/api/v1/jobs/{job.Text("id")}/cancel")).Status);
        var sweep = await ReadAsync(id);
        Assert.Equal((false, null), (sweep.IsFinished, sweep.Measured));
        _goOn.Set();
        await Measuring(Patiently).MeasureOwedAsync(Cancellation);
        sweep = await ReadAsync(id);
        Assert.Equal((JobStatus.Failed, "no_outcome"), (sweep.Status, sweep.ErrorCode));
        Assert.NotNull(sweep.Measured);
    }

    private async Task TakenOnAsync(Guid id)
    {
        _goOn.Set();
        await Measuring(Patiently).MeasureOwedAsync(Cancellation);
        Assert.Equal((JobStatus.Succeeded, 2), ((await ReadAsync(id)).Status, _measured));
    }

    /// <summary>Begins, and waits until it may go on or must not.</summary>
    private string Patiently(Sweep sweep, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _measured);
        _begun.TrySetResult();
        _goOn.Wait(cancellation);
        return Json;
    }

    private SweepMeasuring Measuring(Func<Sweep, CancellationToken, string> measure) =>
        new(_databases, new([Study], [Study], measure), Progress(measure), TimeProvider.System, NullLogger<SweepMeasuring>.Instance);

    private SweepProgress Progress(Func<Sweep, CancellationToken, string> measure) =>
        new(_databases, new(new(new DatasetRegistry("", ""), new(2048)), new(SweepRules.MaxCells)),
            new(new DatasetRegistry("", ""), new(2048)),
            new([Study], [Study], measure), new(NullLogger<WakeUps>.Instance), TimeProvider.System, NullLogger<SweepProgress>.Instance);

    /// <summary>A study's sweep whose only job has succeeded.</summary>
    private async Task<Guid> OwingAsync()
    {
        var id = Guid.Parse(await api.Http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 1}"""));
        await using var db = api.NewDbContext();
        DateTimeOffset? now = DateTimeOffset.UtcNow;
        await db.Jobs.Where(job => job.SweepId == id)
            .ExecuteUpdateAsync(
                set => set.SetProperty(job => job.Status, JobStatus.Succeeded).SetProperty(job => job.FinishedAt, now), Cancellation);
        await AskAsync(db, id);
        return id;
    }

    private static Task<int> AskAsync(TrainingDbContext db, Guid id) => db.Sweeps.Where(sweep => sweep.Id == id)
        .ExecuteUpdateAsync(
            set => set.SetProperty(sweep => sweep.Study, Study).SetProperty(sweep => sweep.StudySize, "full"), Cancellation);

    private async Task<Sweep> ReadAsync(Guid id)
    {
        await using var db = api.NewDbContext();
        return await db.Sweeps.AsNoTracking().SingleAsync(sweep => sweep.Id == id, Cancellation);
    }
}
