using Microsoft.Extensions.Diagnostics.HealthChecks;
using TrainingService.Host.Data;

namespace TrainingService.Host.Hosting;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work.</summary>
public static class Health
{
    public static void AddHealth(this WebApplicationBuilder builder, Role role)
    {
        var checks = builder.Services.AddHealthChecks().AddCheck<DatabaseCheck>("database");
        if (role.RunsWorker)
            checks.AddCheck<Worker.ServerCheck>("worker");
    }

    public static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false, ResponseWriter = Write });
        app.MapHealthChecks("/health/ready", new() { ResponseWriter = Write });
    }

    private static Task Write(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(
        new
        {
            status = report.Status.ToString().ToLowerInvariant(),
            checks = report.Entries.ToDictionary(e => e.Key, e => e.Value.Description ?? "ok"),
        },
        context.RequestAborted);

    private sealed class DatabaseCheck(TrainingDbContext db) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                return await Database.SchemaProblem(db, cancellationToken) is { } problem
                    ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy();
            }
            catch (Exception e) when (Database.IsOutage(e))
            {
                return HealthCheckResult.Unhealthy("Postgres does not answer.");
            }
        }
    }
}
