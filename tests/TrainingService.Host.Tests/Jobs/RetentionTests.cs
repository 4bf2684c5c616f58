using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
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

    /// <summary>A job of 50 days ago, with rows of metrics.</summary>
    /// <param name="db">Where.</param>
    /// <param name="ago">When it ended; null for a running one.</param>
    /// <param name="rows">Of metrics.</param>
    private static async Task<Guid> AddAsync(TrainingDbContext db, TimeSpan? ago, int rows = 10)
    {
        var id = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddDays(-50));
        db.Jobs.Add(new()
        {
            Id = id,
            Status = JobStatus.Succeeded,
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
