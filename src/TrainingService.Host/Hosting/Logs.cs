using Microsoft.Extensions.Logging.Console;
using TrainingService.Host.Settings;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Hosting;

/// <summary>What is worth a line, and how it looks; <c>Logging__LogLevel__...</c> in the environment adds to it.</summary>
public static class Logs
{
    private const string Setting = "TRAINING_LOG_FORMAT";

    public static void AddLogs(this WebApplicationBuilder builder)
    {
        ConsoleFormatter format = builder.Configuration[Setting] switch
        {
            null or "" or "text" => new LogLines.Text(),
            "json" => new LogLines.JsonObject(),
            var other => throw new StartRefusedException($"{Setting} must be text or json, not '{other}'."),
        };
        builder.Services.AddSingleton(format);
        builder.Logging.ClearProviders().AddConsole(console => console.FormatterName = format.Name);
        // A host that is refused its start would tell that it shuts down: what the process is and when it ends, RunRole tells.
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        builder.Logging
            .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
            .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
            // What fails throws; EF's error lines would only repeat it, and its first look for a migration history is meant to fail.
            .AddFilter("Microsoft.EntityFrameworkCore.Database", LogLevel.None)
            .AddFilter("Microsoft.EntityFrameworkCore.Query", LogLevel.None)
            .AddFilter("Microsoft.EntityFrameworkCore.Update", LogLevel.None)
            // what is unhealthy is answered, and told as any other 503
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            // What keeps the host from starting is told in one sentence or thrown; this category would add a stack trace.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }
}
