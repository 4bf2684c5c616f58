using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

/// <summary>Retires weights that are too old, and the oldest where all take too much. What a registered model points to stays.</summary>
public sealed class WeightRetention(IDbContextFactory<TrainingDbContext> databases, ModelLimits limits, TimeProvider clock,
    ILogger<WeightRetention> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>Once; answers how many jobs' weights were retired.</summary>
    public static async Task<int> RetireAsync(TrainingDbContext db, ModelLimits limits, DateTimeOffset now, CancellationToken cancellation)
    {
        var retired = 0;
        if (limits.Age is { } age)
        {
            var reason = $"Its weights were retired, being older than {age.TotalDays:N0} days ({ModelLimits.AgeSetting}).";
            retired += await db.Database.ExecuteSqlAsync($"""
                UPDATE job_models SET sha256 = NULL, retired_at = {now}, retired_reason = {reason}
                WHERE sha256 IS NOT NULL AND stored_at < {now - age}
                    AND NOT EXISTS (SELECT FROM model_versions version WHERE version.job_id = job_models.job_id)
                """, cancellation);
        }
        var full = $"Its weights were retired, being the oldest where all took more than {limits.TotalBytes / 1e6:N0} MB "
            + $"({ModelLimits.TotalSetting}).";
        // Newest first, weights that several jobs have being as new as the newest of these: what lies beyond the limit goes.
        retired += await db.Database.ExecuteSqlAsync($"""
            WITH kept AS (
                SELECT sha256, sum(stored_bytes) OVER (ORDER BY held DESC, newest DESC, sha256) AS total, held FROM (
                    SELECT weights.sha256, weights.stored_bytes, max(model.stored_at) AS newest, bool_or(EXISTS (
                        SELECT FROM model_versions version WHERE version.job_id = model.job_id)) AS held
                    FROM weights JOIN job_models model USING (sha256) GROUP BY weights.sha256, weights.stored_bytes) each)
            UPDATE job_models SET sha256 = NULL, retired_at = {now}, retired_reason = {full}
            FROM kept WHERE job_models.sha256 = kept.sha256 AND kept.total > {limits.TotalBytes} AND NOT kept.held
            """, cancellation);
        return retired;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            try
            {
                await using var db = await databases.CreateDbContextAsync(stoppingToken);
                if (await RetireAsync(db, limits, clock.GetUtcNow(), stoppingToken) is > 0 and var count)
                    log.LogInformation("The weights of {Count} jobs were retired.", count);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogError(Database.IsOutage(e) ? null : e, "Retiring weights failed ({Message}); trying again.",
                    e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
