using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>An API as a process of its own, on a database of its own; the tests add the workers.</summary>
public sealed class ApiWithoutWorkers(Service service) : IAsyncLifetime
{
    public string Database { get; private set; } = "";
    public HostProcess? Api { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (service.IsMissing)
            return;
        Database = await service.CreateMigratedDatabaseAsync();
        Api = await HostProcess.StartAsync("api", Database);
    }

    public async ValueTask DisposeAsync()
    {
        if (Api is null)
            return;
        await Api.DisposeAsync();
        await service.Postgres.DropDatabaseAsync(Database);
    }
}

/// <summary>Tests that start workers, and do something to them, on the database of an API that has none.</summary>
public abstract class FaultTests(Service service, ApiWithoutWorkers api) : IAsyncDisposable
{
    private readonly List<HostProcess> _workers = [];

    protected HttpClient Http { get; } = service.Present(api.Api).Http;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result is TestResult.Failed)
            foreach (var worker in _workers)
                TestContext.Current.TestOutputHelper?.WriteLine(worker.Log);
        foreach (var worker in _workers)
            await worker.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>On the API's database.</summary>
    protected FaultyProxy NewNetwork() => new(api.Database);

    protected async Task<HostProcess> StartWorkerAsync(int leaseSeconds = 4, int checkpointSeconds = 10, FaultyProxy? network = null)
    {
        var worker = await HostProcess.StartAsync("worker", network?.ConnectionString ?? api.Database, new Dictionary<string, string?>
        {
            ["TRAINING_LEASE_SECONDS"] = $"{leaseSeconds}",
            ["TRAINING_CHECKPOINT_SECONDS"] = $"{checkpointSeconds}",
        });
        _workers.Add(worker);
        return worker;
    }

    protected async Task CancelAsync(Guid id)
    {
        using var answer = await Http.PostAsync(new Uri($"/api/v1/jobs/{id}/cancel", UriKind.Relative), null, Cancellation);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
    }

    protected async Task<Job> ReadAsync(Guid id)
    {
        await using var db = NewDbContext();
        return await db.Jobs.SingleAsync(j => j.Id == id, Cancellation);
    }

    protected TrainingDbContext NewDbContext() => Service.Context(api.Database);

    /// <summary>A connection of the test's own, whose locks end with it.</summary>
    protected async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(api.Database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }

    protected static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Waits until the query, whose answer is a bool, says true; the limit only ends a broken test.</summary>
    protected static async Task WaitAsync(NpgsqlConnection connection, string sql)
    {
        for (var limit = DateTime.UtcNow.AddMinutes(2); ; await Task.Delay(20, Cancellation))
        {
            await using var command = new NpgsqlCommand(sql, connection);
            if (await command.ExecuteScalarAsync(Cancellation) is true)
                return;
            if (DateTime.UtcNow > limit)
                throw new TimeoutException($"Never true: {sql}");
        }
    }
}
