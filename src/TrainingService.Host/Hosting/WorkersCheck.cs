using Microsoft.Extensions.Diagnostics.HealthChecks;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Hosting;

/// <summary>Whether there is anyone who trains what this process accepts; without, it is ready all the same.</summary>
internal sealed class WorkersCheck(TrainingDbContext db) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return await QueuePositions.WorkersAsync(db, cancellationToken) > 0 ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded("No worker is running: jobs are accepted and wait until one is started.");
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            return HealthCheckResult.Unhealthy(DatabasePulse.Away);
        }
    }
}
