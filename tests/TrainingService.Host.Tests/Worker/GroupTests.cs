using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>What workers claim together, on a database where no worker runs.</summary>
public sealed partial class GroupTests(Service service) : IAsyncLifetime
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
    public async Task About_half_a_seconds_worth_of_the_oldest_runs_is_claimed_and_a_part_is_left_to_others()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 12, sweep, cost: 0.25);
        // 0, 0.25 and 0.5 s of others before them
        Assert.Equal(ids[..3], await ClaimAsync(Options));
        // of nine, a quarter for each of two workers
        Assert.Equal(ids[3..5], await ClaimAsync(Two));
        Assert.Equal(ids[5..8], await ClaimAsync(Options));
    }

    /// <summary>What is more urgent waits for a group: on a slow machine for no longer than on another.</summary>
    [Fact]
    public async Task Where_all_takes_twice_as_long_half_as_many_are_claimed()
    {
        await using var db = Service.Context(_database);
        var ids = await InsertAsync(db, 40, await InsertSweepAsync(db), cost: 0.125);
        Assert.Equal(ids[..5], await ClaimAsync(Options));
        Assert.Equal(ids[5..8], await ClaimAsync(Options, pace: 2));
    }

    /// <summary>The last of a sweep are not halved until one is left, each with its claim and its transaction.</summary>
    [Fact]
    public async Task Tiny_runs_are_not_claimed_one_by_one()
    {
        await using var db = Service.Context(_database);
        var ids = await InsertAsync(db, 12, await InsertSweepAsync(db), cost: 0.01);
        Assert.Equal(ids[..6], await ClaimAsync(Options));
        Assert.Equal(ids[6..11], await ClaimAsync(Two));
        Assert.Equal(ids[11..], await ClaimAsync(Two));
    }

    [Fact]
    public async Task A_long_run_comes_alone()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 6, sweep, cost: 60);
        Assert.Equal(ids[..1], await ClaimAsync(Options));
    }

    /// <summary>Two workers at one seed would wait for the same rows.</summary>
    [Fact]
    public async Task Of_long_runs_one_of_another_seed_comes_first()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 5, sweep, cost: 60);
        foreach (var (id, seed) in ids.Zip((long[])[1, 1, 1, 2, 2]))
            await db.Jobs.Where(job => job.Id == id).ExecuteUpdateAsync(set => set.SetProperty(job => job.Seed, seed), _cancellation);
        Assert.Equal([ids[0]], await ClaimAsync(Two));
        Assert.Equal([ids[3]], await ClaimAsync(Two));
        // both seeds have a worker
        Assert.Equal([ids[1]], await ClaimAsync(Two));
        await db.Jobs.Where(job => job.Id == ids[3]).ExecuteUpdateAsync(
            set => set.SetProperty(job => job.Status, JobStatus.Succeeded), _cancellation);
        Assert.Equal([ids[4]], await ClaimAsync(Two));
        Assert.Equal([ids[2]], await ClaimAsync(Two));
    }

    [Fact]
    public async Task The_most_urgent_come_first_and_alone_among_themselves()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        await InsertAsync(db, 6, sweep, cost: 0.04, priority: 2);
        var urgent = await InsertAsync(db, 2, null, cost: 0.04, priority: 0);
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

    /// <summary>However many sweeps somebody has, and jobs beside them.</summary>
    [Fact]
    public async Task Owners_have_equally_many_workers_and_each_ones_sweeps_share_theirs()
    {
        await using var db = Service.Context(_database);
        foreach (var (owner, sweeps) in new[] { ("ada", 4), ("bob", 1), ("", 1) })
            for (var sweep = 0; sweep < sweeps; sweep++)
                await InsertAsync(db, 10, await InsertSweepAsync(db), cost: 3600, owner: owner);
        await InsertAsync(db, 10, null, cost: 3600, owner: "bob");
        for (var claim = 0; claim < 12; claim++)
            await ClaimAsync(Options);
        var served = (await db.Jobs.Where(job => job.Status == JobStatus.Running).Select(job => new { job.Owner, job.SweepId })
            .ToListAsync(_cancellation)).ToLookup(job => job.Owner, job => job.SweepId);
        Assert.Equal([1, 1, 1, 1], served["ada"].GroupBy(sweep => sweep).Select(jobs => jobs.Count()));
        Assert.Equal([2, 2], served["bob"].GroupBy(sweep => sweep).Select(jobs => jobs.Count()));
        Assert.Equal(4, served[""].Count());
    }

    /// <summary>However little its jobs are estimated to take, a group keeps a worker: of whichever process.</summary>
    [Fact]
    public async Task Two_sweeps_have_half_of_the_workers_each_from_whatever_process_these_claim()
    {
        await using var db = Service.Context(_database);
        Guid[] sweeps = [await InsertSweepAsync(db), await InsertSweepAsync(db)];
        await InsertAsync(db, 40, sweeps[0], cost: 0.01);
        await InsertAsync(db, 40, sweeps[1], cost: 0.02);
        WorkerOptions[] processes = [new(4, 1, TimeSpan.FromSeconds(30)), new(4, 1, TimeSpan.FromSeconds(30))];
        for (var round = 0; round < 3; round++)
        {
            List<Guid?> served = [];
            foreach (var process in processes)
                served.Add((await Lease.ClaimNextAsync(
                    new LeaseTests.Factory(_database), process.Memory, 1, process, TimeProvider.System, _cancellation))
                    .Select(lease => lease.SweepId).Distinct().Single());
            Assert.Equal(sweeps.Cast<Guid?>().Order(), served.Order());
        }
    }

    /// <summary>The rows that it reads are those that it takes or counts, by the index, whoever else waits.</summary>
    [Fact]
    public async Task A_claim_reads_no_more_where_ten_thousand_wait()
    {
        await using var db = Service.Context(_database);
        Guid[] sweeps = [.. await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            await using var own = Service.Context(_database);
            return await InsertSweepAsync(own);
        }))];
        foreach (var sweep in sweeps)
            await InsertAsync(db, 1, sweep, cost: 0.001);
        var few = await ReadAsync();
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO jobs (id, status, dataset, activations, initializers, labels, priority, sweep_id, created_at, attempt, crashes,
                epoch, epochs, step, steps, cost, spec)
            SELECT gen_random_uuid(), 'queued', dataset, activations, initializers, labels, priority, sweep_id, created_at, 0, 0, 0,
                epochs, 0, steps, cost, spec FROM jobs, generate_series(1, 4000)
            """, _cancellation);
        await db.Database.ExecuteSqlAsync($"ANALYZE jobs", _cancellation);
        Assert.InRange(await ReadAsync(), few, few + 20);

        // of the table's rows, by the transaction's own counters
        async Task<long> ReadAsync()
        {
            await using var own = Service.Context(_database);
            await using var transaction = await own.Database.BeginTransactionAsync(_cancellation);
            var plan = string.Join('\n', await own.Database.SqlQueryRaw<string>("EXPLAIN (ANALYZE, TIMING OFF) " + Lease.Next,
                new NpgsqlParameter("seconds", 1.0), new NpgsqlParameter("least", 0.001),
                new NpgsqlParameter("most", 4), new NpgsqlParameter("memory", long.MaxValue), new NpgsqlParameter("workers", 2),
                new NpgsqlParameter("full", Array.Empty<string>()),
                new NpgsqlParameter("owner", "x"), new NpgsqlParameter("lease", TimeSpan.FromSeconds(30)),
                new NpgsqlParameter("now", DateTimeOffset.UtcNow)).ToListAsync(_cancellation));
            return Rows().Matches(plan).Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex(@"on jobs.*actual rows=(\d+)")]
    private static partial Regex Rows();

    [Fact]
    public async Task A_run_whose_worker_died_is_claimed_alone_and_only_then_may_be_to_blame()
    {
        await using var db = Service.Context(_database);
        var sweep = await InsertSweepAsync(db);
        var ids = await InsertAsync(db, 10, sweep, cost: 0.04);
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

    private async Task<IReadOnlyList<Guid>> ClaimAsync(WorkerOptions options, double pace = 1) =>
        [.. (await Lease.ClaimNextAsync(new LeaseTests.Factory(_database), options.Memory, pace, options, TimeProvider.System,
            _cancellation)).Select(lease => lease.Id)];

    private async Task<List<Guid>> InsertAsync(TrainingDbContext db, int count, Guid? sweep, double cost, short priority = 1,
        string owner = "")
    {
        List<Guid> ids = [];
        for (var i = 0; i < count; i++)
            ids.Add(await db.InsertJobAsync(change: job => job.Owner = owner, cost: cost, priority: priority, sweepId: sweep));
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
