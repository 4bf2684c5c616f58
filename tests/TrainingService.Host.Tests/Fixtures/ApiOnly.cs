using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>
/// A <c>--role api</c> process with a database of its own and no worker: jobs stay queued until a test moves them.
/// Tests of the collection run one after another.
/// </summary>
[CollectionDefinition(nameof(ApiOnly))]
public sealed class ApiOnly(Service service) : ICollectionFixture<ApiOnly>, IAsyncLifetime
{
    private HostProcess? _host;
    private string? _connectionString;

    public HttpClient Http => _host!.Http;
    public string ConnectionString => _connectionString!;

    public TrainingDbContext NewDbContext() => Service.Context(_connectionString!);

    public async Task<int> CountJobsAsync()
    {
        await using var db = NewDbContext();
        return await db.Jobs.CountAsync();
    }

    public async ValueTask InitializeAsync()
    {
        _connectionString = await service.CreateMigratedDatabaseAsync();
        _host = await HostProcess.StartAsync("api", _connectionString,
            new Dictionary<string, string?> { ["TRAINING_JOB_MEMORY_MB"] = "500" });
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        if (_connectionString is not null)
            await service.Postgres.DropDatabaseAsync(_connectionString);
    }
}
