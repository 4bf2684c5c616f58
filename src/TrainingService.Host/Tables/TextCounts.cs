using System.Diagnostics.CodeAnalysis;

namespace TrainingService.Host.Tables;

/// <summary>Memory that all columns together may use for their values.</summary>
public sealed class TextBudget(long bytes)
{
    private long _left = bytes;

    public bool Take(int length) => (_left -= length + 80) >= 0;

    public void GiveBack(long length) => _left += length;
}

/// <summary>Different values of a column and how often each occurs, up to so many of them.</summary>
/// <param name="most">With more, none is kept.</param>
/// <param name="budget">Shared by all columns.</param>
public sealed class TextCounts(int most, TextBudget budget)
{
    /// <summary>Of a value's text in bytes: what is longer is no value but prose.</summary>
    public const int LongestText = 200;

    private Dictionary<byte[], long>? _counts = new(TextComparer.Instance);
    private long _bytes;

    /// <summary>Null where there were too many.</summary>
    [SuppressMessage("Performance", "CA1859", Justification = "read-only outside")]
    public IReadOnlyDictionary<byte[], long>? Counts => _counts;

    public void Add(ReadOnlySpan<byte> text)
    {
        if (_counts is null)
            return;
        var byText = _counts.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (byText.TryGetValue(text, out var count))
        {
            byText[text] = count + 1;
            return;
        }
        if (_counts.Count == most || text.Length > LongestText || !budget.Take(text.Length))
        {
            budget.GiveBack(_bytes);
            _counts = null;
            return;
        }
        _bytes += text.Length + 80;
        byText[text] = 1;
    }
}

/// <summary>UTF-8 text as a key.</summary>
public sealed class TextComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static TextComparer Instance { get; } = new();

    // Not to be guessed, so that nobody can choose texts that collide.
    private static readonly ulong Seed = (ulong)Random.Shared.NextInt64();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(byte[] text) => GetHashCode(text.AsSpan());

    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)TextHash.Of(alternate, Seed);

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
