using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Events;

/// <summary>
/// The streams of events that are open here (text/event-stream, HTML's server-sent events): how many there may be, what keeps them alive,
/// and what ends them. None holds a connection to Postgres while it waits, and of one that nobody reads no more is kept than its place.
/// </summary>
public sealed class EventStreams(int most, TimeSpan heartbeat, IHostApplicationLifetime lifetime,
    IDbContextFactory<TrainingDbContext> databases, TimeProvider clock, ILogger<EventStreams> log)
{
    public const string MostSetting = "TRAINING_EVENT_STREAMS", HeartbeatSetting = "TRAINING_HEARTBEAT_SECONDS";
    public const string MediaType = "text/event-stream";

    private const int StandardMost = 1000, StandardHeartbeat = 15;

    /// <summary>Of all streams, those that one caller may have: 1 in so many.</summary>
    private const int Callers = 4;

    /// <summary>Then a stream ends, and its reader asks for the rest with a token that is still valid.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly HashSet<OpenStream> _open = [];
    private TaskCompletionSource _beat = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static EventStreams Create(IServiceProvider services)
    {
        var settings = services.GetRequiredService<IConfiguration>();
        return ActivatorUtilities.CreateInstance<EventStreams>(services,
            settings.WholeNumber(MostSetting, StandardMost, "streams", 1),
            TimeSpan.FromSeconds(settings.WholeNumber(HeartbeatSetting, StandardHeartbeat, "seconds", 1)));
    }

    /// <summary>Answers with a stream, or that there are too many.</summary>
    /// <param name="http">The request.</param>
    /// <param name="tell">Writes to it until there is nothing more to say; what it throws once the token is canceled is no fault.</param>
    public Results<PushStreamHttpResult, NoContent, ProblemHttpResult> Answer(HttpContext http,
        Func<EventWriter, CancellationToken, Task> tell)
    {
        http.Response.Headers.CacheControl = "no-cache, no-store";
        // what nginx would keep until there is more of it
        http.Response.Headers["X-Accel-Buffering"] = "no";
        if (Heads.IsHead(http))
            return TypedResults.Stream(_ => Task.CompletedTask, MediaType);
        var stream = new OpenStream(this, Caller.KeyOf(http.User),
            CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping));
        http.Response.RegisterForDispose(stream);
        if (Refusal(stream) is { } refusal)
            return Problems.TooMany(refusal);
        return TypedResults.Stream(async _ =>
        {
            try
            {
                stream.End.CancelAfter(Longest);
                http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
                var writer = new EventWriter(http.Response.BodyWriter);
                // so that the reader knows that it is there, and when to come again
                writer.Retry();
                await writer.FlushAsync(stream.End.Token);
                await tell(writer, stream.End.Token);
            }
            catch (Exception e) when (stream.End.IsCancellationRequested || e is OperationCanceledException)
            {
                // the reader has gone, or is to come again
            }
        }, MediaType);
    }

    /// <summary>Sends what is written and waits for what comes next, unless that was all or there is more to write already.</summary>
    /// <returns>False once all is told.</returns>
    public async Task<bool> GoesOnAsync(bool isDone, Task next, EventWriter writer, CancellationToken end)
    {
        var isFull = writer.IsFull;
        if (!writer.IsEmpty)
            await writer.FlushAsync(end);
        if (!isDone && !isFull)
            await WaitAsync(next, writer, end);
        return !isDone;
    }

    /// <summary>
    /// Until <paramref name="next"/> has ended; meanwhile the stream is kept alive, so that nobody on the way takes it for dead.
    /// </summary>
    private async Task WaitAsync(Task next, EventWriter writer, CancellationToken end)
    {
        while (!next.IsCompleted)
        {
            var beat = Volatile.Read(ref _beat).Task;
            if (await Task.WhenAny(next, beat).WaitAsync(end) == next)
                return;
            writer.Comment();
            await writer.FlushAsync(end);
        }
    }

    private string? Refusal(OpenStream stream)
    {
        lock (_lock)
        {
            if (_open.Count >= most)
                return $"{most} streams of events are open here, which is as many as there may be ({MostSetting}): "
                    + "ask again when some have ended, or poll.";
            var (own, share) = (_open.Count(other => other.Caller == stream.Caller), Math.Max(1, most / Callers));
            if (stream.Caller is not null && own >= share)
                return $"{own} streams of events of this key or token are open here, which is as many as there may be of one caller (a "
                    + $"quarter of {MostSetting}): ask again when some have ended, or poll.";
            _open.Add(stream);
            if (_open.Count == 1)
            {
                using var none = ExecutionContext.SuppressFlow();
                _ = Task.Run(LiveAsync);
            }
            return null;
        }
    }

    /// <summary>As long as a stream is open.</summary>
    private async Task LiveAsync()
    {
        using var timer = new PeriodicTimer(Tick);
        for (var beaten = clock.GetTimestamp(); await timer.WaitForNextTickAsync();)
        {
            lock (_lock)
                if (_open.Count == 0)
                    return;
            if (clock.GetElapsedTime(beaten) + Tick / 2 >= heartbeat)
            {
                beaten = clock.GetTimestamp();
                Interlocked.Exchange(ref _beat, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            }
            try
            {
                await EndRevokedAsync();
            }
            catch (Exception e)
            {
                if (!Database.IsOutage(e))
                    log.LogError(e, "It can't be seen whether keys of streams are still valid; trying again.");
            }
        }
    }

    /// <summary>A key that is taken away opens nothing any more, nor keeps it open.</summary>
    private async Task EndRevokedAsync()
    {
        Guid[] keys;
        lock (_lock)
            keys = [.. _open.Select(stream => stream.Key).OfType<Guid>().Distinct()];
        if (keys.Length == 0)
            return;
        await using var db = await databases.CreateDbContextAsync();
        var now = clock.GetUtcNow();
        var ended = await db.ApiKeys.Where(key => keys.Contains(key.Id) && (key.RevokedAt != null || key.ExpiresAt <= now))
            .Select(key => key.Id).ToListAsync();
        lock (_lock)
            foreach (var stream in _open.Where(stream => stream.Key is { } key && ended.Contains(key)))
                stream.End.CancelAfter(0);
    }

    private void Close(OpenStream stream)
    {
        lock (_lock)
            _open.Remove(stream);
        stream.End.Dispose();
    }

    /// <param name="streams">Among which it is.</param>
    /// <param name="caller">Whose it is; null where access is open.</param>
    /// <param name="end">Ends it.</param>
    private sealed class OpenStream(EventStreams streams, string? caller, CancellationTokenSource end) : IDisposable
    {
        public string? Caller => caller;
        public CancellationTokenSource End => end;

        /// <summary>By which it was opened; null if it wasn't by one of the table.</summary>
        public Guid? Key { get; } = Guid.TryParse(caller, out var key) ? key : null;

        public void Dispose() => streams.Close(this);
    }
}
