using System.IO.Compression;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Faults;

/// <summary>A database that the previous version filled and the new one migrated.</summary>
public sealed class PreviousDatabase(Service service) : IAsyncLifetime
{
    /// <summary>The last migration that the previous version has.</summary>
    public const string LastMigration = "20261127111000_ManyJobs";

    /// <summary>Null where there is no Postgres.</summary>
    public string? ConnectionString { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (service.IsMissing)
            return;
        ConnectionString = await service.Postgres.CreateDatabaseAsync();
        await using (var connection = await ConnectAsync(ConnectionString))
        {
            await using var restore = new NpgsqlCommand(Read("database.sql.gz"), connection);
            await restore.ExecuteNonQueryAsync();
        }
        await using var db = Service.Context(ConnectionString);
        Assert.Equal(LastMigration, (await db.Database.GetAppliedMigrationsAsync()).Last());
        await HostProcess.MigrateAsync(ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (ConnectionString is not null)
            await service.Postgres.DropDatabaseAsync(ConnectionString);
    }

    /// <summary>Not one that others get later: a dump changes the search path.</summary>
    public static async Task<NpgsqlConnection> ConnectAsync(string database)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>
    /// What the previous version left behind: <c>database.sql.gz</c>, as <c>pg_dump --inserts</c> wrote it, and <c>worker.sql</c>, the
    /// statements that a worker of it sent, with the types of their parameters where Postgres can't tell them.
    /// </summary>
    public static string Read(string file)
    {
        var resource = typeof(PreviousDatabase).Assembly.GetManifestResourceStream($"Previous/{file}")
            ?? throw new FileNotFoundException(file);
        using var reader = new StreamReader(
            file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(resource, CompressionMode.Decompress) : resource);
        return reader.ReadToEnd();
    }
}

/// <summary>The previous version's data is kept, and its workers go on once the new version's migrations have been run.</summary>
public sealed class RollOutTests(Service service, PreviousDatabase previous) : IClassFixture<PreviousDatabase>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Database => service.Present(previous.ConnectionString);

    [Fact]
    public async Task What_the_previous_version_stored_is_told_and_goes_on()
    {
        await using var host = await HostProcess.StartAsync("all", Database);
        var http = host.Http;
        var jobs = (await http.GetAnswer("/api/v1/jobs?limit=100"))["items"].EnumerateArray()
            .ToDictionary(job => job.GetProperty("name").GetString()!, job => job.GetProperty("id").GetGuid());
        Assert.Equal(9, jobs.Count);

        var kept = (await http.GetAnswer($"/api/v1/jobs/{jobs["kept"]}")).Json;
        Assert.Equal(("succeeded", 1, 10), (kept.Status(), kept.GetProperty("attempt").GetInt32(), kept.Step()));
        Assert.Equal("8595ae0aeb9e4956fdad2309acc81563fc92fcc3a709518e67a3e412776a286e",
            kept.GetProperty("result").GetProperty("weightsSha256").GetString());
        var losses = (await http.GetAnswer($"/api/v1/jobs/{jobs["kept"]}/metrics?names=loss&split=train"))["series"][0];
        Assert.Equal((11, 1.9545435f), (losses.GetProperty("points").GetArrayLength(), losses.GetProperty("points")[0][2].GetSingle()));
        var layer = (await http.GetAnswer($"/api/v1/jobs/{jobs["kept"]}/layers"))["layers"][0];
        Assert.Equal(("hidden1", 0.4722222f), (layer.GetProperty("name").GetString(),
            layer.GetProperty("series").GetProperty("sparsity")[0][2].GetSingle()));
        var prediction = await http.Send("POST", $"/api/v1/jobs/{jobs["kept"]}/predictions", """
            {"inputs": [{"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4, "petal_width_cm": 0.2}]}
            """);
        Assert.Equal("setosa", prediction["labels"][0].GetString());
        Assert.Equal(0.95975468, prediction["outputs"][0][0].GetDouble(), 1e-5);
        var sweep = (await http.GetAnswer("/api/v1/sweeps"))["items"][0];
        var report = await http.GetReport(sweep.Text("id"));
        Assert.Contains("over 2 seeds", report.Text("answer"), StringComparison.Ordinal);
        Assert.Equal(2, report.List("arms").Count);

        var queued = await http.WaitForEndAsync(jobs["queued"]);
        Assert.Equal(("succeeded", 1), (queued.Status(), queued.GetProperty("attempt").GetInt32()));
        Assert.Equal(202, (await http.Send("POST", $"/api/v1/jobs/{jobs["failed"]}/retry")).Status);
        // with the same learning rate
        var failed = await http.WaitForEndAsync(jobs["failed"]);
        Assert.Equal(("failed", "diverged", 2), (failed.Status(), failed.ErrorCode(), failed.GetProperty("attempt").GetInt32()));
        // an old request, with the old version's data set
        var clone = await http.Send("POST", $"/api/v1/jobs/{jobs["own"]}/clone", "{}");
        Assert.True(clone.Status == 202, clone.Text);
        Assert.Equal("succeeded", (await http.WaitForEndAsync(Guid.Parse(clone.Id))).Status());
    }

