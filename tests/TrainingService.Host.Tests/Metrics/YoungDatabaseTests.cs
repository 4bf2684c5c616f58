using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Metrics;

/// <summary>Postgres has counted when a single job had run, and not since.</summary>
public sealed class YoungDatabaseTests(Service service) : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_database.Length > 0)
            await service.Postgres.DropDatabaseAsync(_database);
    }

    [Theory]
    [InlineData("job_metrics", "step")]
    [InlineData("job_layers", "step")]
    [InlineData("job_units", "layer")]
    public async Task A_job_s_rows_are_found_by_their_index(string table, string varying)
    {
        await using var db = Service.Context(_database);
        var columns = await db.Database.SqlQuery<string>($"""
            SELECT column_name || ':' || udt_name AS "Value" FROM information_schema.columns
            WHERE table_name = {table} AND is_nullable = 'NO'
            """).ToListAsync(_cancellation);
        (string Name, string Type)[] parts = [.. columns.Select(column => (column.Split(':')[0], column.Split(':')[1]))];
        var names = string.Join(", ", parts.Select(part => part.Name));
        var values = string.Join(", ", parts.Select(part => part switch
        {
            { Name: "job_id" } => "'00000000-0000-0000-0000-000000000001'::uuid",
            { Type: "bytea" } => @"'\x00'::bytea",
            _ when part.Name == varying => "i",
            _ => $"'0'::{part.Type}",
        }));
        var count = $"EXPLAIN SELECT id, (SELECT count(*) FROM {table} WHERE job_id = id) "
            + "FROM unnest(ARRAY[gen_random_uuid()]) AS job (id)";
        foreach (var sql in (string[])
        [
            $"INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, 1000) i",
            $"ANALYZE {table}",
        ])
            await db.Database.ExecuteSqlRawAsync(sql, _cancellation);
        var plan = await db.Database.SqlQueryRaw<string>(count).ToListAsync(_cancellation);
        Assert.Contains(plan, line => line.Contains("Index", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains($"Seq Scan on {table}", StringComparison.Ordinal));
    }

    /// <summary>As when a worker has just claimed them, and Postgres knows of none that runs.</summary>
    [Fact]
    public async Task Jobs_that_a_worker_has_are_found_by_their_ids()
    {
        await using var db = Service.Context(_database);
        await db.InsertJobAsync(change: job => job.Status = JobStatus.Succeeded);
        await db.Database.ExecuteSqlRawAsync("""
            INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid()))).*
                FROM jobs j, generate_series(1, 5000);
            ANALYZE jobs
            """, _cancellation);
        var plan = await db.Database.SqlQueryRaw<string>($"EXPLAIN {Lease.Held}",
            new NpgsqlParameter("ids", Enumerable.Range(0, 10).Select(_ => Guid.NewGuid()).ToArray()),
            new NpgsqlParameter("attempts", new int[10])).ToListAsync(_cancellation);
        Assert.Contains(plan, line => line.Contains("using pk_jobs", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("ix_jobs", StringComparison.Ordinal));
    }

    /// <summary>To take them apart, once a minute while sweeps run, costs more than all plans together.</summary>
    [Fact]
    public async Task Nothing_is_counted_of_documents_and_measurements()
    {
        await using var db = Service.Context(_database);
        Assert.Empty(await db.Database.SqlQuery<string>($"""
            SELECT attrelid::regclass || '.' || attname AS "Value" FROM pg_attribute
            WHERE attrelid IN ('jobs'::regclass, 'job_metrics'::regclass, 'job_layers'::regclass, 'job_units'::regclass,
                    'job_findings'::regclass, 'sweep_cells'::regclass)
                AND attnum > 0 AND NOT attisdropped AND coalesce(attstattarget, -1) <> 0
                AND atttypid IN ('jsonb'::regtype, 'bytea'::regtype, 'real'::regtype, 'real[]'::regtype) AND attname <> 'labels'
            """).ToListAsync(_cancellation));
    }
}
