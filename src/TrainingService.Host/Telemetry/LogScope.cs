using System.Collections;

namespace TrainingService.Host.Telemetry;

/// <summary>What the lines of a run belong to: a scope of the log.</summary>
public sealed class LogScope(Guid? job, Guid? sweep, string? trace) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public int Count => 3;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new("Job", job),
        1 => new("Sweep", sweep),
        2 => new("TraceId", trace),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
