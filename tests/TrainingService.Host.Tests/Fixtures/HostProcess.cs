using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>The real executable as a child process.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    /// <summary>What takes longer hangs: three that migrate at once beside other tests took more than a minute on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly Process _guard;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostProcess(string[] arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "TrainingService.Host.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k =>
            k.StartsWith("TRAINING_", StringComparison.Ordinal) || k.StartsWith("ConnectionStrings__", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        // Port 0: the kernel picks one that is free and the log tells which.
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (name, value) in environment)
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                lock (_errors)
                    _errors.AppendLine(line.Data);
            Read(line.Data);
        };
        _process.Start();
        // Ends the host if this process dies without disposing: the guard's input ends then.
        _guard = Process.Start(new ProcessStartInfo("sh", ["-c", $"read _; kill -9 {_process.Id} 2>/dev/null"])
        {
            RedirectStandardInput = true,
        })!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Talks to the process; its base address is the root, so paths start with <c>/api/v1</c> or <c>/health</c>.</summary>
    public HttpClient Http { get; } = new();

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What was written to standard output and error.</summary>
    public string Log => string.Join('\n', _log);

    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>Starts a role that serves and waits for nothing.</summary>
    public static HostProcess Launch(string role, string connectionString, IReadOnlyDictionary<string, string?>? environment = null) =>
        new(["--role", role], Environment(connectionString, environment));

    /// <summary>Starts a role that serves and waits until it is ready.</summary>
    public static async Task<HostProcess> StartAsync(string role,
        string connectionString, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var host = Launch(role, connectionString, environment);
        try
        {
            host.Http.BaseAddress = await host.WhileAlive(host._address.Task);
            await host.WhileAlive(host.ReadyAsync());
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<(int ExitCode, string Errors, string Log)> RunAsync(string[] arguments,
        IReadOnlyDictionary<string, string?> environment)
    {
        await using var host = new HostProcess(arguments, environment);
        return (await host.ExitAsync(), host.Errors, host.Log);
    }

    public static async Task MigrateAsync(string connectionString)
    {
        var (exitCode, _, log) = await RunAsync(["--role", "migrate"], Environment(connectionString, null));
        if (exitCode != 0)
            throw new InvalidOperationException($"--role migrate exited with {exitCode}:\n{log}");
    }

    /// <summary>However it ends.</summary>
    public Task WaitForExitAsync() => _process.WaitForExitAsync();

    /// <summary>SIGKILL: the process gets no chance to tidy up.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM; answers the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        return await ExitAsync();
    }

    /// <summary>SIGSTOP: the process keeps all it has, its connections among it, and does nothing any more.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT: it goes on as if nothing had been.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        // First, or it might kill another process that got the number.
        _guard.Kill();
        _guard.Dispose();
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private static Dictionary<string, string?> Environment(string connectionString, IReadOnlyDictionary<string, string?>? more) =>
        new(more ?? new Dictionary<string, string?>()) { ["ConnectionStrings__Training"] = connectionString };

    private async Task ReadyAsync()
    {
        while (true)
        {
            using var answer = await Http.GetAsync(new Uri("/health/ready", UriKind.Relative));
            if (answer.StatusCode == HttpStatusCode.OK)
                return;
            await Task.Delay(50);
        }
    }

    private void Read(string? line)
    {
        const string Listening = "Now listening on: ";
        if (line is null)
            return;
        _log.Enqueue(line);
        if (line.IndexOf(Listening, StringComparison.Ordinal) is >= 0 and var at)
            _address.TrySetResult(new(line[(at + Listening.Length)..].Split('"')[0]));
    }

    private async Task<T> WhileAlive<T>(Task<T> task)
    {
        await WhileAlive((Task)task);
        return await task;
    }

    private async Task WhileAlive(Task task)
    {
        await Task.WhenAny(task, _process.WaitForExitAsync(), Task.Delay(Patience));
        if (!task.IsCompleted)
            throw new InvalidOperationException(
                $"The host {(_process.HasExited ? $"exited with {_process.ExitCode}" : $"did not answer within {Patience}")}:\n{Log}");
        await task;
    }

    private async Task<int> ExitAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new InvalidOperationException($"The host did not exit within {Patience}:\n{Log}");
        }
    }
}
