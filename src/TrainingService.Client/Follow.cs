using System.Runtime.CompilerServices;

namespace TrainingService.Client;

/// <summary>Tells how something is each time that it has changed, until it has ended.</summary>
internal static class Follow
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50), Longest = TimeSpan.FromSeconds(1);

    /// <summary>
    /// By asking again and again: at once, then ever more rarely, up to as often as the service asks for. Unchanged costs a 304.
    /// </summary>
    public static async IAsyncEnumerable<T> ChangesAsync<T>(Connection connection, string path, Func<T, bool> hasEnded,
        [EnumeratorCancellation] CancellationToken cancellation) where T : class
    {
        string? tag = null;
        for (var wait = First; ; wait = TimeSpan.FromTicks(Math.Min((wait * 1.5).Ticks, Longest.Ticks)))
        {
            var (value, seen, again) = await connection.LookAsync<T>(path, tag, cancellation).ConfigureAwait(false);
            tag = seen;
            if (value is not null)
            {
                yield return value;
                if (hasEnded(value))
                    yield break;
            }
            await Task.Delay(again < wait ? again.Value : wait, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The last of the changes, each of which is told.</summary>
    public static async Task<T> EndAsync<T>(this IAsyncEnumerable<T> changes, IProgress<T>? progress, CancellationToken cancellation)
        where T : class
    {
        T? last = null;
        await foreach (var change in changes.WithCancellation(cancellation).ConfigureAwait(false))
        {
            progress?.Report(change);
            last = change;
        }
        return last ?? throw new InvalidOperationException("Nothing was told.");
    }
}
