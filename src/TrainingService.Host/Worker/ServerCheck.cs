using Hangfire;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>
/// Whether this process takes jobs: its Hangfire server is known to the others, and while jobs wait its slots don't stay free.
/// </summary>
public sealed class ServerCheck(TrainingDbContext db, JobStorage storage,
    WorkerOptions options, Slots slots, TimeProvider clock) : IHealthCheck
{
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            // Hangfire appends an id of its own to the server's name. It waits for Postgres where nobody can stop it.
            var server = await Task.Run(
                () => storage.GetMonitoringApi().Servers().FirstOrDefault(s => s.Name.StartsWith(options.Owner, StringComparison.Ordinal)),
                cancellationToken).WaitAsync(cancellationToken);
            if (server?.Heartbeat is not { } beat || clock.GetUtcNow().UtcDateTime - beat > Recent)
                return HealthCheckResult.Unhealthy("The job server of this process has no recent heartbeat.");
            // whoever asks, it is of all jobs
            using var all = View.Enter(View.Everything);
            var jobsWait = await Lease.WaitsAsync(db, slots.Room, options, cancellationToken);
            return slots.FindStall(jobsWait) is { } stall ? HealthCheckResult.Unhealthy(stall) : HealthCheckResult.Healthy();
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            return HealthCheckResult.Unhealthy("Postgres does not answer.");
        }
    }
}
