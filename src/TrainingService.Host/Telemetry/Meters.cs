using System.Diagnostics.Metrics;

namespace TrainingService.Host.Telemetry;

/// <summary>What this process counts and times, under the names that Prometheus makes of them: dots become underscores.</summary>
public static class Meters
{
    public const string Name = "TrainingService";

    private static readonly Meter Meter = new(Name);

    /// <summary>What is asked when somebody scrapes; as many values as there are.</summary>
    public static void Observe<T>(string name, string? unit, string description, Func<IEnumerable<Measurement<T>>> values)
        where T : struct =>
        Meter.CreateObservableGauge(name, values, unit, description);

    /// <summary>Of attempts that ended, by the status that they gave the job.</summary>
    public static readonly Histogram<double> RunSeconds = Meter.CreateHistogram("training.run.duration", "s",
        "Time that runs took from their first step to their end, by how the job stands then.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.1, 1, 10, 60, 600, 3600, 36_000] });

    public static readonly Counter<double> Samples =
        Meter.CreateCounter<double>("training.samples", null, "Rows that were trained on, counted once an epoch.");

    public static readonly Counter<long> Takeovers =
        Meter.CreateCounter<long>("training.takeovers", null, "Jobs that were taken back from workers which fell silent.");

    /// <summary>Deliveries that were tried, by whether that was all, is tried again, or failed for good.</summary>
    public static readonly Counter<long> WebhookAttempts =
        Meter.CreateCounter<long>("training.webhook.attempts", null, "Attempts to notify, by outcome: delivered, again or failed.");

    /// <summary>Of the runs that this process trains.</summary>
    public static readonly Lag WriterLag = new();

    static Meters() => Observe<double>("training.writer.lag", "s",
        "How long the run that waits longest has not been able to store what it measured; half a second is usual.",
        () => [new(WriterLag.Seconds)]);
}
