using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Deploy;

/// <summary>The commands of deploy/README.md that back up and restore, run as they stand there but for names.</summary>
public sealed class BackupTests(Service service) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("training-backup-").FullName;

    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        await service.Postgres.DropDatabaseAsync(_database);
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("docker compose exec -T postgres ")]
    [InlineData("PGPASSWORD=$(cat .data/pg-password) ")]
    public async Task What_was_backed_up_is_there_again(string kind)
    {
        var commands = Repository.Read("deploy/README.md").Split('\n').Where(line => line.StartsWith(kind, StringComparison.Ordinal)
            && line.Contains(" training", StringComparison.Ordinal)).Select(line => line.Split(" #")[0]).ToList();
        Assert.Equal(2, commands.Count);
        Guid id;
        await using (var host = await HostProcess.StartAsync("all", _database))
        {
            id = await host.Http.SubmitAsync();
            await host.Http.WaitForEndAsync(id);
            await host.TerminateAsync();
        }
        await using var db = Service.Context(_database);
        var rows = await db.Metrics.CountAsync(Cancellation);
        await RunAsync(commands[0], kind);
        await db.Jobs.ExecuteDeleteAsync(Cancellation);
        await db.Database.ExecuteSqlRawAsync("DROP TABLE hangfire.jobqueue; UPDATE idempotency_keys SET body = ''", Cancellation);
        Assert.Equal(0, await db.Metrics.CountAsync(Cancellation));
        await RunAsync(commands[1], kind);
        Assert.Equal(rows, await db.Metrics.CountAsync(Cancellation));
        await using var again = await HostProcess.StartAsync("all", _database);
        Assert.Equal("succeeded", (await again.Http.GetJobAsync(id)).Status());
        await again.Http.WaitForEndAsync(await again.Http.SubmitAsync());
    }

    /// <summary>Docker's stand-in is this machine; the user, the database and where deploy/run.sh keeps its own are this test's.</summary>
    private async Task RunAsync(string command, string kind)
    {
        var settings = new NpgsqlConnectionStringBuilder(_database);
        Directory.CreateDirectory(Path.Combine(_folder, ".data/pg"));
        await File.WriteAllTextAsync(Path.Combine(_folder, ".data/pg-password"), settings.Password ?? "", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(_folder, ".data/pg/postmaster.pid"), $"1\n/\n0\n{settings.Port}\n", Cancellation);
        var here = (kind.StartsWith("docker", StringComparison.Ordinal) ? command[kind.Length..] : command)
            .Replace("-U training", $"-U {settings.Username}", StringComparison.Ordinal)
            .Replace("-d training", $"-d {settings.Database}", StringComparison.Ordinal)
            .Replace("-Fc training", $"-Fc {settings.Database}", StringComparison.Ordinal);
        var start = new ProcessStartInfo("bash", ["-euc", here])
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            Environment =
            {
                ["PGHOST"] = settings.Host,
                ["PGPORT"] = $"{settings.Port}",
                ["PGPASSWORD"] = settings.Password,
                ["PATH"] = $"{PostgresServer.FindPrograms()}:{Environment.GetEnvironmentVariable("PATH")}",
            },
        };
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, $"{here}\n{errors}");
    }
}
