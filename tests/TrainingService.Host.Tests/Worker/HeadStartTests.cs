using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>What a process begins by itself, and Hangfire's workers who join it.</summary>
public sealed class HeadStartTests : IHostApplicationLifetime, IDisposable
{
    private readonly Service _service;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private readonly HeadStart _headStart;
    private readonly TaskCompletionSource _ends = new();
    private readonly List<string> _done = [];

    public HeadStartTests(Service service) => (_service, _headStart) = (service, new(new(2, 1, TimeSpan.FromSeconds(30)), this));

    public CancellationToken ApplicationStarted => default;
    public CancellationToken ApplicationStopping => _stopping.Token;
    public CancellationToken ApplicationStopped => default;

    void IHostApplicationLifetime.StopApplication() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    [Fact]
    public async Task No_more_is_done_at_once_than_there_are_workers()
    {
        Assert.NotNull(_headStart.TryBegin(_ => _ends.Task));
        var worker = WorkAsync("a");
        Assert.NotNull(_headStart.TryBegin(_ => _ends.Task));
        Assert.Null(_headStart.TryBegin(_ => _ends.Task));
        var other = WorkAsync("b");
        Assert.Null(_headStart.TryBegin(_ => _ends.Task));
        Assert.Empty(_done);
        _ends.SetResult();
        await Task.WhenAll(worker, other);
        Assert.Equal(["a", "b"], _done.Order());
        Assert.NotNull(_headStart.TryBegin(_ => Task.CompletedTask));
    }

    [Fact]
    public async Task Workers_count_that_joined_nothing()
    {
        var workers = Enumerable.Range(0, 2).Select(_ => _headStart.WorkAsync(_ => _ends.Task, null, _cancellation)).ToList();
        Assert.Null(_headStart.TryBegin(_ => Task.CompletedTask));
        _ends.SetResult();
        await Task.WhenAll(workers);
    }

    [Fact]
    public async Task What_has_ended_is_not_joined()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _headStart.TryBegin(_ => throw new InvalidOperationException())!);
        await WorkAsync("a");
        Assert.Equal(["a"], _done);
    }

    /// <summary>So that Hangfire tries again.</summary>
    [Fact]
    public async Task Who_joined_is_told_of_a_failure()
    {
        Assert.NotNull(_headStart.TryBegin(_ => _ends.Task));
        var worker = WorkAsync("a");
        _ends.SetException(new InvalidOperationException());
        await Assert.ThrowsAsync<InvalidOperationException>(() => worker);
        Assert.Empty(_done);
        Assert.NotNull(_headStart.TryBegin(_ => Task.CompletedTask));
        Assert.NotNull(_headStart.TryBegin(_ => Task.CompletedTask));
    }

    [Fact]
    public async Task A_process_that_ends_waits_for_what_nobody_joined()
    {
        Assert.NotNull(_headStart.TryBegin(_ => _ends.Task));
        var end = _headStart.EndAsync(_cancellation);
        Assert.False(end.IsCompleted);
        _ends.SetResult();
        await end;
    }

    [Fact]
    public async Task It_does_not_wait_for_ever()
    {
        Assert.NotNull(_headStart.TryBegin(_ => _ends.Task));
        await _headStart.EndAsync(new(true));
        _ends.SetResult();
    }

    [Fact]
    public async Task A_job_that_goes_on_is_shown_by_Hangfire()
    {
        var id = await _service.Http.SubmitAsync(Client.Hours);
        await using var db = _service.NewDbContext();
        var limit = DateTime.UtcNow.AddMinutes(1);
        while (!await db.Database.SqlQuery<bool>($"""
            SELECT EXISTS (SELECT FROM hangfire.jobparameter WHERE name = 'Runs' AND value = {$"\"{id}\""}) AS "Value"
            """).SingleAsync(_cancellation))
        {
            Assert.True(DateTime.UtcNow < limit);
            await Task.Delay(100, _cancellation);
        }
        await _service.Http.Send("POST", $"/api/v1/jobs/{id}/cancel");
        await _service.Http.WaitForEndAsync(id);
    }

    [Fact]
    public async Task A_process_that_ends_begins_nothing()
    {
        await _stopping.CancelAsync();
        Assert.Null(_headStart.TryBegin(_ => Task.CompletedTask));
    }

    [Fact]
    public async Task A_process_that_ends_leaves_the_job_to_others()
    {
        var database = await _service.CreateMigratedDatabaseAsync();
        await using var db = Service.Context(database);
        await using (var host = await HostProcess.StartAsync("all", database))
        {
            var id = await host.Http.SubmitAsync(Client.Hours);
            await host.Http.WaitForStepAsync(id);
            await host.TerminateAsync();
            Assert.Equal(JobStatus.Queued, (await db.Jobs.AsNoTracking().SingleAsync(job => job.Id == id, _cancellation)).Status);
            Assert.True(await db.Database.SqlQuery<bool>(
                $"SELECT EXISTS (SELECT FROM hangfire.jobqueue WHERE fetchedat IS NULL) AS \"Value\"")
                .SingleAsync(_cancellation));
        }
        await _service.Postgres.DropDatabaseAsync(database);
    }

    private Task WorkAsync(string name) => _headStart.WorkAsync(_ =>
    {
        lock (_done)
            _done.Add(name);
        return Task.CompletedTask;
    }, null, _cancellation);
}
