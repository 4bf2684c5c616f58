using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>How a file's text is encoded.</summary>
public static class TextEncoding
{
    public const string Utf8 = "utf-8", Utf16 = "utf-16", Utf16BigEndian = "utf-16be", Latin1 = "windows-1252";

    public static IReadOnlyList<string> Names { get; } = [Utf8, Utf16, Utf16BigEndian, Latin1];

    static TextEncoding() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>By name; iso-8859-1 and latin1 are taken for its superset windows-1252.</summary>
    public static string? Canonical(string name) => name.ToLowerInvariant() switch
    {
        "utf-8" or "utf8" => Utf8,
        "utf-16" or "utf16" or "utf-16le" or "unicode" => Utf16,
        "utf-16be" => Utf16BigEndian,
        "windows-1252" or "cp1252" or "iso-8859-1" or "iso-8859-15" or "latin1" or "latin-1" or "ascii" => Latin1,
        _ => null,
    };

    /// <summary>Of a canonical name; null for UTF-8, which needs no transcoding.</summary>
    public static Encoding? Of(string name) => name == Utf8 ? null : Encoding.GetEncoding(name);

    /// <summary>
    /// By its byte order mark; else UTF-16 if every other byte of the beginning is zero; else UTF-8 if all of it is; else Windows-1252.
    /// </summary>
    public static string Find(Stream file)
    {
        var start = new byte[4096];
        var length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var text = start.AsSpan(0, length);
        if (text.StartsWith(Encoding.UTF8.Preamble))
            return Utf8;
        if (text.StartsWith(Encoding.Unicode.Preamble))
            return Utf16;
        if (text.StartsWith(Encoding.BigEndianUnicode.Preamble))
            return Utf16BigEndian;
        int even = 0, odd = 0;
        for (var i = 0; i + 1 < text.Length; i += 2)
        {
            even += text[i] == 0 ? 1 : 0;
            odd += text[i + 1] == 0 ? 1 : 0;
        }
        if (text.Length >= 4 && odd > text.Length / 4 && even < odd / 4)
            return Utf16;
        if (text.Length >= 4 && even > text.Length / 4 && odd < even / 4)
            return Utf16BigEndian;
        file.Position = 0;
        return IsUtf8(file) ? Utf8 : Latin1;
    }

    private static bool IsUtf8(Stream file)
    {
        const int LongestCharacter = 4;
        var buffer = new byte[1 << 16];
        var kept = 0;
        while (file.Read(buffer, kept, buffer.Length - kept) is > 0 and var read)
        {
            var text = buffer.AsSpan(0, kept + read);
            // A character may go on in what is read next.
            var whole = text.Length;
            for (var back = 1; back <= Math.Min(LongestCharacter, text.Length); back++)
                if (text[^back] is var b && (b & 0b1100_0000) != 0b1000_0000)
                {
                    whole = b < 0x80 ? text.Length : text.Length - back;
                    break;
                }
            if (!Utf8IsValid(text[..whole]))
                return false;
            kept = text.Length - whole;
            text[whole..].CopyTo(buffer);
        }
        return kept == 0 || Utf8IsValid(buffer.AsSpan(0, kept));
    }

    private static bool Utf8IsValid(ReadOnlySpan<byte> text) => System.Text.Unicode.Utf8.IsValid(text);
}