    [Fact]
    public async Task Specs_of_the_previous_version_are_read()
    {
        await using var db = Service.Context(Database);
        var jobs = await db.Jobs.AsNoTracking().ToListAsync(Cancellation);
        Assert.All(jobs, job => Assert.NotNull(job.Spec.Training?.Epochs));
        Assert.All(jobs, job => Assert.NotNull(job.Request?.Model));
    }

    /// <summary>The new version's workers write fields into results that an <c>api</c> of the one before has never heard of.</summary>
    [Fact]
    public async Task What_a_later_worker_measures_is_told_as_far_as_it_is_known()
    {
        // a rate at which something is found
        var id = await service.Http.SubmitAsync(epochs: 2, everySteps: 10, learningRate: 2);
        var before = (await service.Http.WaitForEndAsync(id)).GetProperty("result").Text("weightsSha256");
        Assert.NotEmpty((await service.Http.GetAnswer($"/api/v1/jobs/{id}/findings")).Json.List("items"));
        await using var db = service.NewDbContext();
        await db.Database.ExecuteSqlAsync($$"""
            UPDATE jobs SET result = result || '{"later": {"a": [1]} }', findings = findings || '{"later": 1}',
                preflight = preflight || '{"later": 1}',
                layers = (SELECT jsonb_agg(layer || '{"later": 1}') FROM jsonb_array_elements(layers) layer)
            WHERE id = {{id}}
            """, Cancellation);
        await db.Database.ExecuteSqlAsync(
            $$"""UPDATE job_findings SET finding = finding || '{"later": 1}' WHERE job_id = {{id}}""", Cancellation);
        var job = await service.Http.GetAnswer($"/api/v1/jobs/{id}");
        Assert.True(job.Status == 200, job.Text);
        Assert.Equal(before, job["result"].Text("weightsSha256"));
        Assert.DoesNotContain("later", job.Text, StringComparison.Ordinal);
        foreach (var path in (string[])["/api/v1/jobs", $"/api/v1/jobs/{id}/layers", $"/api/v1/jobs/{id}/findings",
            $"/api/v1/jobs/{id}/events", $"/jobs/{id}"])
        {
            using var answer = await service.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
            if (path.EndsWith("/events", StringComparison.Ordinal))
                Assert.Contains("finding", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }
    }

    /// <summary>As Postgres checks names and types when it is told to prepare a statement.</summary>
    [Fact]
    public async Task Statements_of_a_previous_worker_fit_the_new_schema()
    {
        await using var connection = await PreviousDatabase.ConnectAsync(Database);
        var statements = PreviousDatabase.Read("worker.sql").Split("\n;;\n");
        Assert.True(statements.Length > 30);
        foreach (var (number, statement) in statements.Index())
        {
            if (statement.StartsWith("COPY", StringComparison.Ordinal))
            {
                await using var copy = await connection.BeginBinaryImportAsync(statement, Cancellation);
                continue;
            }
            await using var prepare = new NpgsqlCommand($"PREPARE statement{number} {statement}", connection);
            await prepare.ExecuteNonQueryAsync(Cancellation);
        }
    }
}
