using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Hosting;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work.</summary>
public static class Health
{
    /// <summary>Of what doesn't notice itself that the database is lost; an answer is due within five seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void AddHealth(this WebApplicationBuilder builder, Role role)
    {
        var checks = builder.Services.AddHealthChecks().AddCheck<DatabaseCheck>("database");
        if (role.RunsWorker)
            checks.AddCheck<Worker.ServerCheck>("worker", timeout: Patience);
        else
            checks.AddCheck<WorkersCheck>("workers");
    }

    public static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false, ResponseWriter = Write }).DisableHttpMetrics().AllowAnonymous();
        app.MapHealthChecks("/health/ready", new() { ResponseWriter = Write }).DisableHttpMetrics().AllowAnonymous();
    }

    /// <summary>What is not healthy is a problem like any other that a client can wait out.</summary>
    private static async Task Write(HttpContext context, HealthReport report)
    {
        var checks = report.Entries.ToDictionary(e => e.Key, e => e.Value.Description ?? "ok");
        if (report.Status is HealthStatus.Unhealthy)
        {
            var problem = Problems.Unavailable(string.Join(' ', report.Entries.Values
                .Where(entry => entry.Status is HealthStatus.Unhealthy).Select(entry => entry.Description)));
            problem.ProblemDetails.Extensions["checks"] = checks;
            throw new ProblemException(problem);
        }
        await context.Response.WriteAsJsonAsync(new { status = report.Status.ToString().ToLowerInvariant(), checks },
            context.RequestAborted);
    }

    private sealed class DatabaseCheck(TrainingDbContext db, DatabasePulse pulse) : IHealthCheck
    {
        // Beyond what work_mem holds it goes to the disk, where nothing is left of it: neither rows nor log.
        private const string Spill = "SELECT count(*) FROM generate_series(1, 20000)";

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            if (pulse.Problem is { } known)
                return HealthCheckResult.Unhealthy(known);
            try
            {
                if (await Database.SchemaProblem(db, cancellationToken) is { } problem)
                    return HealthCheckResult.Unhealthy(problem);
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                await db.Database.ExecuteSqlAsync($"SET LOCAL work_mem = '64kB'", cancellationToken);
                await db.Database.ExecuteSqlRawAsync(Spill, cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception e) when (Database.IsOutage(e))
            {
                pulse.Note(e);
                return HealthCheckResult.Unhealthy(pulse.Problem ?? DatabasePulse.Away);
            }
        }
    }
}
