using System.Data.Common;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Reports;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>Sweeps that change between the statements by which they are read.</summary>
[Collection(nameof(ApiOnly))]
public sealed class SweepSnapshotTests(ApiOnly api)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/html")]
    [InlineData("text/markdown")]
    [InlineData("application/vnd.apache.parquet")]
    public async Task A_report_is_not_torn_by_cells_that_are_added_while_it_is_read(string mediaType)
    {
        var id = await SubmitAsync();
        var added = 0;
        await using var db = Interrupted(async () => await AddCellAsync(id, 100 + ++added));
        var http = new DefaultHttpContext();
        http.Request.Headers.Accept = mediaType;
        var datasets = new DatasetRegistry("/nowhere");
        var answer = await GetSweepReport.Handle(id, http, db, datasets, new JobRules(datasets, new(2048)), Cancellation);
        Assert.True(added >= 4, $"{added} were added");
        Assert.IsNotType<ProblemHttpResult>(answer.Result);
        if (answer.Result is Ok<SweepReport> { Value: { } report })
            Assert.Equal(2, report.Arms.Single().Jobs.Count);
    }

    [Fact]
    public async Task Status_and_counts_are_of_the_same_moment()
    {
        var id = await SubmitAsync();
        await using var db = Interrupted(() => FinishAsync(id));
        var answer = await GetSweep.Handle(id, new DefaultHttpContext(), db, new(TimeProvider.System), Cancellation);
        var sweep = Assert.IsType<Ok<SweepResponse>>(answer.Result).Value;
        Assert.Equal((JobStatus.Queued, 2, 0), (sweep?.Status, sweep?.Counts.Queued, sweep?.Counts.Succeeded));
    }

    /// <summary>For 50 µs for each job; but that the sweep itself is another is told at once, and to nobody whose it isn't.</summary>
    [Fact]
    public async Task Who_asks_again_too_soon_is_told_the_same()
    {
        var id = await SubmitAsync();
        var clock = new Stopped();
        var answers = new SweepAnswers(clock);
        Assert.Equal((2, 0), await CountsAsync());
        await using (var db = api.NewDbContext())
            await db.Jobs.Where(job => job.SweepId == id).OrderBy(job => job.Id).Take(1)
                .ExecuteUpdateAsync(set => set.SetProperty(job => job.Status, JobStatus.Canceled), Cancellation);
        clock.Now += TimeSpan.FromMicroseconds(99);
        Assert.Equal((2, 0), await CountsAsync());
        using (View.Enter(new("ada", SeesAll: false, ReadsShared: true)))
            Assert.Null(await CountsAsync());
        clock.Now += TimeSpan.FromMicroseconds(1);
        Assert.Equal((1, 0), await CountsAsync());
        await FinishAsync(id);
        Assert.NotNull(answers.Find(id));
        Assert.Equal((0, 2), await CountsAsync());
        Assert.Null(answers.Find(id));

        async Task<(int Queued, int Succeeded)?> CountsAsync()
        {
            await using var db = api.NewDbContext();
            var answer = await GetSweep.Handle(id, new DefaultHttpContext(), db, answers, Cancellation);
            return answer.Result is Ok<SweepResponse> { Value.Counts: var counts } ? (counts.Queued, counts.Succeeded) : null;
        }
    }

    [Fact]
    public async Task So_they_are_in_lists()
    {
        var id = await SubmitAsync();
        await using var db = Interrupted(() => FinishAsync(id));
        var answer = await ListSweeps.Handle(1, null, null, null, null, null, null, db, new([], [], (_, _) => ""), Cancellation);
        var sweep = Assert.IsType<Ok<Host.Http.Page<SweepResponse>>>(answer.Result).Value?.Items.Single();
        Assert.Equal((id, JobStatus.Queued, 2, 0), (sweep?.Id, sweep?.Status, sweep?.Counts.Queued, sweep?.Counts.Succeeded));
    }

    private async Task<Guid> SubmitAsync() =>
        Guid.Parse(await api.Http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 2}"""));

    /// <summary>A context in which something happens after each of its reads.</summary>
    private TrainingDbContext Interrupted(Func<Task> happens) =>
        new(new DbContextOptionsBuilder<TrainingDbContext>().UseTrainingDatabase(api.ConnectionString)
            .AddInterceptors(new AfterEachRead(happens)).Options);

    /// <summary>Another job of the sweep, like its first, with a cell.</summary>
    private async Task AddCellAsync(Guid sweep, long seed)
    {
        await using var db = api.NewDbContext();
        var job = Guid.CreateVersion7();
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', {job}))).*
                FROM jobs j WHERE sweep_id = {sweep} ORDER BY id LIMIT 1;
            INSERT INTO sweep_cells SELECT (jsonb_populate_record(c, jsonb_build_object('job_id', {job}, 'seed', {seed}))).*
                FROM sweep_cells c WHERE sweep_id = {sweep} ORDER BY seed LIMIT 1
            """, Cancellation);
    }

    private async Task FinishAsync(Guid id)
    {
        await using var db = api.NewDbContext();
        DateTimeOffset? now = DateTimeOffset.UtcNow;
        await db.Jobs.Where(job => job.SweepId == id)
            .ExecuteUpdateAsync(
                set => set.SetProperty(job => job.Status, JobStatus.Succeeded).SetProperty(job => job.FinishedAt, now), Cancellation);
        await db.Sweeps.Where(sweep => sweep.Id == id)
            .ExecuteUpdateAsync(set =>
                set.SetProperty(sweep => sweep.Status, JobStatus.Succeeded).SetProperty(sweep => sweep.FinishedAt, now), Cancellation);
    }

    private sealed class AfterEachRead(Func<Task> happens) : DbCommandInterceptor
    {
        public override async ValueTask<InterceptionResult> DataReaderClosingAsync(DbCommand command,
            DataReaderClosingEventData eventData, InterceptionResult result)
        {
            await happens();
            return result;
        }
    }

    private sealed class Stopped : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
