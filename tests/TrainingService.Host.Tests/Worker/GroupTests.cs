using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>What workers claim together, on a database where no worker runs.</summary>
public sealed class GroupTests(Service service) : IAsyncLifetime
{
    private static readonly WorkerOptions Options = new(1, 1, TimeSpan.FromSeconds(30)), Two = Options with { Workers = 2 };
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_database.Length > 0)
            await service.Postgres.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task About_a_seconds_worth_of_the_oldest_runs_is_claimed_and_a_part_is_left_to_others()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 12, sweep, cost: 0.3);
        // 0, 0.3, 0.6 and 0.9 s of others before them
        Assert.Equal(ids[..4], await ClaimAsync(Options));
        // of eight, a quarter for each of two workers
        Assert.Equal(ids[4..6], await ClaimAsync(Two));
        Assert.Equal(ids[6..9], await ClaimAsync(Options));
    }

    [Fact]
    public async Task A_long_run_comes_alone()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 6, sweep, cost: 60);
        Assert.Equal(ids[..1], await ClaimAsync(Options));
    }

    [Fact]
    public async Task The_most_urgent_come_first_and_alone_among_themselves()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        await InsertAsync(db, 6, sweep, cost: 0.001, priority: 2);
        var urgent = await InsertAsync(db, 2, null, cost: 0.001, priority: 0);
        Assert.Equal(urgent[..1], await ClaimAsync(Options));
        Assert.Equal(urgent[1..], await ClaimAsync(Options));
        Assert.Equal(3, (await ClaimAsync(Options)).Count);
    }

    [Fact]
    public async Task Whoever_has_fewer_workers_is_served_next()
    {
        await using var db = Service.Context(_database);
        Guid[] sweeps = [await InsertSweepAsync(db), await InsertSweepAsync(db)];
        foreach (var sweep in sweeps)
            await InsertAsync(db, 20, sweep, cost: 1);
        var singles = await InsertAsync(db, 20, null, cost: 3600);
        for (var round = 0; round < 5; round++)
            for (var claim = 0; claim < 3; claim++)
                await ClaimAsync(Options);
        var running = await db.Jobs.Where(job => job.Status == JobStatus.Running).GroupBy(job => job.SweepId)
            .Select(jobs => jobs.Count()).ToListAsync(_cancellation);
        Assert.Equal([5, 5, 5], running);
        Assert.Equal(20, singles.Count);
    }

    [Fact]
    public async Task A_run_whose_worker_died_is_claimed_alone_and_only_then_may_be_to_blame()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 10, sweep, cost: 0.001);
        var group = await ClaimAsync(Options);
        Assert.Equal(ids[..5], group);
        Assert.All(await db.Jobs.Where(job => group.Contains(job.Id)).ToListAsync(_cancellation), job => Assert.Null(job.StartedAt));
        await db.Jobs.Where(job => group.Contains(job.Id))
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Queued), _cancellation);
        Assert.Equal(ids[..1], await ClaimAsync(Options));
        var alone = await db.Jobs.AsNoTracking().SingleAsync(job => job.Id == ids[0], _cancellation);
        Assert.Equal((2, true), (alone.Attempt, alone.StartedAt is not null));
    }

    [Fact]
    public async Task Of_many_claims_at_once_none_takes_what_another_has()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 60, sweep, cost: 0.4);
        var claimed = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            List<Guid> mine = [];
            while (await AnyQueuedAsync())
                mine.AddRange(await ClaimAsync(Two));
            return mine;
        })));
        Assert.Equal(ids, claimed.SelectMany(mine => mine).Order());

        async Task<bool> AnyQueuedAsync()
        {
            await using var own = Service.Context(_database);
            return await own.Jobs.AnyAsync(job => job.Status == JobStatus.Queued, _cancellation);
        }
    }

    private async Task<IReadOnlyList<Guid>> ClaimAsync(WorkerOptions options) =>
        [.. (await Lease.ClaimNextAsync(new LeaseTests.Factory(_database), options, TimeProvider.System, _cancellation))
            .Select(lease => lease.Id)];

    private async Task<List<Guid>> InsertAsync(TrainingDbContext db, int count, Guid? sweep, double cost, short priority = 1)
    {
        List<Guid> ids = [];
        for (var i = 0; i < count; i++)
            ids.Add(await db.InsertJobAsync(cost: cost, priority: priority, sweepId: sweep));
        return [.. ids.Order()];
    }

    private async Task<Guid> InsertSweepAsync(TrainingDbContext db)
    {
        var id = Guid.CreateVersion7();
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO sweeps (id, status, spec, extended, created_at) VALUES ({id}, 'queued', '{{}}', false, now())", _cancellation);
        return id;
    }
}
