using System.Globalization;

namespace TrainingService.Host.Events;

/// <summary>
/// Which transactions a look at the tables saw, as Postgres writes it (<c>pg_snapshot</c>). Numbers of transactions tell nothing of the
/// order in which they were committed; by this alone what was told can be told from what was not.
/// </summary>
/// <param name="Least">All before it have ended.</param>
/// <param name="Next">None from here on had begun.</param>
/// <param name="Open">Those in between that had not ended.</param>
public sealed record Snapshot(ulong Least, ulong Next, IReadOnlyList<ulong> Open)
{
    /// <summary>Before all.</summary>
    public static readonly Snapshot None = new(1, 1, []);

    public bool Sees(ulong transaction) => transaction < Least || (transaction < Next && !Open.Contains(transaction));

    /// <summary>Whether it was taken later than another, or at the same time.</summary>
    public bool IsSince(Snapshot other) => Next > other.Next || (Next == other.Next && Open.All(other.Open.Contains));

    /// <summary>Null of what Postgres would not take for one.</summary>
    public static Snapshot? Read(string text)
    {
        var open = new List<ulong>();
        if (text.Split(':') is not [var least, var next, var between] || Number(least) is not (>= 1 and var from)
            || Number(next) is not { } to || to < from)
            return null;
        foreach (var part in between.Split(',', StringSplitOptions.RemoveEmptyEntries))
            if (Number(part) is { } number && number >= from && number < to && (open.Count == 0 || number > open[^1]))
                open.Add(number);
            else
                return null;
        return new(from, to, open);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Least}:{Next}:{string.Join(',', Open)}");

    private static ulong? Number(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>What changes by transactions, and is told in their order.</summary>
public interface IChanged
{
    /// <summary>By which it came to what it is.</summary>
    ulong Transaction { get; }

    /// <summary>Sets it apart from others.</summary>
    string Key { get; }
}

/// <summary>
/// What a reader was told of cells or the like: all that <see cref="Seen"/> saw; and where it is in the middle of what
/// <see cref="Reading"/> saw beyond that, up to <see cref="Last"/>, by transaction and key.
/// </summary>
public sealed record Place(Snapshot Seen, Snapshot? Reading = null, (ulong Transaction, string Key) Last = default)
{
    public static readonly Place Start = new(Snapshot.None);

    /// <summary>What of these wasn't told yet, in the order in which it is to be told, each with the place after it.</summary>
    /// <param name="now">What the look saw that found them.</param>
    /// <param name="all">What it found, or at least all that wasn't told yet.</param>
    public IEnumerable<(T Changed, Place After)> Missing<T>(Snapshot now, IReadOnlyCollection<T> all) where T : IChanged
    {
        var place = this;
        if (Reading is { } reading)
        {
            foreach (var cell in Ordered(all.Where(each => !Seen.Sees(each.Transaction) && reading.Sees(each.Transaction)
                && IsAfter(each, Last))))
                yield return (cell, this with { Last = (cell.Transaction, cell.Key) });
            place = new(reading);
        }
        var rest = Ordered(all.Where(each => !place.Seen.Sees(each.Transaction))).ToList();
        foreach (var (i, cell) in rest.Index())
            yield return (cell, i == rest.Count - 1 ? new(now) : place with { Reading = now, Last = (cell.Transaction, cell.Key) });
    }

    public override string ToString() => Reading is null ? $"{Seen}" : $"{Seen};{Reading};{Last.Transaction};{Last.Key}";

    public static Place? Read(string text) => text.Split(';') switch
    {
        [var seen] => Snapshot.Read(seen) is { } whole ? new(whole) : null,
        [var seen, var reading, var transaction, var key] => Snapshot.Read(seen) is { } before && Snapshot.Read(reading) is { } after
            && ulong.TryParse(transaction, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(before, after, (number, key)) : null,
        _ => null,
    };

    private static bool IsAfter<T>(T cell, (ulong Transaction, string Key) last) where T : IChanged => cell.Transaction > last.Transaction
        || (cell.Transaction == last.Transaction && string.CompareOrdinal(cell.Key, last.Key) > 0);

    private static IEnumerable<T> Ordered<T>(IEnumerable<T> cells) where T : IChanged =>
        cells.OrderBy(cell => cell.Transaction).ThenBy(cell => cell.Key, StringComparer.Ordinal);
}
