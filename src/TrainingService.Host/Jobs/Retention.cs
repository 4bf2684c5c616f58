using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Jobs;

/// <summary>How long what has ended is kept; null for ever.</summary>
/// <param name="Metrics">Measurements: metrics, layers, units, <c>TRAINING_METRICS_DAYS</c>.</param>
/// <param name="Checkpoints">From which a job can be cloned, <c>TRAINING_CHECKPOINTS_DAYS</c>.</param>
/// <param name="Jobs">Jobs and sweeps with all that is theirs, <c>TRAINING_JOBS_DAYS</c>.</param>
/// <param name="Audit">Who changed what, <c>TRAINING_AUDIT_DAYS</c>.</param>
/// <param name="Webhooks">Who was told of what ended, <c>TRAINING_WEBHOOKS_DAYS</c>.</param>
public sealed record RetentionLimits(TimeSpan? Metrics, TimeSpan? Checkpoints, TimeSpan? Jobs, TimeSpan? Audit = null,
    TimeSpan? Webhooks = null)
{
    private const int AuditDays = 365, WebhooksDays = 30;

    public static RetentionLimits Read(IConfiguration configuration)
    {
        return new(Days("TRAINING_METRICS_DAYS"), Days("TRAINING_CHECKPOINTS_DAYS"), Days("TRAINING_JOBS_DAYS"),
            Days("TRAINING_AUDIT_DAYS", TimeSpan.FromDays(AuditDays)), Days("TRAINING_WEBHOOKS_DAYS", TimeSpan.FromDays(WebhooksDays)));

        TimeSpan? Days(string name, TimeSpan? otherwise = null) => configuration[name] switch
        {
            null or "" => otherwise,
            var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= 36_500 =>
                value == 0 ? null : TimeSpan.FromDays(value),
            var text => throw new StartRefusedException($"{name} must be a whole number of days from 0 (never) to 36500, not '{text}'."),
        };
    }
}

/// <summary>What was taken away.</summary>
/// <param name="Metrics">Rows of measurements.</param>
/// <param name="Checkpoints">Checkpoints.</param>
/// <param name="Jobs">Jobs, those of sweeps among them.</param>
/// <param name="Sweeps">Sweeps.</param>
/// <param name="Keys">Idempotency keys.</param>
/// <param name="Audit">Entries of the audit.</param>
/// <param name="Webhooks">Deliveries of webhooks.</param>
public readonly record struct Expired(long Metrics, long Checkpoints, long Jobs, long Sweeps, long Keys = 0, long Audit = 0,
    long Webhooks = 0);

