namespace TrainingService.Host.Hosting;

/// <summary>What is worth a line; <c>Logging__LogLevel__...</c> in the environment adds to it.</summary>
public static class Logs
{
    public static void AddLogs(this WebApplicationBuilder builder) => builder.Logging
        .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
        .AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning)
        // What fails throws; EF's error lines would only repeat it, and its first look for a migration history is meant to fail.
        .AddFilter("Microsoft.EntityFrameworkCore.Database", LogLevel.None)
        .AddFilter("Microsoft.EntityFrameworkCore.Query", LogLevel.None)
        // What keeps the host from starting is told in one sentence or thrown; this category would add a stack trace.
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
}
