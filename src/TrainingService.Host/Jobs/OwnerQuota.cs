using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Jobs;

/// <summary>
/// What one owner may keep: cells of sweeps, <c>TRAINING_OWNER_CELLS</c>, and what jobs measured and learned in megabytes,
/// <c>TRAINING_OWNER_STORED_MB</c>. The last request may go beyond it, since both are counted once a second at most, and no more often than
/// that it takes a twentieth of the time.
/// </summary>
public sealed class OwnerQuota(int cells, int megabytes)
{
    private const string CellsSetting = "TRAINING_OWNER_CELLS", StoredSetting = "TRAINING_OWNER_STORED_MB";
    private const int StandardCells = 500_000, StandardMegabytes = 100_000;
    private const int Seldom = 20;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    /// <summary>Until when there is known to be room, by owner.</summary>
    private readonly ConcurrentDictionary<string, long> _freeUntil = new();

    public static OwnerQuota Read(IConfiguration configuration) =>
        new(configuration.WholeNumber(CellsSetting, StandardCells, "cells"),
            configuration.WholeNumber(StoredSetting, StandardMegabytes, "megabytes"));

    /// <summary>
    /// What the caller gets who has no room left; null if there is some, if they are nobody, or if the request repeats one that was
    /// answered.
    /// </summary>
    public async Task<IResult?> RefusalAsync(TrainingDbContext db, bool addsCells, string? idempotencyKey, CancellationToken cancellation)
    {
        var (owner, begun) = (View.Current.Owner, Stopwatch.GetTimestamp());
        if (owner.Length == 0 || begun < _freeUntil.GetValueOrDefault(owner))
            return null;
        // Of jobs the index alone is read; equal weights of several jobs are stored once.
        var kept = await db.Database.SqlQuery<Kept>($"""
            SELECT count(sweep_id)::bigint AS cells, coalesce(sum(stored_bytes), 0)::bigint AS measured, (
                SELECT coalesce(sum(stored_bytes), 0) FROM weights WHERE sha256 IN (
                    SELECT sha256 FROM job_models JOIN jobs ON jobs.id = job_models.job_id
                    WHERE owner = {owner} AND owner <> ''))::bigint AS nets
            FROM jobs WHERE owner = {owner} AND owner <> ''
            """).SingleAsync(cancellation);
        var (hasCells, hasBytes) = (cells > 0 && kept.Cells >= cells, megabytes > 0 && kept.Bytes >= megabytes * 1_000_000L);
        if (!hasCells && !hasBytes)
        {
            var now = Stopwatch.GetTimestamp();
            _freeUntil[owner] = now + Math.Max((long)(Fresh.TotalSeconds * Stopwatch.Frequency), Seldom * (now - begun));
            return null;
        }
        var full = hasBytes ? string.Create(CultureInfo.InvariantCulture,
                $"What jobs of '{owner}' measured and learned takes {kept.Bytes / 1e6:N1} MB, as estimated, and {megabytes:N0} MB is as ")
                + $"much as that of one owner may ({StoredSetting})"
            : addsCells ? string.Create(CultureInfo.InvariantCulture,
                $"The sweeps of '{owner}' have {kept.Cells:N0} cells, and {cells:N0} are as many as those of one owner may ")
                + $"({CellsSetting})"
            : null;
        return full is null || await db.IdempotencyKey(idempotencyKey).AnyAsync(cancellation) ? null
            : Problems.Conflict($"{full}: submit it when some were deleted.");
    }

    private sealed record Kept(long Cells, long Measured, long Nets)
    {
        public long Bytes => Measured + Nets;
    }
}

public static class OwnerQuotaExtensions
{
    /// <summary>The route stores new jobs and puts them into the queue, but for requests that only ask whether they could.</summary>
    /// <param name="route">The route.</param>
    /// <param name="cells">Whether they are cells of a sweep.</param>
    public static RouteHandlerBuilder AddsJobs(this RouteHandlerBuilder route, bool cells = false) =>
        route.AddsToQueue().AddEndpointFilter(async (context, next) =>
        {
            var (http, services) = (context.HttpContext, context.HttpContext.RequestServices);
            return http.OnlyValidates() ? await next(context)
                : await services.GetRequiredService<OwnerQuota>().RefusalAsync(services.GetRequiredService<TrainingDbContext>(), cells,
                    http.Request.Headers[Idempotency.Header], http.RequestAborted) ?? await next(context);
        });
}
