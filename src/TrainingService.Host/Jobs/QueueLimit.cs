using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Jobs;

/// <summary>
/// How many jobs may wait, <c>TRAINING_QUEUE_JOBS</c>, and of one owner, <c>TRAINING_OWNER_QUEUED_JOBS</c>: who comes then is told to come
/// later. They are counted once a second at most, so that what comes at once, and the last sweep with all its cells, may be beyond it.
/// </summary>
public sealed class QueueLimit(int most, int mostOfOne)
{
    private const string Setting = "TRAINING_QUEUE_JOBS", OwnersSetting = "TRAINING_OWNER_QUEUED_JOBS";
    private const int Standard = 100_000, StandardOfOne = 50_000;
    private static readonly long Fresh = Stopwatch.Frequency;

    /// <summary>A full queue is counted anew after so many times as long as that takes: at little cost however many ask.</summary>
    private const int Pause = 10;

    /// <summary>What was counted last, by owner; "" for all together.</summary>
    private readonly ConcurrentDictionary<string, Known> _known = new();

    public static QueueLimit Read(IConfiguration configuration) =>
        new(configuration.WholeNumber(Setting, Standard, "jobs", least: 1),
            configuration.WholeNumber(OwnersSetting, StandardOfOne, "jobs"));

    /// <summary>
    /// What the request gets that would add to a queue which is full; null if there is room, or if it repeats one that was answered.
    /// </summary>
    public async Task<IResult?> RefusalAsync(TrainingDbContext db, string? idempotencyKey, CancellationToken cancellation)
    {
        using var all = View.Enter(View.Current with { SeesAll = true });
        var owner = View.Current.Owner;
        var (queued, full) = (db.Jobs.Where(job => job.Status == JobStatus.Queued), (string?)null);
        if (await IsFullAsync("", queued, most, cancellation))
            full = $"{most:N0} jobs wait already, which is as many as may ({Setting})";
        else if (owner.Length > 0 && mostOfOne > 0
            && await IsFullAsync(owner, queued.Where(job => job.Owner == owner), mostOfOne, cancellation))
            full = $"{mostOfOne:N0} jobs of '{owner}' wait already, which is as many as may of one owner ({OwnersSetting})";
        return full is null || await db.IdempotencyKey(idempotencyKey).AnyAsync(cancellation) ? null
            : Problems.TooMany($"{full}: try again when some have run.");
    }

    private async Task<bool> IsFullAsync(string owner, IQueryable<Job> queued, int limit, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        // one counts, and the others go on meanwhile by what was known
        if (_known.TryGetValue(owner, out var known)
            && (begun < known.Until || !_known.TryUpdate(owner, known with { Until = begun + Fresh }, known)))
            return known.IsFull;
        var isFull = await queued.Take(limit).CountAsync(cancellation) >= limit;
        var now = Stopwatch.GetTimestamp();
        _known[owner] = new(now + (isFull ? Pause * (now - begun) : Fresh), isFull);
        return isFull;
    }

    private readonly record struct Known(long Until, bool IsFull);
}

public static class QueueLimitExtensions
{
    /// <summary>The route puts jobs into the queue, but for requests that only ask whether they could.</summary>
    public static RouteHandlerBuilder AddsToQueue(this RouteHandlerBuilder route) => route.Refuses(429)
        .AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            return http.OnlyValidates() ? await next(context)
                : await http.RequestServices.GetRequiredService<QueueLimit>().RefusalAsync(
                    http.RequestServices.GetRequiredService<TrainingDbContext>(), http.Request.Headers[Idempotency.Header],
                    http.RequestAborted) ?? await next(context);
        });

    /// <summary>Whether nothing is to be stored.</summary>
    public static bool OnlyValidates(this HttpContext http) => bool.TryParse(http.Request.Query["validateOnly"], out var only) && only;
}