/// <summary>
/// Takes away what is older than it is to be kept, by one process at a time and a few jobs at a time, so that no row is locked for long.
/// Jobs that a registered model points to stay, and so does the sweep of such a job.
/// </summary>
public sealed class Retention(IDbContextFactory<TrainingDbContext> databases, RetentionLimits limits, TimeProvider clock,
    ILogger<Retention> log) : BackgroundService
{
    private const int Batch = 50, Many = 1000;

    /// <summary>Any number, as long as it is ours alone.</summary>
    private const long Lock = 0x7261_696E_5265_7401;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>Once; nothing if another process is at it.</summary>
    public static async Task<Expired> RunAsync(TrainingDbContext db, RetentionLimits limits, DateTimeOffset now,
        CancellationToken cancellation)
    {
        await db.Database.OpenConnectionAsync(cancellation);
        try
        {
            if (!await db.Database.SqlQuery<bool>($"""SELECT pg_try_advisory_lock({Lock}) AS "Value" """).SingleAsync(cancellation))
                return default;
            try
            {
                var (jobs, sweeps) = limits.Jobs is { } age ? await JobsAsync(db, now - age, cancellation) : default;
                return new(limits.Metrics is { } metrics ? await MetricsAsync(db, now - metrics, cancellation) : 0,
                    limits.Checkpoints is { } checkpoints ? await CheckpointsAsync(db, now - checkpoints, cancellation) : 0, jobs, sweeps,
                    await KeysAsync(db, now - Idempotency.Kept, cancellation),
                    limits.Audit is { } audit ? await AuditAsync(db, now - audit, cancellation) : 0,
                    limits.Webhooks is { } webhooks ? await WebhooksAsync(db, now - webhooks, cancellation) : 0);
            }
            finally
            {
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({Lock})", CancellationToken.None);
            }
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            try
            {
                await using var db = await databases.CreateDbContextAsync(stoppingToken);
                if (await RunAsync(db, limits, clock.GetUtcNow(), stoppingToken) is var gone && gone != default)
                    log.LogInformation("Expired: {Expired}.", gone);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogError(Database.IsOutage(e) ? null : e, "Taking away what has expired failed ({Message}); trying again.",
                    e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>All of a job that ended before a time has an id from before it.</summary>
    private static Guid Bound(DateTimeOffset before) => Guid.CreateVersion7(before);

    private static async Task<(long Jobs, long Sweeps)> JobsAsync(TrainingDbContext db, DateTimeOffset before,
        CancellationToken cancellation)
    {
        var jobs = await UntilNoneAsync(() => db.Database.ExecuteSqlAsync($"""
            DELETE FROM jobs WHERE id IN (
                SELECT id FROM jobs WHERE id < {Bound(before)} AND finished_at < {before} AND sweep_id IS NULL
                    AND NOT EXISTS (SELECT FROM model_versions version WHERE version.job_id = jobs.id)
                    AND NOT EXISTS (SELECT FROM sweeps WHERE sweeps.best_job_id = jobs.id)
                ORDER BY id LIMIT {Batch} FOR UPDATE SKIP LOCKED)
            """, cancellation));
        long sweeps = 0;
        // A sweep's cells first, some at a time, and then itself; one that is interrupted goes on the next time.
        while (await db.Database.SqlQuery<Guid?>($"""
            SELECT (SELECT id FROM sweeps WHERE finished_at < {before} AND NOT EXISTS (
                SELECT FROM model_versions version JOIN jobs ON jobs.id = version.job_id
                WHERE jobs.sweep_id = sweeps.id OR jobs.id = sweeps.best_job_id)
                ORDER BY id LIMIT 1) AS "Value"
            """).SingleAsync(cancellation) is { } sweep)
        {
            jobs += await UntilNoneAsync(() => db.Database.ExecuteSqlAsync($"""
                DELETE FROM jobs WHERE id IN (
                    SELECT id FROM jobs WHERE sweep_id = {sweep} AND finished_at IS NOT NULL
                    ORDER BY id LIMIT {Batch} FOR UPDATE SKIP LOCKED)
                """, cancellation));
            sweeps += await db.Database.ExecuteSqlAsync($"DELETE FROM sweeps WHERE id = {sweep}", cancellation);
        }
        return (jobs, sweeps);
    }

    private static async Task<long> MetricsAsync(TrainingDbContext db, DateTimeOffset before, CancellationToken cancellation)
    {
        var (rows, after, bound) = (0L, Guid.Empty, Bound(before));
        while (true)
        {
            var ids = await db.Jobs.Where(job => job.Id > after && job.Id < bound && job.FinishedAt < before).OrderBy(job => job.Id)
                .Select(job => job.Id).Take(Batch).ToArrayAsync(cancellation);
            if (ids is [])
                return rows;
            after = ids[^1];
            await db.Database.ExecuteSqlAsync($"""
                UPDATE jobs SET stored_bytes = 0 FROM (
                    SELECT id FROM jobs WHERE id = ANY ({ids}) AND stored_bytes > 0 ORDER BY id FOR UPDATE) old WHERE jobs.id = old.id
                """, cancellation);
            rows += await db.Database.ExecuteSqlAsync($"DELETE FROM job_metrics WHERE job_id = ANY ({ids})", cancellation)
                + await db.Database.ExecuteSqlAsync($"DELETE FROM job_layers WHERE job_id = ANY ({ids})", cancellation)
                + await db.Database.ExecuteSqlAsync($"DELETE FROM job_units WHERE job_id = ANY ({ids})", cancellation);
        }
    }

    private static Task<long> CheckpointsAsync(TrainingDbContext db, DateTimeOffset before, CancellationToken cancellation) =>
        UntilNoneAsync(() => db.Database.ExecuteSqlAsync($"""
            DELETE FROM checkpoints WHERE (job_id, step) IN (
                SELECT point.job_id, point.step FROM checkpoints point JOIN jobs ON jobs.id = point.job_id
                WHERE jobs.finished_at < {before} ORDER BY 1, 2 LIMIT {Batch})
            """, cancellation));

    private static Task<long> KeysAsync(TrainingDbContext db, DateTimeOffset before, CancellationToken cancellation) =>
        UntilNoneAsync(() => db.Database.ExecuteSqlAsync($"""
            DELETE FROM idempotency_keys WHERE (key, owner) IN (
                SELECT key, owner FROM idempotency_keys WHERE created_at < {before}
                ORDER BY created_at LIMIT {Many} FOR UPDATE SKIP LOCKED)
            """, cancellation));

    private static Task<long> AuditAsync(TrainingDbContext db, DateTimeOffset before, CancellationToken cancellation) =>
        UntilNoneAsync(() => db.Database.ExecuteSqlAsync($"""
            DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < {Bound(before)} ORDER BY id LIMIT {Many})
            """, cancellation));

    private static Task<long> WebhooksAsync(TrainingDbContext db, DateTimeOffset before, CancellationToken cancellation) =>
        UntilNoneAsync(() => db.Database.ExecuteSqlAsync($"""
            DELETE FROM webhook_deliveries WHERE id IN (
                SELECT id FROM webhook_deliveries WHERE id < {Bound(before)} ORDER BY id LIMIT {Many} FOR UPDATE SKIP LOCKED)
            """, cancellation));

    private static async Task<long> UntilNoneAsync(Func<Task<int>> batch)
    {
        long all = 0;
        while (await batch() is > 0 and var some)
            all += some;
        return all;
    }
}
