using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

public sealed class UnreachableDatabaseTests(Service service)
{
    [Fact]
    public async Task Without_Postgres_requests_are_503_and_with_it_they_work_again()
    {
        _ = service.Postgres;   // skips where there is none
        await using var postgres = await PostgresServer.StartPrivateAsync();
        var connectionString = await postgres.CreateDatabaseAsync();
        await HostProcess.MigrateAsync(connectionString);
        await using var host = await HostProcess.StartAsync("api", connectionString);
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/jobs")).Status);

        await postgres.StopAsync();
        foreach (var answer in (Answer[])[await host.Http.GetAnswer("/api/v1/jobs"), await host.Http.PostJob("""{"dataset": "digits"}"""),
            await host.Http.PostJob("""{"dataset": "digits"}""", ("Idempotency-Key", "k")),
            await host.Http.GetAnswer($"/api/v1/jobs/{Guid.NewGuid()}")])
        {
            answer.MustBeProblem(503, "unavailable");
            Assert.NotNull(answer.Headers.RetryAfter);
        }
        Assert.Equal(200, (await host.Http.GetAnswer("/api/v1/activations")).Status);

        await postgres.StartAgainAsync();
        Assert.Equal(202, (await host.Http.PostJob("""{"dataset": "digits"}""", ("Idempotency-Key", "k"))).Status);
        Assert.Single((await host.Http.GetAnswer("/api/v1/jobs"))["items"].EnumerateArray());
    }
}
