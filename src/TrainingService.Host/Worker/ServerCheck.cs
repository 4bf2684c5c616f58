using Hangfire;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace TrainingService.Host.Worker;

/// <summary>Whether this process' Hangfire server is known to the others, so takes jobs.</summary>
public sealed class ServerCheck(JobStorage storage, WorkerOptions options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.Run(() =>
    {
        try
        {
            // Hangfire appends an id of its own to the server's name.
            var server = storage.GetMonitoringApi().Servers().FirstOrDefault(s => s.Name.StartsWith(options.Owner, StringComparison.Ordinal));
            return server?.Heartbeat > DateTime.UtcNow.AddMinutes(-1)
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The job server of this process has no recent heartbeat.");
        }
        catch (Npgsql.NpgsqlException)
        {
            return HealthCheckResult.Unhealthy("Postgres does not answer.");
        }
    }, cancellationToken);
}
