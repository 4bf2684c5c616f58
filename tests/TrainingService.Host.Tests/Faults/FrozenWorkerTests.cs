using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>
/// A worker stops (SIGSTOP, a suspended machine) in the middle of the transaction in which it tells of its progress,
/// and so keeps the job's row locked.
/// </summary>
[Trait("Category", "Slow")]
public sealed class FrozenWorkerTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api), IClassFixture<ApiWithoutWorkers>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_job_is_taken_over_and_it_stops_when_it_goes_on(bool inCopy)
    {
        var first = await StartWorkerAsync(checkpointSeconds: 3600);
        var id = await Http.SubmitAsync(Client.Hours);
        await Http.WaitForStepAsync(id);
        await FreezeInTransactionAsync(first, inCopy);
        await StartWorkerAsync();
        await Http.WaitForAsync(id,
            job => job.GetProperty("attempt").GetInt32() == 2 && job.GetProperty("progress").GetProperty("step").GetInt64() > 0);

        Assert.Equal(1, (await ReadAsync(id)).Crashes);
        await first.ThawAsync();
        await using (var watch = await ConnectAsync())
            await WaitAsync(watch, $"SELECT crashes = 0 FROM jobs WHERE id = '{id}'");
        // What it has to say is no longer asked for, and it is free for other work.
        await CancelAsync(id);
        Assert.Equal("canceled", (await Http.WaitForEndAsync(id)).Status());
        foreach (var next in await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Http.SubmitAsync())))
            Assert.Equal("succeeded", (await Http.WaitForEndAsync(next)).Status());
        Assert.Equal(2, (await ReadAsync(id)).Attempt);
        Assert.Contains($"Job {id}: attempt 1 stops, since its lease is lost", first.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_job_can_be_canceled()
    {
        var worker = await StartWorkerAsync();
        var id = await Http.SubmitAsync(Client.Hours);
        await Http.WaitForStepAsync(id);
        await FreezeInTransactionAsync(worker, inCopy: false);
        // Nobody but Postgres is there to end its transaction; without that this would be a 503 after half a minute.
        await CancelAsync(id);
        Assert.Equal("canceling", (await Http.GetJobAsync(id)).Status());
        await worker.ThawAsync();
        Assert.Equal("canceled", (await Http.WaitForEndAsync(id)).Status());
    }

    private async Task FreezeInTransactionAsync(HostProcess worker, bool inCopy)
    {
        await using var watch = await ConnectAsync();
        await using (var hold = await ConnectAsync())
        {
            if (inCopy)
            {
                // It waits for the table, and after that Postgres waits for its rows.
                await ExecuteAsync(hold, "BEGIN; LOCK TABLE job_layers IN EXCLUSIVE MODE");
                await WaitAsync(watch, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'job_layers'::regclass");
            }
            else
            {
                // Its rows wait to be stored, and after that Postgres waits for the next statement.
                await ExecuteAsync(hold, """
                    SELECT pg_advisory_lock(1);
                    CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
                        BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
                    CREATE OR REPLACE TRIGGER wait AFTER INSERT ON job_layers FOR EACH STATEMENT EXECUTE FUNCTION wait();
                    """);
                await WaitAsync(watch, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'");
            }
            await worker.FreezeAsync();
        }
        // Then it is Postgres that waits.
        await WaitAsync(watch,
            "SELECT count(*) = 0 FROM pg_locks WHERE NOT granted AND (relation = 'job_layers'::regclass OR locktype = 'advisory')");
    }
}
