using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(Service))]

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>
/// One Postgres and one <c>--role all</c> process that most tests share: take it as a constructor parameter. Tests that look at
/// lists filter by a label of their own.
/// </summary>
public sealed class Service : IAsyncLifetime
{
    private PostgresServer? _postgres;
    private HostProcess? _host;
    private string? _migrated;
    private string? _connectionString;
    private string? _missing;

    public bool IsMissing => _missing is not null;
    public PostgresServer Postgres => Present(_postgres);
    public HostProcess Host => Present(_host);
    public HttpClient Http => Host.Http;
    public string ConnectionString => Present(_connectionString);

    public TrainingDbContext NewDbContext() => Context(ConnectionString);

    public static TrainingDbContext Context(string connectionString) =>
        new(new DbContextOptionsBuilder<TrainingDbContext>().UseTrainingDatabase(connectionString).Options);

    /// <summary>An empty database with the schema, for tests that start hosts of their own.</summary>
    public Task<string> CreateMigratedDatabaseAsync() => Postgres.CreateDatabaseAsync(template: _migrated);

    public async ValueTask InitializeAsync()
    {
        try
        {
            _postgres = await PostgresServer.StartAsync();
        }
        catch (PostgresMissingException e) when (Environment.GetEnvironmentVariable("CI") is not "true")
        {
            _missing = e.Message;
            return;
        }
        _migrated = await Postgres.CreateDatabaseAsync();
        await HostProcess.MigrateAsync(_migrated);
        _connectionString = await CreateMigratedDatabaseAsync();
        _host = await HostProcess.StartAsync("all", _connectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            TestContext.Current.SendDiagnosticMessage(_host?.Log ?? "");
        if (_host is not null)
            await _host.DisposeAsync();
        if (_postgres is not null)
        {
            foreach (var database in new[] { _connectionString, _migrated }.OfType<string>())
                await _postgres.DropDatabaseAsync(database);
            await _postgres.DisposeAsync();
        }
    }

    /// <summary>Without Postgres a test that asks for the service is skipped.</summary>
    public T Present<T>(T? part) where T : class
    {
        if (part is null)
            Assert.Skip(_missing ?? "The service did not start.");
        return part;
    }
}
