using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Jobs;

/// <summary>
/// How many jobs may wait, <c>TRAINING_QUEUE_JOBS</c>: who comes then is told to come later. They are counted once a second at most, so
/// that what comes at once, and the last sweep with all its cells, may be beyond it.
/// </summary>
public sealed class QueueLimit(int most)
{
    private const string Setting = "TRAINING_QUEUE_JOBS";
    private const int Standard = 100_000;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private long _freeUntil;

    public static QueueLimit Read(IConfiguration configuration) =>
        new(configuration.WholeNumber(Setting, Standard, "jobs", least: 1));

    /// <summary>
    /// What the request gets that would add to a queue which is full; null if there is room, or if it repeats one that was answered.
    /// </summary>
    public async Task<IResult?> RefusalAsync(TrainingDbContext db, string? idempotencyKey, CancellationToken cancellation)
    {
        if (Stopwatch.GetTimestamp() < Volatile.Read(ref _freeUntil))
            return null;
        using var all = View.Enter(View.Current with { SeesAll = true });
        var waiting = await db.Jobs.Where(job => job.Status == JobStatus.Queued).Take(most).CountAsync(cancellation);
        if (waiting >= most)
            return await db.IdempotencyKey(idempotencyKey).AnyAsync(cancellation) ? null
                : Problems.TooMany($"{most:N0} jobs wait already, which is as many as may ({Setting}): try again when some have run.");
        Volatile.Write(ref _freeUntil, Stopwatch.GetTimestamp() + (long)(Fresh.TotalSeconds * Stopwatch.Frequency));
        return null;
    }
}

public static class QueueLimitExtensions
{
    /// <summary>The route puts jobs into the queue, but for requests that only ask whether they could.</summary>
    public static RouteHandlerBuilder AddsToQueue(this RouteHandlerBuilder route) => route.Refuses(429)
        .AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            return bool.TryParse(http.Request.Query["validateOnly"], out var only) && only ? await next(context)
                : await http.RequestServices.GetRequiredService<QueueLimit>().RefusalAsync(
                    http.RequestServices.GetRequiredService<TrainingDbContext>(), http.Request.Headers[Idempotency.Header],
                    http.RequestAborted) ?? await next(context);
        });
}
