using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>How lists come in pages.</summary>
public static class Paging
{
    public const int Standard = 50, Most = 500;

    /// <summary>Items on a page.</summary>
    public static int Size(int? limit, List<SpecError> errors)
    {
        if (limit < 1)
            errors.Add(new("/limit", $"must be at least 1, not {limit}"));
        return Math.Min(limit ?? Standard, Most);
    }

    /// <summary>
    /// Where a page ends, for clients to hand back as it is: base64url of the list, its order and the key of the last item.
    /// </summary>
    public static string Cursor<TKey>(TKey last, string list, string order = "") where TKey : IParsable<TKey> =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{list} {order} {last}")));

    /// <summary>Whether there is a cursor; one that isn't of this list in this order is an error.</summary>
    public static bool TryRead<TKey>(string? cursor, List<SpecError> errors,
        [NotNullWhen(true)] out TKey? last, string list, string order = "")
        where TKey : IParsable<TKey>
    {
        last = default;
        if (cursor is null)
            return false;
        if (!Base64Url.IsValid(cursor)
            || Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split(' ', 3) is not [var ofList, var inOrder, var key]
            || ofList != list || !TKey.TryParse(key, CultureInfo.InvariantCulture, out last))
            errors.Add(new("/cursor", "not a cursor of this list; take nextCursor of the page before as it is"));
        else if (inOrder != order)
            errors.Add(new("/cursor", "the cursor is of a list in the other order; keep orderBy from page to page"));
        else
            return true;
        return false;
    }
}
