using System.Diagnostics;

namespace TrainingService.Host.Telemetry;

/// <summary>
/// From the request that asked for a job through the queue to its run and epochs: one trace, whose thread is stored with the job as W3C
/// <c>traceparent</c>. Where nobody collects traces it is still what lines of the log have in common.
/// </summary>
public static class Traces
{
    public const string Source = "TrainingService";

    private static readonly ActivitySource Activities = new(Source);

    /// <summary>What is to be stored with that which a request asks for; null outside of requests.</summary>
    public static string? Parent => Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: var id } ? id : null;

    /// <summary>The trace that a <c>traceparent</c> is of.</summary>
    public static string? IdOf(string? parent) => ContextOf(parent)?.TraceId.ToHexString();

    /// <summary>Begins a part of the trace, of which others of the same thread are parts then. Null where nobody collects it.</summary>
    public static Activity? Begin(string name, string? parent, ActivityKind kind) =>
        Activities.HasListeners() && ContextOf(parent) is { } context ? Activities.StartActivity(name, kind, context) : null;

    /// <summary>That something waited from the creation of what has this id until now.</summary>
    public static void TellWait(string name, string? parent, Guid id)
    {
        if (Activities.HasListeners() && ContextOf(parent) is { } context)
            Tell(name, context, CreationOf(id), DateTimeOffset.UtcNow);
    }

    /// <summary>A part that is over.</summary>
    public static void Tell(string name, ActivityContext parent, DateTimeOffset began, DateTimeOffset ended,
        params ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        using var told = Activities.StartActivity(name, ActivityKind.Internal, parent, startTime: began);
        foreach (var (key, value) in tags)
            told?.SetTag(key, value);
        told?.SetEndTime(ended.UtcDateTime);
    }

    private static ActivityContext? ContextOf(string? parent) =>
        ActivityContext.TryParse(parent, null, isRemote: true, out var context) ? context : null;

    /// <summary>Ids begin with the milliseconds of their making (UUID version 7).</summary>
    private static DateTimeOffset CreationOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateTimeOffset.FromUnixTimeMilliseconds(((long)bytes[0] << 40) | ((long)bytes[1] << 32) | ((long)bytes[2] << 24)
            | ((long)bytes[3] << 16) | ((long)bytes[4] << 8) | bytes[5]);
    }
}
