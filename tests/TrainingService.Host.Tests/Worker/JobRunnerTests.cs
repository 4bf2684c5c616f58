using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using TrainingService.Engine.Layers;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Uploads;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>One run, without Hangfire and with a process that is told to end when the test likes.</summary>
public sealed class JobRunnerTests(Service service) : IAsyncLifetime, IHostApplicationLifetime, IDisposable
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private readonly CancellationTokenSource _stopping = new();
    private readonly WakeUps _wakeUps = new(NullLogger<WakeUps>.Instance);
    private readonly List<Guid?> _ended = [];
    private readonly WorkerOptions _options = new(1, 1, TimeSpan.FromSeconds(30));
    private string _database = "";

    public CancellationToken ApplicationStarted => default;
    public CancellationToken ApplicationStopping => _stopping.Token;
    public CancellationToken ApplicationStopped => default;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_database.Length > 0)
            await service.Postgres.DropDatabaseAsync(_database);
        Dispose();
    }

    public void Dispose() => _stopping.Dispose();

    void IHostApplicationLifetime.StopApplication() => _stopping.Cancel();

    [Fact]
    public async Task A_job_that_is_given_back_at_shutdown_wakes_a_worker()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(epochs: Client.Hours);
        var run = Runner().RunAsync(id, null, _cancellation);
        await UntilAsync(id, job => job.Step > 0);
        await _stopping.CancelAsync();
        await run;
        var job = await ReadAsync(id);
        Assert.Equal((JobStatus.Queued, null), (job.Status, job.LeaseOwner));
        var checkpoint = await db.Checkpoints.SingleAsync(c => c.JobId == id, _cancellation);
        Assert.Equal((job.Step, job.Epoch, 1), (checkpoint.Step, checkpoint.Epoch, checkpoint.Attempt));
        Assert.InRange(checkpoint.Step, 1, long.MaxValue);
        Assert.InRange(job.RanSeconds, double.Epsilon, double.MaxValue);
        Assert.Equal(id, (await NextWakeUpAsync())?.Id);
        Assert.Empty(_ended);
    }

    [Fact]
    public async Task A_job_that_is_canceled_at_shutdown_ends_and_wakes_nobody()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(epochs: Client.Hours);
        var run = Runner().RunAsync(id, null, _cancellation);
        await UntilAsync(id, job => job.Step > 0);
        // Between two beats, so that the run learns of the shutdown first.
        await db.Jobs.Where(job => job.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Canceling), _cancellation);
        await _stopping.CancelAsync();
        await run;
        Assert.Equal(JobStatus.Canceled, (await ReadAsync(id)).Status);
        Assert.Null(await NextWakeUpAsync());
        Assert.Single(_ended);
    }

    [Fact]
    public async Task A_run_that_is_paused_stops_at_a_checkpoint_and_frees_its_worker()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(epochs: Client.Hours);
        var run = Runner().RunAsync(id, null, _cancellation);
        await UntilAsync(id, job => job.Step > 0);
        await db.Jobs.Where(job => job.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Pausing), _cancellation);
        await run;
        var job = await ReadAsync(id);
        Assert.Equal((JobStatus.Paused, null, null), (job.Status, job.LeaseOwner, job.FinishedAt));
        Assert.Equal(job.Step, (await db.Checkpoints.SingleAsync(c => c.JobId == id, _cancellation)).Step);
        Assert.InRange(job.Step, 1, long.MaxValue);
        Assert.Null(await NextWakeUpAsync());
    }

    [Fact]
    public async Task A_job_can_be_canceled_before_its_training_begins()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(model: SlowToBuild);
        var run = Runner().RunAsync(id, null, _cancellation);
        await UntilAsync(id, job => job.Status is JobStatus.Running);
        await db.Jobs.Where(job => job.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Canceling), _cancellation);
        await run;
        var job = await ReadAsync(id);
        // Layers are told once the net is built.
        Assert.Equal((JobStatus.Canceled, null), (job.Status, job.Layers));
    }

    [Fact]
    public async Task A_job_runs_out_of_time_before_its_training_begins()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(model: SlowToBuild, timeoutSeconds: 1);
        await Runner().RunAsync(id, null, _cancellation);
        var job = await ReadAsync(id);
        Assert.Equal((JobStatus.Failed, "timeout", null), (job.Status, job.ErrorCode, job.Layers));
    }

    /// <summary>The job's own run takes three steps; trials of it last as long as they may.</summary>
    [Theory]
    [InlineData(true, JobStatus.Canceled)]
    [InlineData(false, JobStatus.Failed)]
    public async Task A_job_can_be_canceled_while_changes_of_it_are_tried_and_one_that_has_ended_is_not_given_back(bool canceled,
        JobStatus expected)
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(epochs: Client.Hours, rate: 1e6);
        var run = Runner().RunAsync(id, null, _cancellation);
        await UntilAsync(id, job => job.Step > 0 && job.EtaSeconds is > 0 and < 60);
        if (canceled)
            await db.Jobs.Where(job => job.Id == id)
                .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Canceling), _cancellation);
        else
            await _stopping.CancelAsync();
        await run;
        var job = await ReadAsync(id);
        Assert.Equal((expected, canceled ? null : "diverged", canceled), (job.Status, job.ErrorCode, job.Result is null));
        Assert.True(canceled || job.Result?.Seconds < 9);
        Assert.True(await db.Findings.AnyAsync(f => f.JobId == id, _cancellation));
    }

    [Fact]
    public async Task A_job_waits_for_its_rows_while_the_database_is_away()
    {
        const string Name = "own-rows";
        var upload = await service.Http.Upload("/api/v1/datasets", UploadClient.Flowers(240), ("name", $"outage-{Guid.NewGuid():N}"),
            ("target", "kind"));
        await using var db = Service.Context(_database);
        await using (var brought = service.NewDbContext())
        {
            var sha256 = upload["sha256"].GetString();
            var content = await brought.DatasetContents.AsNoTracking().SingleAsync(c => c.Sha256 == sha256, _cancellation);
            db.Add(content);
            db.AddRange(await brought.DatasetChunks.AsNoTracking().Where(c => c.ContentId == content.Id).ToListAsync(_cancellation));
            db.Add(new DatasetVersion
            {
                Name = Name,
                Version = 1,
                ContentId = content.Id,
                Sha256 = content.Sha256,
                Facts = new() { Files = [] },
                CreatedAt = content.CreatedAt,
            });
            await db.SaveChangesAsync(_cancellation);
        }
        var away = new Away(_database) { Failures = 5 };
        var id = await db.InsertJobAsync(dataset: Name);
        await Runner(datasets: new([], new(), new StoredDatasets(away, new()))).RunAsync(id, null, _cancellation);
        var job = await ReadAsync(id);
        Assert.Equal((JobStatus.Succeeded, null, 0), (job.Status, job.ErrorCode, away.Failures));
    }

    [Fact]
    public async Task Times_are_those_of_the_clock()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync();
        await Runner(new Stopped()).RunAsync(id, null, _cancellation);
        var job = await ReadAsync(id);
        Assert.Equal((JobStatus.Succeeded, Stopped.Time, Stopped.Time), (job.Status, job.StartedAt, job.FinishedAt));
    }

    [Fact]
    public async Task A_wake_up_whose_job_is_gone_runs_what_waits()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync();
        await Runner().RunAsync(Guid.CreateVersion7(), null, _cancellation);
        Assert.Equal(JobStatus.Succeeded, (await ReadAsync(id)).Status);
    }

    /// <summary>In whatever order Hangfire takes them.</summary>
    [Fact]
    public async Task A_wake_up_runs_what_is_more_urgent_before_its_own_job()
    {
        await using var db = Service.Context(_database);
        var low = await db.InsertJobAsync(priority: 2);
        var high = await db.InsertJobAsync(priority: 0);
        await Runner().RunAsync(low, null, _cancellation);
        var (first, second) = (await ReadAsync(high), await ReadAsync(low));
        Assert.Equal((JobStatus.Succeeded, JobStatus.Succeeded), (first.Status, second.Status));
        Assert.True(first.FinishedAt <= second.StartedAt);
    }

    /// <summary>A group is written at once, and one by one where the database won't have that.</summary>
    [Fact]
    public async Task Of_a_group_the_run_whose_rows_the_database_refuses_fails_alone()
    {
        await using var db = Service.Context(_database);
        var ids = new List<Guid>();
        for (var i = 0; i < 12; i++)
            ids.Add(await db.InsertJobAsync(cost: 0.001));
        await using var connection = new NpgsqlConnection(_database);
        await connection.OpenAsync(_cancellation);
        await using (var refuse = new NpgsqlCommand($$"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON job_layers FOR EACH ROW WHEN (NEW.job_id = '{{ids[2]}}') EXECUTE FUNCTION refuse();
            """, connection))
            await refuse.ExecuteNonQueryAsync(_cancellation);
        await Runner().DrainAsync(null, _cancellation);
        var jobs = await db.Jobs.AsNoTracking().OrderBy(job => job.Id).ToListAsync(_cancellation);
        Assert.All(jobs, job => Assert.Equal(job.Id == ids[2] ? (JobStatus.Failed, "internal_error") : (JobStatus.Succeeded, null),
            (job.Status, job.ErrorCode)));
        Assert.All(jobs, job => Assert.Equal((1, null), (job.Attempt, job.LeaseOwner)));
        Assert.All(jobs, job => Assert.True(job.CreatedAt <= job.StartedAt && job.StartedAt <= job.FinishedAt));
        Assert.Equal(11, await db.Layers.Select(layer => layer.JobId).Distinct().CountAsync(_cancellation));
    }

    [Fact]
    public async Task What_a_group_has_not_begun_when_the_process_ends_is_given_back()
    {
        await using var db = Service.Context(_database);
        var (first, run) = await DrainAsync(db);
        Assert.Equal(4, await db.Jobs.CountAsync(job => job.Status == JobStatus.Running, _cancellation));
        await _stopping.CancelAsync();
        await run;
        Assert.All(await db.Jobs.AsNoTracking().ToListAsync(_cancellation),
            job => Assert.Equal((JobStatus.Queued, null, null), (job.Status, job.LeaseOwner, job.StartedAt)));
    }

    /// <summary>0.16 s of work as estimated, which take more than a group may where each second takes eight.</summary>
    [Fact]
    public async Task Where_groups_took_longer_than_estimated_fewer_runs_are_claimed()
    {
        await using var db = Service.Context(_database);
        var (spec, slots) = (new JobSpec { Dataset = new() { Name = "iris" } }, new Slots(_options, TimeProvider.System));
        Lease[] slow = [.. Enumerable.Range(0, 2).Select(_ => new Lease(Guid.NewGuid(), 1, spec, spec, 1, null, null) { Cost = 1e-9 })];
        slots.Take(slow);
        await Task.Delay(1, _cancellation);
        slots.Free(slow);
        var (_, run) = await DrainAsync(db, slots);
        Assert.Equal(2, await db.Jobs.CountAsync(job => job.Status == JobStatus.Running, _cancellation));
        await _stopping.CancelAsync();
        await run;
    }

    [Fact]
    public async Task One_of_a_group_that_waits_for_its_turn_can_be_canceled()
    {
        await using var db = Service.Context(_database);
        var (first, run) = await DrainAsync(db);
        var last = await db.Jobs.Where(job => job.Status == JobStatus.Running).OrderByDescending(job => job.Id).Select(job => job.Id)
            .FirstAsync(_cancellation);
        await db.Jobs.Where(job => job.Id == first || job.Id == last)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Canceling), _cancellation);
        await run;
        Assert.Equal([first, last], (await db.Jobs.Where(job => job.Status == JobStatus.Canceled).Select(job => job.Id)
            .ToListAsync(_cancellation)).Order());
        Assert.Equal(6, await db.Jobs.CountAsync(job => job.Status == JobStatus.Succeeded, _cancellation));
    }

    /// <summary>A group of four, the first of which trains for hours, and four more that wait.</summary>
    private async Task<(Guid First, Task Run)> DrainAsync(TrainingDbContext db, Slots? slots = null)
    {
        var first = await db.InsertJobAsync(epochs: Client.Hours, cost: 0.04);
        for (var i = 0; i < 7; i++)
            await db.InsertJobAsync(cost: 0.04);
        var run = Runner(slots: slots).DrainAsync(null, _cancellation);
        await UntilAsync(first, job => job.Step > 0);
        return (first, run);
    }

    /// <summary>Orthogonal weights take time that grows with the cube of the width: many seconds.</summary>
    private static ModelSpec SlowToBuild => new() { HiddenLayers = [4000, 4000, 4000], Initializer = new() { Name = "orthogonal" } };

    private JobRunner Runner(TimeProvider? clock = null, DatasetRegistry? datasets = null, Slots? slots = null)
    {
        clock ??= TimeProvider.System;
        JobEnded ended = (sweep, _) =>
        {
            _ended.Add(sweep);
            return Task.CompletedTask;
        };
        datasets ??= new DatasetRegistry("", "");
        return new(new LeaseTests.Factory(_database), datasets, new JobRules(datasets, new(2048)), _wakeUps, ended,
            new ModelLimits(1_000_000, 1_000_000, null, 1_000_000), _options, slots ?? new(_options, clock), new(_options, this),
            this, clock, NullLogger<JobRunner>.Instance);
    }

    private async Task<WakeUp?> NextWakeUpAsync()
    {
        _wakeUps.Close();
        return await _wakeUps.NextAsync();
    }

    private async Task<Job> ReadAsync(Guid id)
    {
        await using var db = Service.Context(_database);
        return await db.Jobs.SingleAsync(job => job.Id == id, _cancellation);
    }

    private async Task UntilAsync(Guid id, Func<Job, bool> state)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(2); !state(await ReadAsync(id)); await Task.Delay(20, _cancellation))
            Assert.True(DateTime.UtcNow < limit, "never came to that state");
    }

    /// <summary>A database that doesn't answer at first.</summary>
    private sealed class Away(string database) : IDbContextFactory<TrainingDbContext>
    {
        public int Failures { get; set; }

        public TrainingDbContext CreateDbContext() => Failures-- > 0
            ? throw new NpgsqlException("away", new IOException()) : Back(Service.Context(database));

        private TrainingDbContext Back(TrainingDbContext db)
        {
            Failures = 0;
            return db;
        }
    }

    private sealed class Stopped : TimeProvider
    {
        public static readonly DateTimeOffset Time = new(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Time;
    }
}
