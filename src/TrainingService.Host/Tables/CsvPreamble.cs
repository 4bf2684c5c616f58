using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>What stands above a CSV file's table: blank lines, comments, and the line by which Excel is told the separator.</summary>
/// <param name="Lines">How many lines.</param>
/// <param name="Offset">Where in the file the table begins.</param>
/// <param name="Separator">That Excel is told; null where it isn't.</param>
/// <param name="Comment">The last comment, which may be the header; null if there is none.</param>
public sealed record CsvPreamble(int Lines, long Offset, char? Separator, string? Comment)
{
    public const char CommentSign = '#';

    private const int Looked = 1 << 16;

    public static CsvPreamble Find(Func<Stream> open, string encoding)
    {
        var found = new CsvPreamble(0, 0, null, null);
        foreach (var (text, end) in LinesOf(open, encoding))
        {
            var line = text.Trim().Trim('\uFEFF', '"').Trim();
            if (line.Length == 5 && line.StartsWith("sep=", StringComparison.OrdinalIgnoreCase))
                found = found with { Separator = line[4] };
            else if (line.Length > 0 && line[0] == CommentSign)
                found = found with { Comment = line.TrimStart(CommentSign).Trim() };
            else if (line.Length > 0)
                break;
            found = found with { Lines = found.Lines + 1, Offset = end };
        }
        return found;
    }

    /// <summary>Where the line after so many begins.</summary>
    public static long OffsetOf(Func<Stream> open, string encoding, int lines) =>
        lines == 0 ? 0 : LinesOf(open, encoding).Skip(lines - 1).Select(line => line.End).FirstOrDefault();

    /// <summary>The lines at the beginning that end there, and where the next one begins.</summary>
    private static IEnumerable<(string Text, long End)> LinesOf(Func<Stream> open, string encoding)
    {
        var bytes = new byte[Looked];
        int length;
        using (var file = open())
            length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var width = encoding is TextEncoding.Utf16 or TextEncoding.Utf16BigEndian ? 2 : 1;
        var code = TextEncoding.Of(encoding) ?? Encoding.UTF8;
        for (var start = 0; ;)
        {
            var end = start;
            while (end + width <= length && !IsEnd(end))
                end += width;
            if (end + width > length)
                yield break;
            var text = code.GetString(bytes, start, end - start);
            // \r\n is one end.
            var next = end + width;
            if (At(end) == '\r' && next + width <= length && At(next) == '\n')
                next += width;
            yield return (text, start = next);
        }

        int At(int place) => width == 1 ? bytes[place]
            : encoding == TextEncoding.Utf16 ? bytes[place] | bytes[place + 1] << 8 : bytes[place] << 8 | bytes[place + 1];

        bool IsEnd(int place) => At(place) is '\n' or '\r';
    }
}
