using System.Threading.Channels;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Access;

/// <summary>
/// Writes down each request that may change something, once its answer is known. Nobody waits for it: entries are stored together, as fast
/// as Postgres takes them, and those that wait when the process is told to stop are stored before it ends.
/// </summary>
public sealed class AuditLog(IDbContextFactory<TrainingDbContext> databases, TimeProvider clock, ILogger<AuditLog> log) : BackgroundService
{
    private const int Most = 100_000, Batch = 1000, LongestTarget = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), PatienceAtEnd = TimeSpan.FromSeconds(10);

    private readonly Channel<AuditEntry> _waiting = Channel.CreateUnbounded<AuditEntry>();

    /// <summary>Of callers who are known: what others ask for is refused before it can change anything.</summary>
    public void Add(HttpContext http)
    {
        // A failure takes the endpoint away, and has kept it.
        var failure = http.Features.Get<IExceptionHandlerFeature>();
        if (ScopeRule.IsReading(http.Request) || http.Features.Get<ChangesNothing>() is not null || Caller.ScopeOf(http.User) is null
            || (failure?.Endpoint ?? http.GetEndpoint()) is not RouteEndpoint route
            || route.Metadata.GetMetadata<ChangesNothing>() is not null)
            return;
        if (_waiting.Reader.Count >= Most)
        {
            log.LogError("{Method} {Path} is not in the audit: {Most} entries wait.", http.Request.Method, http.Request.Path, Most);
            return;
        }
        var (values, now) = (failure?.RouteValues ?? http.Request.RouteValues, clock.GetUtcNow());
        var key = Caller.KeyOf(http.User);
        var target = (values["id"] ?? values["name"] ?? values["path"]) as string;
        _waiting.Writer.TryWrite(new()
        {
            Id = Guid.CreateVersion7(now),
            At = now,
            Owner = Caller.OwnerOf(http.User) ?? "",
            KeyId = Guid.TryParse(key, out var id) ? id : null,
            KeyName = Caller.KeyNameOf(http.User) ?? key,
            Method = http.Request.Method,
            Route = (route.RoutePattern.RawText ?? "").Replace(":guid", "", StringComparison.Ordinal).TrimEnd('/'),
            Target = Clean(target),
            Made = Clean(http.Response.Headers.Location),
            Status = http.RequestAborted.IsCancellationRequested && !http.Response.HasStarted
                ? StatusCodes.Status499ClientClosedRequest : http.Response.StatusCode,
            Address = http.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4().ToString()
                : http.Connection.RemoteIpAddress?.ToString(),
        });
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            var entries = new List<AuditEntry>();
            while (entries.Count < Batch && _waiting.Reader.TryRead(out var entry))
                entries.Add(entry);
            await StoreAsync(entries, stoppingToken);
        }
    }

    /// <summary>However long it takes, but at the process' end.</summary>
    private async Task StoreAsync(List<AuditEntry> entries, CancellationToken stopping)
    {
        long? stopped = null;
        while (true)
            try
            {
                await using var db = await databases.CreateDbContextAsync(CancellationToken.None);
                await db.CopyAsync(entries, CancellationToken.None);
                return;
            }
            catch (Exception e)
            {
                stopped ??= stopping.IsCancellationRequested ? clock.GetTimestamp() : null;
                if (!Database.IsOutage(e) || (stopped is { } since && clock.GetElapsedTime(since) > PatienceAtEnd))
                {
                    log.LogError(e, "{Count} entries of the audit are lost.", entries.Count);
                    return;
                }
                await Task.Delay(Pause, CancellationToken.None);
            }
    }

    /// <summary>As much of what a caller wrote as is of use, and as Postgres takes.</summary>
    private static string? Clean(string? text) => text is null ? null
        : string.Concat(text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(LongestTarget));
}

/// <summary>Of an endpoint or a request: that it only looks, whatever its method, and so is in no audit.</summary>
public sealed record ChangesNothing;
