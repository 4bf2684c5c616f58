using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>
/// A Postgres server that tests may fill: the one that <c>TRAINING_TEST_POSTGRES</c> names, or a private cluster in a temporary folder.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly Process? _guard;
    private readonly string? _folder;
    private readonly string? _programs;
    private readonly NpgsqlConnectionStringBuilder _admin;

    private PostgresServer(NpgsqlConnectionStringBuilder admin, Process? guard = null, string? folder = null, string? programs = null) =>
        (_admin, _guard, _folder, _programs) = (admin, guard, folder, programs);

    public static async Task<PostgresServer> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("TRAINING_TEST_POSTGRES") is { Length: > 0 } given)
            return new(new(given));
        return await StartPrivateAsync();
    }

    /// <summary>A cluster of our own, for tests that restart it; what it has committed survives that, though no power cut.</summary>
    /// <param name="diskMb">
    /// The size of its disk, which then is one in memory that only it sees, and that goes when it ends; for root, see
    /// <see cref="MayMount"/>.
    /// </param>
    public static async Task<PostgresServer> StartPrivateAsync(int? diskMb = null)
    {
        var programs = FindPrograms() ?? throw new PostgresMissingException("No Postgres: "
            + "set TRAINING_TEST_POSTGRES or install postgresql (initdb and pg_ctl are looked for on PATH and under /usr/lib/postgresql).");
        var folder = Directory.CreateTempSubdirectory("training-tests-").FullName;
        var port = FreePort();
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", ["-R", Unprivileged(), folder]);
        // The shell waits for the end of its input, which comes when we dispose and also when this process dies
        // in any way; then it cleans up.
        var script = $"""
            '{programs}/initdb' -D '{folder}/data' -U postgres -A trust -E UTF8 --locale=C --no-sync >'{folder}/log' 2>&1 &&
            '{programs}/pg_ctl' -D '{folder}/data' -l '{folder}/log' -w -o "-c listen_addresses=127.0.0.1 -p {port}
              -c unix_socket_directories='' -c fsync=off -c full_page_writes=off
              -c max_connections=300" start >/dev/null 2>&1 && echo ready || cat '{folder}/log'
            read _
            '{programs}/pg_ctl' -D '{folder}/data' -m immediate stop >/dev/null 2>&1
            rm -rf '{folder}' 2>/dev/null
            """.Replace("\n  -c", " -c", StringComparison.Ordinal);
        var start = Start("sh", ["-c", script], unprivileged: true);
        if (diskMb is { } size)
            start = Start("unshare", ["-m", "sh", "-c",
                $"mount -t tmpfs -o size={size}m,uid={Id(Unprivileged(), 2)},gid={UnprivilegedGroup()} tmpfs '{folder}' && exec \"$@\"",
                "sh", start.FileName, .. start.ArgumentList], unprivileged: false);
        var guard = Process.Start(start)!;
        if (await guard.StandardOutput.ReadLineAsync() is var answer and not "ready")
            throw new InvalidOperationException($"Postgres did not start: {answer} {await EndAsync(guard)}");
        return new(new($"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Include Error Detail=true"),
            guard, folder, programs);
    }

    /// <summary>A new database, empty or as another one that nobody is connected to; answers its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(string? template = null)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(_admin.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand(
            $"CREATE DATABASE {name} TEMPLATE {new NpgsqlConnectionStringBuilder(template).Database ?? "template1"}", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(_admin.ConnectionString) { Database = name }.ConnectionString;
    }

    public async Task DropDatabaseAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(_admin.ConnectionString);
        await connection.OpenAsync();
        await using var drop = new NpgsqlCommand(
            $"DROP DATABASE IF EXISTS {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)", connection);
        await drop.ExecuteNonQueryAsync();
    }

    public Task StopAsync() => ControlAsync("-m", "fast", "stop");

    /// <summary>As if its machine had lost power, but for the disk.</summary>
    public Task StopAtOnceAsync() => ControlAsync("-m", "immediate", "stop");

    public Task StartAgainAsync() => ControlAsync("-l", $"{_folder}/log", "start");

    /// <summary>Whether a disk of a size of its own can be made here.</summary>
    public static bool MayMount()
    {
        if (!Environment.IsPrivilegedProcess)
            return false;
        var probe = Start("unshare", ["-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt 2>&1"], unprivileged: false);
        using var process = Process.Start(probe)!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    /// <summary>Leaves no byte of its disk free.</summary>
    public async Task FillDiskAsync()
    {
        // as others see what only it sees
        await using var fill = new FileStream($"/proc/{_guard!.Id}/root{_folder}/fill", FileMode.Create, FileAccess.Write,
            FileShare.Read, bufferSize: 0);
        foreach (var size in (int[])[1 << 20, 1 << 12])
            try
            {
                while (true)
                    await fill.WriteAsync(new byte[size]);
            }
            catch (IOException)
            {
                // full
            }
    }

    public void FreeDisk() => File.Delete($"/proc/{_guard!.Id}/root{_folder}/fill");

    public async ValueTask DisposeAsync()
    {
        if (_guard is null)
            return;
        await EndAsync(_guard);
        // what a disk of its own was mounted on
        if (Directory.Exists(_folder))
            Directory.Delete(_folder);
    }

    private async Task ControlAsync(params string[] arguments)
    {
        // Started again without -o, pg_ctl takes the options from the last start.
        if (arguments[^1] == "start")
            arguments = ["-o", await LastOptionsAsync(), .. arguments];
        await RunAsync($"{_programs}/pg_ctl", ["-D", $"{_folder}/data", "-w", .. arguments], unprivileged: true);
    }

    private async Task<string> LastOptionsAsync()
    {
        var line = (await RunAsync("cat", [$"{_folder}/data/postmaster.opts"], unprivileged: true)).Trim();
        return line[(line.IndexOf('"', StringComparison.Ordinal) - 1)..].Trim();
    }

    private static async Task<string> EndAsync(Process guard)
    {
        guard.StandardInput.Close();
        var rest = await guard.StandardOutput.ReadToEndAsync();
        await guard.WaitForExitAsync();
        return rest;
    }

    private static async Task<string> RunAsync(string program, string[] arguments, bool unprivileged = false)
    {
        using var process = Process.Start(Start(program, arguments, unprivileged))!;
        process.StandardInput.Close();
        // A started server keeps the pipe open, so its starter's output is not read to the end.
        var output = arguments.Contains("start") ? "" : await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}: {output}");
    }

    private static ProcessStartInfo Start(string program, string[] arguments, bool unprivileged)
    {
        // The server refuses to run as root.
        string[] line = unprivileged && Environment.IsPrivilegedProcess
            ? ["setpriv", $"--reuid={Unprivileged()}", $"--regid={UnprivilegedGroup()}", "--clear-groups", program, .. arguments]
            : [program, .. arguments];
        return new(line[0], line[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
    }

    private static string Unprivileged() =>
        File.ReadLines("/etc/passwd").Any(l => l.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private static string UnprivilegedGroup() => Id(Unprivileged(), 3);

    /// <summary>A user's number, or that of the user's group.</summary>
    private static string Id(string user, int field) =>
        File.ReadLines("/etc/passwd").First(l => l.StartsWith(user + ":", StringComparison.Ordinal)).Split(':')[field];

    internal static string? FindPrograms()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(d => d, StringComparer.Ordinal).Select(d => Path.Combine(d, "bin"))
            : [];
        return onPath.Concat(debian).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "pg_ctl")));
    }

    public static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}

/// <summary>This machine has no Postgres; locally a reason to skip.</summary>
public sealed class PostgresMissingException(string message) : Exception(message);
