using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>The protocol by which workers own jobs, on a database where no worker runs.</summary>
public sealed class LeaseTests(Service service) : IAsyncLifetime
{
    private static readonly WorkerOptions Options = new(1, 1, TimeSpan.FromSeconds(30));
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_database.Length > 0)
            await service.Postgres.DropDatabaseAsync(_database);
    }

    [Fact]
    public async Task Of_many_claims_at_once_one_succeeds()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync();
        var claims = await Task.WhenAll(Enumerable.Range(0, 30)
            .Select(_ => Task.Run(() =>
                Lease.ClaimAsync(new Factory(_database), id, Options.Memory, Options, TimeProvider.System, _cancellation))));
        Assert.Single(claims, claim => claim.Count > 0);
        var job = await Reload(db, id);
        Assert.Equal((JobStatus.Running, 1, Options.Owner), (job.Status, job.Attempt, job.LeaseOwner));
    }

    /// <summary>What is more waits, and so does nobody else's for it.</summary>
    [Fact]
    public async Task Of_one_owner_no_more_runs_than_may_be_at_once()
    {
        await using var db = Service.Context(_database);
        var options = Options with { OwnerRuns = 1 };
        for (var i = 0; i < 3; i++)
            await db.InsertJobAsync(priority: 0, change: job => job.Owner = "ada");
        var bobs = await db.InsertJobAsync(change: job => job.Owner = "bob");
        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Lease.ClaimNextAsync(new Factory(_database), options.Memory, 1, options, TimeProvider.System, _cancellation))));
        Assert.Equal(2, claims.Sum(claim => claim.Count));
        Assert.Equal(JobStatus.Running, (await Reload(db, bobs)).Status);
        Assert.False(await Lease.WaitsAsync(db, options.Memory, options, _cancellation));
        Assert.True(await Lease.WaitsAsync(db, options.Memory, Options, _cancellation));
        var waits = await db.Jobs.Where(job => job.Status == JobStatus.Queued).Select(job => job.Id).FirstAsync(_cancellation);
        Assert.Empty(await Lease.ClaimAsync(new Factory(_database), waits, options.Memory, options, TimeProvider.System, _cancellation));
        await db.Jobs.Where(job => job.Owner == "ada" && job.Status == JobStatus.Running)
            .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Succeeded), _cancellation);
        Assert.Single(await Lease.ClaimAsync(new Factory(_database), waits, options.Memory, options, TimeProvider.System, _cancellation));
    }

    [Theory]
    [InlineData(JobStatus.Running)]
    [InlineData(JobStatus.Canceling)]
    [InlineData(JobStatus.Canceled)]
    [InlineData(JobStatus.Succeeded)]
    [InlineData(JobStatus.Failed)]
    public async Task Only_a_queued_job_can_be_claimed(JobStatus status)
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync(change: job => job.Status = status);
        Assert.Null(await ClaimAsync(id));
    }

    [Fact]
    public async Task A_deleted_job_can_be_neither_claimed_nor_written()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync();
        var lease = (await ClaimAsync(id))!;
        await db.Jobs.Where(j => j.Id == id).ExecuteDeleteAsync(_cancellation);
        Assert.Null(await ClaimAsync(id));
        Assert.False(await WriteAsync(lease, 0));
    }

    [Fact]
    public async Task An_attempt_that_was_overtaken_writes_nothing_more()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync();
        var first = (await ClaimAsync(id))!;
        Assert.True(await WriteAsync(first, 0));
        await db.Jobs.Where(j => j.Id == id).ExecuteUpdateAsync(set => set.SetProperty(j => j.Status, JobStatus.Queued), _cancellation);
        Assert.False(await WriteAsync(first, 1));

        var second = (await ClaimAsync(id))!;
        Assert.Empty(await db.Metrics.Where(m => m.JobId == id).ToListAsync(_cancellation));
        Assert.True(await WriteAsync(second, 2));
        Assert.False(await WriteAsync(first, 3));
        Assert.Equal([2], await db.Metrics.Where(m => m.JobId == id).Select(m => m.Step).ToListAsync(_cancellation));
    }

    [Fact]
    public async Task What_a_failed_write_copied_is_copied_again_once()
    {
        await using var db = Service.Context(_database);
        var id = await db.InsertJobAsync();
        var lease = (await ClaimAsync(id))!;
        var metrics = new MetricWriter(_cancellation);
        metrics.Add(Point(0));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Lease.WriteAsync(new Factory(_database), [lease], async (context, _) =>
        {
            await MetricWriter.CopyAsync((Npgsql.NpgsqlConnection)context.Database.GetDbConnection(), [(id, metrics, false)]);
            throw new InvalidOperationException("before the commit");
        }));
        await CopyAsync();
        // The commit went through, but we did not hear of it: no Forget.
        metrics.Add(Point(1));
        await CopyAsync();
        Assert.Equal([0, 1], await db.Metrics.Where(m => m.JobId == id)
            .OrderBy(m => m.Step).Select(m => m.Step).ToListAsync(_cancellation));

        Task CopyAsync() => Lease.WriteAsync(new Factory(_database), [lease],
            (context, _) => MetricWriter.CopyAsync((Npgsql.NpgsqlConnection)context.Database.GetDbConnection(), [(id, metrics, false)]));
    }

    [Fact]
    public void A_job_being_canceled_ends_canceled_even_if_it_just_succeeded()
    {
        var job = Canceling();
        Outcome.Of(new TrainingResult { WeightsSha256 = "" }).ApplyTo(job, default);
        Assert.Equal((JobStatus.Canceled, null), (job.Status, job.Result));
    }

    [Fact]
    public void A_job_that_is_given_back_while_it_is_being_canceled_ends_canceled()
    {
        var job = Canceling();
        Outcome.Released.ApplyTo(job, DateTimeOffset.UnixEpoch);
        Assert.Equal((JobStatus.Canceled, DateTimeOffset.UnixEpoch), (job.Status, job.FinishedAt));
    }

    /// <summary>Whatever two want at once, it ends in one state.</summary>
    [Theory]
    [InlineData(JobStatus.Running, JobStatus.Paused, JobStatus.Queued)]
    [InlineData(JobStatus.Running, JobStatus.Queued, JobStatus.Queued)]
    [InlineData(JobStatus.Running, JobStatus.Succeeded, JobStatus.Succeeded)]
    [InlineData(JobStatus.Pausing, JobStatus.Paused, JobStatus.Paused)]
    [InlineData(JobStatus.Pausing, JobStatus.Queued, JobStatus.Paused)]
    [InlineData(JobStatus.Pausing, JobStatus.Succeeded, JobStatus.Succeeded)]
    [InlineData(JobStatus.Pausing, JobStatus.Failed, JobStatus.Failed)]
    [InlineData(JobStatus.Canceling, JobStatus.Paused, JobStatus.Canceled)]
    [InlineData(JobStatus.Canceling, JobStatus.Queued, JobStatus.Canceled)]
    [InlineData(JobStatus.Canceling, JobStatus.Succeeded, JobStatus.Canceled)]
    public void What_becomes_of_a_job_follows_from_what_is_wanted_of_it_by_then(JobStatus wanted, JobStatus outcome, JobStatus expected) =>
        Assert.Equal(expected, new Outcome(outcome).Of(wanted).Status);

    [Fact]
    public void A_run_that_lost_rows_has_failed_and_keeps_its_result()
    {
        var result = new TrainingResult { WeightsSha256 = "" };
        Assert.Equal((JobStatus.Succeeded, 7),
            (Outcome.Of(result).Counted(7, 7).Status, Outcome.Of(result).Counted(7, 7).Result?.StoredRows));
        var lost = Outcome.Of(result).Counted(17_516, 10_000);
        Assert.Equal((JobStatus.Failed, "rows_lost", 10_000), (lost.Status, lost.ErrorCode, lost.Result?.StoredRows));
        Assert.Contains("17,516", lost.ErrorMessage, StringComparison.Ordinal);
        // A reason of its own, and nothing to count, come first.
        Assert.Equal("diverged", Outcome.Of(result with { Divergence = new(1, null, "") }).Counted(7, 6).ErrorCode);
        Assert.Equal(Outcome.Canceled, Outcome.Canceled.Counted(7, 6));
    }

    private static Job Canceling() =>
        new()
        {
            Status = JobStatus.Canceling,
            Spec = new() { Dataset = new() { Name = "digits" } },
            Dataset = "",
            Activations = [],
            Initializers = [],
            Labels = [],
        };

    private static MetricPoint Point(long step) => new() { Step = step, Epoch = 0, Split = Split.Train, Loss = 1 };

    /// <summary>Whether the attempt might write.</summary>
    private async Task<bool> WriteAsync(Lease lease, long step)
    {
        var owns = false;
        await Lease.WriteAsync(new Factory(_database), [lease], async (context, owned) =>
        {
            if (!(owns = owned.ContainsKey(lease.Id)))
                return;
            var metrics = new MetricWriter(_cancellation);
            metrics.Add(Point(step));
            await MetricWriter.CopyAsync((Npgsql.NpgsqlConnection)context.Database.GetDbConnection(), [(lease.Id, metrics, true)]);
        });
        return owns;
    }

    private static async Task<Job> Reload(TrainingDbContext db, Guid id)
    {
        db.ChangeTracker.Clear();
        return await db.Jobs.SingleAsync(j => j.Id == id);
    }

    private async Task<Lease?> ClaimAsync(Guid id) =>
        (await Lease.ClaimAsync(new Factory(_database), id, Options.Memory, Options, TimeProvider.System, _cancellation)).SingleOrDefault();

    public sealed class Factory(string connectionString) : IDbContextFactory<TrainingDbContext>
    {
        public TrainingDbContext CreateDbContext() => Service.Context(connectionString);
    }
}
