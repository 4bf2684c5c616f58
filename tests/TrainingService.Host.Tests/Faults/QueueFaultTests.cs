using System.Net;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>What goes wrong between a queued row and a worker that takes it.</summary>
[Trait("Category", "Slow")]
public sealed class QueueFaultTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api), IClassFixture<ApiWithoutWorkers>
{
    [Fact]
    public async Task A_wake_up_that_fails_is_tried_again_where_workers_listen()
    {
        await using var test = await ConnectAsync();
        await ExecuteAsync(test, """
            CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cut'; END $$;
            CREATE TRIGGER cut BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION cut();
            """);
        // With this lease the reconciler looks every ten seconds; the retry comes after five.
        await StartWorkerAsync(leaseSeconds: 3600);
        var id = await Http.SubmitAsync();
        await WaitAsync(test, $"SELECT count(*) > 0 FROM hangfire.job WHERE arguments ->> 0 LIKE '%{id}%' AND statename = 'Scheduled'");
        await ExecuteAsync(test, "DROP TRIGGER cut ON jobs; DROP FUNCTION cut");
        // at once, by a worker that looks when it starts, and not in half a minute
        await ExecuteAsync(test, "UPDATE hangfire.set SET score = 0 WHERE key = 'schedule'");
        await StartWorkerAsync(leaseSeconds: 3600);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        await WaitAsync(test, $"SELECT count(*) = 0 FROM hangfire.job WHERE arguments ->> 0 LIKE '%{id}%' AND "
            + "statename IN ('Scheduled', 'Enqueued', 'Processing')");
    }

    [Fact]
    public async Task An_entry_in_a_queue_that_no_worker_serves_does_not_keep_a_job_waiting()
    {
        await using var test = await ConnectAsync();
        var id = await Http.SubmitAsync();
        await WaitAsync(test, $"SELECT EXISTS ({EntriesOf(id)})");
        await ExecuteAsync(test, $"UPDATE hangfire.jobqueue SET queue = 'default' WHERE id IN ({EntriesOf(id)})");
        await StartWorkerAsync();
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
    }

    [Fact]
    public async Task An_entry_that_was_taken_and_led_to_nothing_does_not_keep_a_job_waiting()
    {
        await using var test = await ConnectAsync();
        var id = await Http.SubmitAsync();
        await WaitAsync(test, $"SELECT EXISTS ({EntriesOf(id)})");
        // As a server does every twelve seconds that lives but doesn't come to the claim.
        var keepAlive = $"UPDATE hangfire.jobqueue SET fetchedat = now() WHERE id = ({EntriesOf(id)} ORDER BY entry.id LIMIT 1)";
        await ExecuteAsync(test, keepAlive);
        await StartWorkerAsync();
        var end = Http.WaitForEndAsync(id);
        while (await Task.WhenAny(end, Task.Delay(TimeSpan.FromSeconds(12), Cancellation)) != end)
            await ExecuteAsync(test, keepAlive);
        Assert.Equal("succeeded", (await end).Status());
    }

    [Fact]
    public async Task Locks_that_a_killed_process_left_behind_go()
    {
        await using var test = await ConnectAsync();
        await ExecuteAsync(test,
            "INSERT INTO hangfire.lock (resource, acquired) VALUES ('hangfire:left-behind', now() - interval '1 minute')");
        await StartWorkerAsync();
        await WaitAsync(test, "SELECT count(*) = 0 FROM hangfire.lock WHERE resource = 'hangfire:left-behind'");

        // And one that is in a job's way is not waited for as long as Hangfire would by default, ten minutes, but for 15 s.
        await ExecuteAsync(test, """
            CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO hangfire.lock (resource, acquired) VALUES
                        ('hangfire:job:' || NEW.jobid || ':state-lock', now() - interval '13 s')
                    ON CONFLICT DO NOTHING;
                RETURN NEW; END $$;
            CREATE TRIGGER leave BEFORE INSERT ON hangfire.jobqueue FOR EACH ROW EXECUTE FUNCTION leave();
            """);
        var id = await Http.SubmitAsync();
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        await ExecuteAsync(test, "DROP TRIGGER leave ON hangfire.jobqueue; DROP FUNCTION leave");
    }

    [Fact]
    public async Task Entries_that_were_served_go_an_hour_later()
    {
        await using var test = await ConnectAsync();
        var first = await StartWorkerAsync();
        var id = await Http.SubmitAsync();
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        await WaitAsync(test, $"SELECT expireat < now() + interval '61 min' FROM hangfire.job WHERE arguments ->> 0 LIKE '%{id}%'");
        await first.TerminateAsync();
        await ExecuteAsync(test, "UPDATE hangfire.job SET expireat = expireat - interval '62 min' WHERE expireat IS NOT NULL");
        // it looks when it starts, and every five minutes
        await StartWorkerAsync();
        await WaitAsync(test, $"""
            SELECT NOT EXISTS (SELECT FROM hangfire.job WHERE arguments ->> 0 LIKE '%{id}%')
                AND NOT EXISTS (SELECT FROM hangfire.state WHERE jobid NOT IN (SELECT id FROM hangfire.job))
            """);
    }

    [Fact]
    public async Task A_worker_is_not_ready_while_jobs_wait_and_it_takes_none()
    {
        await using var test = await ConnectAsync();
        var worker = await StartWorkerAsync(leaseSeconds: 2);
        await ExecuteAsync(test, "BEGIN; LOCK TABLE hangfire.jobqueue IN EXCLUSIVE MODE");
        var id = await Http.SubmitAsync();
        for (; await ReadyAsync(worker, HttpStatusCode.ServiceUnavailable) is null; await Task.Delay(200, Cancellation))
            // by an entry that the worker had taken before
            if ((await Http.GetJobAsync(id)).Status() == "succeeded")
                id = await Http.SubmitAsync();
        Assert.Contains("Jobs wait", await ReadyAsync(worker, HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        await ExecuteAsync(test, "ROLLBACK");
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(id)).Status());
        await WaitForReadyAsync(worker, HttpStatusCode.OK);
    }

    private static string EntriesOf(Guid id) =>
        "SELECT entry.id FROM hangfire.jobqueue entry JOIN hangfire.job wake ON wake.id = entry.jobid WHERE "
        + $"wake.arguments ->> 0 LIKE '%{id}%'";

    private static async Task WaitForReadyAsync(HostProcess worker, HttpStatusCode wanted)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(2); await ReadyAsync(worker, wanted) is null; await Task.Delay(200, Cancellation))
            if (DateTime.UtcNow > limit)
                throw new TimeoutException($"The worker never answered {wanted}");
    }

    /// <summary>The answer's text if it has the status.</summary>
    private static async Task<string?> ReadyAsync(HostProcess worker, HttpStatusCode wanted)
    {
        using var answer = await worker.Http.GetAsync(new Uri("/health/ready", UriKind.Relative), Cancellation);
        return answer.StatusCode == wanted ? await answer.Content.ReadAsStringAsync(Cancellation) : null;
    }
}
