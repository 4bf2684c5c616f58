using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>What becomes of the bytes between the service and Postgres.</summary>
public enum ProxyMode
{
    /// <summary>They arrive.</summary>
    Forward,

    /// <summary>All connections are reset, and new ones at once.</summary>
    Drop,

    /// <summary>Connections stay, new ones are accepted, and nothing arrives; it does once the mode changes back.</summary>
    BlackHole,
}

/// <summary>A network in front of Postgres that fails when it is told to.</summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _open = [];
    private readonly Task _accepting;
    private TaskCompletionSource _passes = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProxyMode _mode = ProxyMode.Forward;

    /// <param name="connectionString">Of the server behind it; Host and Port are read.</param>
    public FaultyProxy(string connectionString)
    {
        _server = new(connectionString);
        _passes.SetResult();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The same database, through here.</summary>
    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Host = "127.0.0.1", Port = Port }.ConnectionString;

    public ProxyMode Mode
    {
        get => _mode;
        set
        {
            lock (_lock)
            {
                _mode = value;
                if (value is ProxyMode.BlackHole)
                {
                    if (_passes.Task.IsCompleted)
                        _passes = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
                else
                {
                    _passes.TrySetResult();
                }
                if (value is ProxyMode.Drop)
                    ResetAll();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        lock (_lock)
        {
            ResetAll();
            _passes.TrySetResult();
        }
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // stopped, or a client that left before it was accepted
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            (client.NoDelay, server.NoDelay) = (true, true);
            if (!Track(client))
                return;
            await _passes.Task;
            await server.ConnectAsync(_server.Host ?? "127.0.0.1", _server.Port, _stop.Token);
            if (!Track(server))
                return;
            await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // either side is gone
        }
        finally
        {
            lock (_lock)
            {
                _open.Remove(client);
                _open.Remove(server);
                Reset(client);
                Reset(server);
            }
        }
    }

    private bool Track(Socket socket)
    {
        lock (_lock)
            return _mode is not ProxyMode.Drop && !_stop.IsCancellationRequested && _open.Add(socket);
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var bytes = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(bytes, _stop.Token) is > 0 and var count)
            {
                // what was under way when the network failed arrives late
                Task passes;
                lock (_lock)
                    passes = _passes.Task;
                await passes;
                for (var sent = 0; sent < count;)
                    sent += await to.SendAsync(bytes.AsMemory(sent, count - sent), _stop.Token);
            }
            // in a black hole an end doesn't arrive either
            Task open;
            lock (_lock)
                open = _passes.Task;
            await open;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // either side is gone
        }
    }

    private void ResetAll()
    {
        foreach (var socket in _open)
            Reset(socket);
        _open.Clear();
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // closed already
        }
        socket.Dispose();
    }
}
