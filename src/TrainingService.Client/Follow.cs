using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace TrainingService.Client;

/// <summary>Tells how something is each time that it has changed, until it has ended.</summary>
/// <param name="connection">By which it is asked for.</param>
/// <param name="path">Where it is; its events are at <c>/events</c> below.</param>
/// <param name="kinds">Of events that say something of it; null for all.</param>
/// <param name="hasEnded">Whether nothing more comes.</param>
/// <param name="change">
/// How it is after an event; null if that says nothing of it, or nothing new. All is asked for anew at the end.
/// </param>
internal sealed class Follow<T>(Connection connection, string path, string? kinds, Func<T, bool> hasEnded,
    Func<T, string, JsonElement, T?> change)
    where T : class
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50), Longest = TimeSpan.FromSeconds(1);

    /// <summary>A stream that breaks so often without a word is not tried again.</summary>
    private const int MostBreaks = 3;

    /// <summary>
    /// By the service's events, gone on with where they broke off; by asking again and again where it has none, or they don't arrive.
    /// </summary>
    public async IAsyncEnumerable<T> ChangesAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (value, tag, _) = await connection.LookAsync<T>(path, null, cancellation).ConfigureAwait(false);
        if (value is null)
            throw new JsonException($"There is nothing at {path}.");
        yield return value;
        string? last = null;
        for (var breaks = 0; breaks < MostBreaks && !hasEnded(value); breaks++)
        {
            var stream = await connection.EventsAsync(
                Address.With($"{path}/events", ("types", kinds), ("lastEventId", last)), cancellation).ConfigureAwait(false);
            if (stream is null)
                break;
            await using var open = stream.ConfigureAwait(false);
            var parser = SseParser.Create(stream);
            var events = parser.EnumerateAsync(cancellation).GetAsyncEnumerator(cancellation);
            await using var reading = events.ConfigureAwait(false);
            while (await NextAsync(events).ConfigureAwait(false) is { } next)
            {
                breaks = -1;
                last = parser.LastEventId is { Length: > 0 } id ? id : last;
                if (next.EventType == "done")
                    break;
                if (Changed(value, next) is { } changed)
                    yield return value = changed;
            }
            var (now, seen, _) = await connection.LookAsync<T>(path, tag, cancellation).ConfigureAwait(false);
            tag = seen;
            if (now is not null)
                yield return value = now;
            if (!hasEnded(value))
                await Task.Delay(First, cancellation).ConfigureAwait(false);
        }
        for (var wait = First; !hasEnded(value); wait = TimeSpan.FromTicks(Math.Min((wait * 1.5).Ticks, Longest.Ticks)))
        {
            var (now, seen, again) = await connection.LookAsync<T>(path, tag, cancellation).ConfigureAwait(false);
            tag = seen;
            if (now is not null)
                yield return value = now;
            if (!hasEnded(value))
                await Task.Delay(again < wait ? again.Value : wait, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The last of the changes, each of which is told.</summary>
    public async Task<T> EndAsync(IProgress<T>? progress, CancellationToken cancellation)
    {
        T? last = null;
        await foreach (var change in ChangesAsync(cancellation).ConfigureAwait(false))
        {
            progress?.Report(change);
            last = change;
        }
        return last ?? throw new InvalidOperationException("Nothing was told.");
    }

    private T? Changed(T value, SseItem<string> next)
    {
        using var data = JsonDocument.Parse(next.Data);
        return change(value, next.EventType, data.RootElement);
    }

    /// <summary>Null at the end of the stream, wherever it broke off.</summary>
    private static async ValueTask<SseItem<string>?> NextAsync(IAsyncEnumerator<SseItem<string>> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false) ? events.Current : null;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return null;
        }
    }
}
