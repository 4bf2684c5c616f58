using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>What is taken away, and how, on a database of the class's own with an API and no worker.</summary>
public sealed class RetentionTests(Service service) : IAsyncLifetime
{
    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Metrics_go_before_jobs_and_what_a_model_points_to_stays()
    {
        await using var db = Service.Context(_database);
        var old = await AddAsync(db, TimeSpan.FromDays(40));
        var pinned = await AddAsync(db, TimeSpan.FromDays(40));
        var recent = await AddAsync(db, TimeSpan.FromDays(5));
        var running = await AddAsync(db, null);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO model_versions (name, version, job_id, created_at) VALUES ('m', 1, {pinned}, now())
            """, Cancellation);
        var now = DateTimeOffset.UtcNow;

        Assert.Equal(new(0, 0, 0, 0), await Retention.RunAsync(db, new(null, null, null), now, Cancellation));
        var metrics = await Retention.RunAsync(db, new(TimeSpan.FromDays(30), null, null), now, Cancellation);
        Assert.Equal(new(2 * 10, 0, 0, 0), metrics);
        Assert.Equal(4, await db.Jobs.CountAsync(Cancellation));
        var gone = await Retention.RunAsync(db, new(null, null, TimeSpan.FromDays(30)), now, Cancellation);
        Assert.Equal(new(0, 0, 1, 0), gone);
        Assert.Equal(new[] { pinned, recent, running }.Order(),
            await db.Jobs.Select(job => job.Id).OrderBy(id => id).ToListAsync(Cancellation));
        Assert.Equal(20, await CountAsync(db));
        Assert.NotEqual(old, pinned);
    }

    [Fact]
    public async Task Old_keys_go_without_a_look_at_the_others()
    {
        await using var db = Service.Context(_database);
        await db.Database.ExecuteSqlRawAsync("""
            INSERT INTO idempotency_keys (key, request_hash, body, created_at)
            SELECT n::text, '', '', now() - interval '25 hours' + CASE WHEN n > 1500 THEN interval '2 hours' ELSE interval '0' END
            FROM generate_series(1, 50000) n;
            ANALYZE idempotency_keys
            """, Cancellation);
        var plan = await db.Database.SqlQueryRaw<string>("""
            EXPLAIN SELECT key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT 1000
            """).ToListAsync(Cancellation);
        Assert.Contains("ix_idempotency_keys_created_at", string.Join('\n', plan), StringComparison.Ordinal);
        Assert.Equal(new(0, 0, 0, 0, 1500), await Retention.RunAsync(db, new(null, null, null), DateTimeOffset.UtcNow, Cancellation));
        Assert.Equal(48_500, await db.IdempotencyKeys.CountAsync(Cancellation));
    }

    /// <summary>As a worker does when it starts.</summary>
    [Fact]
    public async Task Sweeps_and_checkpoints_go_after_the_days_that_the_environment_says()
    {
        await using var db = Service.Context(_database);
        var (old, young) = (TimeSpan.FromDays(40), TimeSpan.FromDays(20));
        var gone = await AddSweepAsync(db, old);
        var pinned = await AddSweepAsync(db, old);
        var recent = await AddSweepAsync(db, young);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO model_versions (name, version, job_id, created_at)
            SELECT 'm', 1, id, now() FROM jobs WHERE sweep_id = {pinned} LIMIT 1
            """, Cancellation);
        var (single, failed) = (await AddAsync(db, old), await AddAsync(db, young));
        var fresh = await AddAsync(db, TimeSpan.FromDays(5));
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO checkpoints (job_id, step, epoch, attempt, rows, seconds, diagnostics_seconds, bytes, stored_bytes, engine_version,
                instruction_set, created_at)
            SELECT id, n, 0, 1, 0, 0, 0, 0, 0, '', '', now() FROM jobs, generate_series(1, 2) n WHERE sweep_id IS NULL
            """, Cancellation);
        await using (var worker = await HostProcess.StartAsync("worker", _database, new Dictionary<string, string?>
        {
            ["TRAINING_JOBS_DAYS"] = "30",
            ["TRAINING_CHECKPOINTS_DAYS"] = "10",
        }))
        {
            for (var limit = DateTime.UtcNow.AddMinutes(1);
                await db.Jobs.AnyAsync(job => job.Id == single || job.SweepId == gone, Cancellation)
                    || await db.Sweeps.AnyAsync(sweep => sweep.Id == gone, Cancellation)
                    || await db.Checkpoints.AnyAsync(point => point.JobId == failed, Cancellation); await Task.Delay(20, Cancellation))
                Assert.True(DateTime.UtcNow < limit, worker.Log);
        }
        Assert.Equal(new[] { pinned, recent }.Order(),
            await db.Sweeps.Select(sweep => sweep.Id).OrderBy(id => id).ToListAsync(Cancellation));
        Assert.Equal(2 * 3 + 2, await db.Jobs.CountAsync(Cancellation));
        Assert.Equal([fresh, fresh], await db.Checkpoints.Select(point => point.JobId).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task A_job_with_a_million_rows_is_deleted_whole_while_others_write()
    {
        await using var db = Service.Context(_database);
        var big = await AddAsync(db, TimeSpan.Zero, rows: 1_000_000);
        var other = await AddAsync(db, null);
        await db.Database.ExecuteSqlRawAsync("ANALYZE", Cancellation);
        var took = Stopwatch.StartNew();
        var deleting = Task.Run(async () =>
        {
            await using var own = Service.Context(_database);
            own.Database.SetCommandTimeout(120);
            await DeleteJob.Deletable(own).Where(job => job.Id == big).ExecuteDeleteAsync(Cancellation);
        }, Cancellation);
        var writes = 0;
        for (; !deleting.IsCompleted; writes++)
        {
            await db.Database.ExecuteSqlAsync($"UPDATE jobs SET step = step + 1 WHERE id = {other}", Cancellation);
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO job_metrics (job_id, step, split, epoch, loss) VALUES ({other}, {1000 + writes}, 0, 0, 0)
                """, Cancellation);
        }
        await deleting;
        TestContext.Current.TestOutputHelper?.WriteLine($"{took.Elapsed.TotalSeconds:F1} s, {writes} writes of another job meanwhile");
        Assert.True(writes > 10);
        Assert.Equal(10 + writes, await CountAsync(db));
        Assert.Equal(1, await db.Jobs.CountAsync(Cancellation));
    }

    private static async Task<int> CountAsync(TrainingDbContext db) =>
        await db.Database.SqlQuery<int>($"""SELECT count(*)::int AS "Value" FROM job_metrics""").SingleAsync(Cancellation);

    /// <summary>A sweep of 50 days ago with three jobs, which ended with it.</summary>
    private static async Task<Guid> AddSweepAsync(TrainingDbContext db, TimeSpan ago)
    {
        var id = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddDays(-50));
        await db.Database.ExecuteSqlAsync($$"""
            INSERT INTO sweeps (id, status, spec, extended, created_at, finished_at) VALUES ({{id}}, 'succeeded', '{}', false,
                now() - interval '50 days', {{DateTimeOffset.UtcNow - ago}})
            """, Cancellation);
        for (var job = 0; job < 3; job++)
            await AddAsync(db, ago, sweep: id);
        return id;
    }

    /// <summary>A job of 50 days ago, with rows of metrics.</summary>
    /// <param name="db">Where.</param>
    /// <param name="ago">When it ended; null for a running one.</param>
    /// <param name="rows">Of metrics.</param>
    /// <param name="sweep">Whose it is.</param>
    private static async Task<Guid> AddAsync(TrainingDbContext db, TimeSpan? ago, int rows = 10, Guid? sweep = null)
    {
        var id = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddDays(-50));
        db.Jobs.Add(new()
        {
            Id = id,
            Status = JobStatus.Succeeded,
            SweepId = sweep,
            Spec = new() { Dataset = new() { Name = "iris" } },
            Request = new() { Dataset = new() { Name = "iris" } },
            Dataset = "iris",
            Activations = [],
            Initializers = [],
            Labels = [],
            CreatedAt = DateTimeOffset.UtcNow.AddDays(-50),
        });
        await db.SaveChangesAsync(Cancellation);
        db.ChangeTracker.Clear();
        db.Database.SetCommandTimeout(120);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO job_metrics (job_id, step, split, epoch, loss) SELECT {id}, n, 0, 0, 0 FROM generate_series(1, {rows}) n
            """, Cancellation);
        await db.Jobs.Where(job => job.Id == id).ExecuteUpdateAsync(set => set
            .SetProperty(job => job.Status, ago is null ? JobStatus.Running : JobStatus.Succeeded)
            .SetProperty(job => job.FinishedAt, DateTimeOffset.UtcNow - ago), Cancellation);
        return id;
    }
}
