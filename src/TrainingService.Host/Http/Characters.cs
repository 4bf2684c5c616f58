using System.Globalization;

namespace TrainingService.Host.Http;

/// <summary>
/// Lengths of text, counted as JSON Schema's maxLength does it: in Unicode code points, of which an emoji may be
/// one and UTF-16 needs two for it.
/// </summary>
public static class Characters
{
    /// <summary>Code points of the text.</summary>
    public static int Count(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
            count++;
        return count;
    }

    /// <summary>Whether the text has more code points than that; reads no further than needed.</summary>
    public static bool Exceeds(string text, int most) => text.Length > most && text.EnumerateRunes().Skip(most).Any();

    /// <summary>
    /// The beginning of the text, at most <paramref name="most"/> code points of it. What is read as one character (a letter with its
    /// accents, a joined emoji) stays whole or goes, unless it alone is longer.
    /// </summary>
    public static string Cut(string text, int most)
    {
        if (!Exceeds(text, most))
            return text;
        int kept = 0, count = 0;
        while (kept < text.Length)
        {
            var element = text.AsSpan(kept, StringInfo.GetNextTextElementLength(text, kept));
            foreach (var _ in element.EnumerateRunes())
                count++;
            if (count > most)
                break;
            kept += element.Length;
        }
        return kept > 0 ? text[..kept] : string.Concat(text.EnumerateRunes().Take(most));
    }

    /// <summary>The text, or its beginning with "..." behind it.</summary>
    public static string Shorten(string text, int most) => Exceeds(text, most) ? $"{Cut(text, most)}..." : text;
}
