using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Hosting;

/// <summary>
/// Metrics for Prometheus on <c>/metrics</c>, and metrics and traces by OTLP to where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says; its other
/// settings (<c>OTEL_...</c>) are those of OpenTelemetry. Without it no trace is collected, which then costs nothing.
/// </summary>
public static class Observability
{
    public const string MetricsPath = "/metrics";

    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Of a measure's tags; requests alone have more. Memory is held for as many as may be.</summary>
    private const int Combinations = 100;

    public static void AddObservability(this WebApplicationBuilder builder, Role role)
    {
        var exports = builder.Configuration[Endpoint] is { Length: > 0 };
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .AddService("training-service", serviceVersion: EngineInfo.Version)
                .AddAttributes([new("training.role", role.Name)])
                .AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Meters.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql",
                        "System.Runtime")
                    .AddView(instrument => instrument.Name == "http.server.request.duration" ? null
                        : new() { CardinalityLimit = Combinations })
                    .AddPrometheusExporter();
                if (exports)
                    metrics.AddOtlpExporter();
            });
        if (exports)
            telemetry.WithTracing(traces => traces
                .AddSource(Traces.Source)
                .AddAspNetCoreInstrumentation(requests => requests.Filter = http => !IsProbe(http.Request.Path))
                .AddOtlpExporter());
        builder.Services.AddSingleton<QueueGauges>();
    }

    public static void MapMetricsEndpoint(this WebApplication app)
    {
        app.Services.GetRequiredService<QueueGauges>().Observe();
        app.MapPrometheusScrapingEndpoint(MetricsPath).DisableHttpMetrics();
    }

    private static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments(MetricsPath);
}
