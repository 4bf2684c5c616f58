using System.Net;
using System.Net.Sockets;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Hosting;

public sealed class RoleTests(Service service)
{
    private const string Urls = "ASPNETCORE_URLS", Connection = "ConnectionStrings__Training";

    [Theory]
    [InlineData("--role wroker", "did you mean 'worker'?")]
    [InlineData("--role", "needs a value")]
    [InlineData("--rolle api", "'--rolle'")]
    [InlineData("--role api --verbose", "'--verbose'")]
    [InlineData("--role api", "Set ConnectionStrings__Training", Connection, "")]
    [InlineData("--role api", "not a Postgres connection string", Connection, "nonsense")]
    [InlineData("--role api", "there is no access key", Urls, "http://0.0.0.0:8080")]
    [InlineData("--role worker", "there is no access key", Urls, "http://*:8081")]
    [InlineData("--role api", "not an address", Urls, "http://127.0.0.1:eighty")]
    [InlineData("--role worker", "TRAINING_THREADS_PER_JOB must be a whole number from 1 to", "TRAINING_THREADS_PER_JOB", "0")]
    [InlineData("--role worker", "TRAINING_WORKERS must be a whole number from 1", "TRAINING_WORKERS", "0")]
    [InlineData("--role all", "TRAINING_LEASE_SECONDS", "TRAINING_LEASE_SECONDS", "soon")]
    [InlineData("--role api", "TRAINING_OPEN_ACCESS must be true or false", "TRAINING_OPEN_ACCESS", "yes")]
    public async Task A_refused_start_is_one_sentence(string arguments, string expected, string? name = null, string? value = null)
    {
        var environment = new Dictionary<string, string?> { [Connection] = service.ConnectionString };
        if (name is not null)
            environment[name] = value;
        AssertRefused(expected, await HostProcess.RunAsync(arguments.Split(' '), environment));
    }

    [Theory]
    [InlineData("api")]
    [InlineData("all")]
    public async Task A_port_in_use_is_one_sentence(string role)
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var environment =
            new Dictionary<string, string?> { [Connection] = service.ConnectionString, [Urls] = $"http://{holder.LocalEndpoint}" };
        AssertRefused($"Can't listen on http://{holder.LocalEndpoint}", await HostProcess.RunAsync(["--role", role], environment));
    }

    [Fact]
    public async Task Many_may_migrate_at_once_and_again()
    {
        var database = await service.Postgres.CreateDatabaseAsync();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => HostProcess.MigrateAsync(database)));
        await HostProcess.MigrateAsync(database);
        await using (var host = await HostProcess.StartAsync("worker", database))
            Assert.True(await host.TerminateAsync() is 0 or 143);
        await service.Postgres.DropDatabaseAsync(database);
    }

    [Fact]
    public async Task The_dashboard_is_served()
    {
        using var dashboard = await service.Http.GetAsync(new Uri("/hangfire", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, dashboard.StatusCode);
    }

    internal static void AssertRefused(string expected, (int ExitCode, string Errors, string Log) run)
    {
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(expected, run.Errors, StringComparison.Ordinal);
        Assert.Single(run.Log.Trim().Split('\n'));
        Assert.DoesNotContain(" error ", run.Log, StringComparison.Ordinal);
    }
}

/// <summary>The service waits for its database as long as it may: migrate may come a little later.</summary>
[Trait("Category", "Slow")]
public sealed class UnreadyDatabaseTests(Service service)
{
    private const string Connection = "ConnectionStrings__Training";

    [Fact]
    public async Task Without_a_schema_the_service_says_how_to_make_one()
    {
        var empty = await service.Postgres.CreateDatabaseAsync();
        RoleTests.AssertRefused("--role migrate",
            await HostProcess.RunAsync(["--role", "worker"], new Dictionary<string, string?> { [Connection] = empty }));
        await service.Postgres.DropDatabaseAsync(empty);
    }

    [Fact]
    public async Task An_unreachable_database_is_one_sentence() => RoleTests.AssertRefused("can't be reached",
        await HostProcess.RunAsync(["--role", "migrate"],
            new Dictionary<string, string?> { [Connection] = "Host=127.0.0.1;Port=1;Username=nobody" }));

    /// <summary>Whatever time-outs its connections have: none.</summary>
    [Theory]
    [InlineData("migrate")]
    [InlineData("worker")]
    public async Task A_database_that_is_silent_is_given_up(string role)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        RoleTests.AssertRefused("Postgres does not answer", await HostProcess.RunAsync(["--role", role],
            new Dictionary<string, string?>
            {
                [Connection] = $"Host=127.0.0.1;Port={port};Username=nobody;Timeout=0;Command Timeout=0",
            }));
    }
}
