using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>Texts that stand for a value that is missing.</summary>
public static class MissingText
{
    /// <summary>In every column.</summary>
    public static IReadOnlyList<string> Always { get; } = ["", "?", "NA", "N/A", "#N/A", "NaN", "null", "\\N", "<NA>"];

    /// <summary>Only among numbers, dates and the like: as a text they may be a value.</summary>
    public static IReadOnlyList<string> AmongNumbers { get; } = ["none", "nil", "-", "--", ".", "n.a.", "missing", "unknown"];

    /// <param name="text">Without blanks around it; case does not matter.</param>
    public static bool IsAlways(ReadOnlySpan<byte> text) => text.Length <= 4 && text.Length switch
    {
        0 => true,
        1 => text[0] == '?',
        2 => Ascii.EqualsIgnoreCase(text, "na"u8) || text.SequenceEqual("\\N"u8),
        3 => Ascii.EqualsIgnoreCase(text, "nan"u8) || Ascii.EqualsIgnoreCase(text, "n/a"u8),
        _ => Ascii.EqualsIgnoreCase(text, "null"u8) || Ascii.EqualsIgnoreCase(text, "#n/a"u8)
            || Ascii.EqualsIgnoreCase(text, "<na>"u8),
    };

    /// <param name="text">Without blanks around it; case does not matter.</param>
    public static bool IsAmongNumbers(ReadOnlySpan<byte> text)
    {
        if (text.Length > 7)
            return false;
        foreach (var word in AmongNumbers)
            if (word.Length == text.Length && Ascii.EqualsIgnoreCase(text, word))
                return true;
        return false;
    }
}
