using System.Text;
using CsvHelper;

namespace TrainingService.Host.Tables;

/// <summary>How a CSV file is written.</summary>
/// <param name="Separator">Between fields.</param>
/// <param name="HasHeader">Whether the first record has the columns' names.</param>
/// <param name="Encoding">Canonical name.</param>
/// <param name="Names">Of the columns.</param>
/// <param name="RowNames">Whether rows begin with a field more than the header has, as R writes it.</param>
/// <param name="Quote">Around fields.</param>
/// <param name="Comment">At the beginning of lines that are no rows.</param>
/// <param name="Offset">Where in the file the table begins.</param>
/// <param name="LinesAbove">Lines before it.</param>
/// <param name="Arff">Whose rows they are, if Weka's.</param>
public sealed record CsvDialect(char Separator, bool HasHeader, string Encoding, IReadOnlyList<string> Names, bool RowNames,
    char Quote = '"', char? Comment = null, long Offset = 0, int LinesAbove = 0, ArffHeader? Arff = null)
{
    public const int MostColumns = 16_384;

    /// <summary>Any number of blanks and tabs.</summary>
    public const char Blank = ' ';

    private const int Looked = 50;
    private static readonly char[] Separators = [',', ';', '\t', '|'];

    /// <summary>Looks at the first records; what was asked for holds.</summary>
    /// <exception cref="TableException">If it can't be told, or can't be right.</exception>
    public static CsvDialect Find(Func<Stream> open, TableOptions options)
    {
        string encoding;
        using (var file = open())
            encoding = options.Encoding ?? TextEncoding.Find(file);
        var above = CsvPreamble.Find(open, encoding);
        var dialect = new CsvDialect(',', false, encoding, [], false, Comment: above.Comment is null ? null : CsvPreamble.CommentSign,
            Offset: above.Offset, LinesAbove: above.Lines);
        var separator = options.Delimiter ?? above.Separator ?? FindSeparator(open, dialect);
        if (separator == Blank && encoding is TextEncoding.Utf16 or TextEncoding.Utf16BigEndian)
            throw new TableException("fields separated by blanks are read from UTF-8 or Windows-1252 only: save the file as UTF-8",
                "/delimiter");
        dialect = dialect with { Separator = separator };
        var records = Records(open, dialect, out var lines);
        if (records.Count == 0)
            throw new TableException("the file is empty");
        if (records[0].Length > 1 && Array.TrueForAll(records[0], IsInApostrophes))
            records = Records(open, dialect = dialect with { Quote = '\'' }, out lines);
        if (Titles(records, options) is > 0 and var titles && titles < records.Count)
        {
            dialect = dialect with { LinesAbove = above.Lines + lines[titles] - 1 };
            dialect = dialect with { Offset = CsvPreamble.OffsetOf(open, encoding, dialect.LinesAbove) };
            records.RemoveRange(0, titles);
        }
        else if (above.Comment is { } comment && options.Header is null && comment.Split(separator) is { Length: > 1 } commented
            && commented.Length == records[0].Length && !LooksLikeHeader(records))
        {
            return dialect with { Names = Named([.. commented.Select(name => name.Trim().Trim('"'))]) };
        }
        var hasHeader = options.Header ?? (options.Target is not null && records[0].Contains(options.Target) || LooksLikeHeader(records));
        if (!hasHeader)
            return dialect with { Names = Named(new string[records[0].Length]) };
        // A field more in all rows is a row's name in front, or a separator too much behind.
        var isOneMore = records.Count > 1 && records.Skip(1).All(r => r.Length == records[0].Length + 1);
        var rowNames = isOneMore && records.Skip(1).Any(r => r[^1].Length > 0);
        var names = Named(rowNames ? ["row", .. records[0]] : isOneMore ? [.. records[0], ""] : records[0]);
        foreach (var (i, name) in names.Index())
            if (names.PlaceOf(name) is var first && first != i)
                throw new TableException($"line {dialect.LinesAbove + 1}: the columns {first + 1} and {i + 1} are both called '{name}': "
                    + "give each a name of its "
                    + $"own");
        return dialect with { HasHeader = true, Names = names, RowNames = rowNames };
    }

    /// <summary>
    /// How many of the first records are no part of the table: titles, or figures about it, which have fewer fields than all that
    /// follow, or are mostly empty, above names or above numbers that can't be their values.
    /// </summary>
    private static int Titles(List<string[]> records, TableOptions options)
    {
        const int Most = 10, Least = 3;
        if (options.Header is not null || options.Target is not null && records[0].Contains(options.Target))
            return 0;
        var fields = records[^1].Length;
        var titles = records.TakeWhile(r => r.Length < fields || 2 * r.Count(field => field.Length > 0) <= fields).Count();
        var rest = records.Skip(titles).ToList();
        if (titles is 0 or > Most || rest.Count < Least || !rest.TrueForAll(r => r.Length == fields))
            return 0;
        var isNamed = Array.TrueForAll(rest[0], field => field.Length > 0) && LooksLikeHeader(rest);
        // A line of names that are too few is a fault of the file, and so is none at all above texts.
        return isNamed || records[titles - 1].Length < fields - 1 && records[titles - 1].Any(IsNumber) && rest[0].Any(IsNumber) ? titles
            : 0;
    }

    private static bool IsInApostrophes(string field) => field.Length > 1 && field[0] == '\'' && field[^1] == '\'';

    /// <summary>
    /// The one by which the first lines fall into the same number of fields, more than one; blanks only if no other does and all lines have
    /// as many; else a comma.
    /// </summary>
    private static char FindSeparator(Func<Stream> open, CsvDialect dialect)
    {
        var tried = (dialect.Encoding is TextEncoding.Utf16 or TextEncoding.Utf16BigEndian ? Separators : [.. Separators, Blank])
            .Select(separator => (Separator: separator, Records: Records(open, dialect with { Separator = separator }, out _)))
            .Where(t => t.Records.Count > 0)
            .Select(t => (t.Separator, t.Records, Fields: t.Records[^1].Length,
                Same: t.Records.Count(r => r.Length == t.Records[^1].Length) / (double)t.Records.Count))
            .Where(t => t.Fields > 1 && (t.Separator != Blank || t.Same == 1))
            .OrderByDescending(t => t.Same > 0.9).ThenByDescending(t => t.Separator != Blank).ThenByDescending(t => t.Fields).ToList();
        // A tab here and there among blanks: what stands between tabs are several numbers.
        if (tried is [{ Separator: '\t', Records: var records }, ..] && tried.Exists(t => t.Separator == Blank) && AreSeveral(records))
            return Blank;
        return tried.Select(t => t.Separator).FirstOrDefault(',');

        static bool AreSeveral(List<string[]> records) =>
            Enumerable.Range(0, records[0].Length).Any(c => records.TrueForAll(r => c < r.Length
            && r[c].Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 1 } parts
            && parts.All(part => IsNumber(part) || MissingText.IsAlways(Utf8(part)))));
    }

    private static List<string[]> Records(Func<Stream> open, CsvDialect dialect, out List<int> lines)
    {
        (var records, lines) = (new List<string[]>(), []);
        var file = open();
        file.Position = dialect.Offset;
        using var csv = CsvSource.Reader(file, dialect, null);
        try
        {
            while (records.Count <= Looked && csv.Read())
            {
                if (csv.FieldCount > MostColumns + 1)
                    throw new TableException($"line {dialect.LinesAbove + csv.LineNumber:N0} has {csv.FieldCount:N0} fields; at most "
                        + $"{MostColumns:N0} columns "
                        + $"are allowed");
                lines.Add((int)csv.LineNumber);
                records.Add([.. Enumerable.Range(0, csv.FieldCount).Select(i => csv.GetString(i).Trim())]);
            }
        }
        catch (CsvFormatException e)
        {
            throw CsvSource.Refused(e, dialect);
        }
        // The last may be cut off where the file goes on.
        return records;
    }

    /// <summary>
    /// A name stands over numbers where no number stands; and among texts it is none of the values below.
    /// </summary>
    private static bool LooksLikeHeader(List<string[]> records)
    {
        var (first, rest, votes) = (records[0], records.Skip(1).ToList(), 0);
        if (first.Where(name => name.Length > 0).Distinct().Count() < first.Count(name => name.Length > 0))
            return records.Count == 1;
        for (var c = 0; c < first.Length; c++)
        {
            var below = rest.Where(r => c < r.Length && r[c].Length > 0 && !MissingText.IsAlways(Utf8(r[c]))).Select(r => r[c]).ToList();
            if (below.Count == 0)
                continue;
            if (below.TrueForAll(IsNumber))
                votes += IsNumber(first[c]) ? -1 : 1;
            else if (below.Contains(first[c]))
                votes--;
        }
        return votes > 0 || votes == 0 && !first.Any(IsNumber);
    }

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static bool IsNumber(string text) => NumberText.Read(Utf8(text), Decimals.Point, out _, out _) is not NumberForm.None;

    private static string[] Named(string[] names) =>
        [.. names.Select((name, i) => string.IsNullOrWhiteSpace(name) ? $"column{i + 1}" : name.Trim())];
}

/// <summary>Rows of a CSV file.</summary>
public sealed class CsvSource : RowSource
{
    /// <summary>Of one record: guards against a quote that is never closed.</summary>
    internal const int LongestRecord = 16 << 20;

    private const int MostFaults = 10;

    private readonly CsvReader _csv;
    private readonly CsvDialect _dialect;
    private string? _unclosed;

    public CsvSource(Stream file, CsvDialect dialect)
    {
        _dialect = dialect;
        file.Position = dialect.Offset;
        _csv = Reader(file, dialect, OnMalformed);
        if (dialect.HasHeader)
            Next();
    }

    public override IReadOnlyList<string> Names => _dialect.Names;

    public override string Place => $"row {Row:N0} (line {Line:N0})";

    public override Cell this[int column] => new(_csv.GetSpan(column));

    private long Line => _dialect.LinesAbove + _csv.LineNumber;

    internal static CsvReader Reader(Stream file, CsvDialect dialect, Action<CsvMalformedRecord>? malformed) =>
        CsvReader.Create(dialect.Arff is { } arff ? new ArffRows(file, arff)
            : dialect.Separator == CsvDialect.Blank ? new BlankFields(file) : file, new CsvReaderOptions
            {
                Separator = dialect.Separator,
                HasHeader = false,
                Quote = dialect.Quote,
                CommentPrefix = dialect.Comment,
                Encoding = TextEncoding.Of(dialect.Encoding),
                TrackLineNumbers = true,
                TrimWhitespace = dialect.Separator is not ('\t' or CsvDialect.Blank),
                MaxRecordSize = LongestRecord,
                OnMalformedRecord = malformed,
            });

    internal static TableException Refused(CsvFormatException e, CsvDialect dialect) => new(
        $"line {dialect.LinesAbove + e.LineNumber:N0}: " + (e.Message.Contains("limit", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("MaxRecordSize", StringComparison.Ordinal)
                ? $"a record of more than {LongestRecord >> 20} MiB begins here; is a quote not closed?" : e.Message));

    public override void Dispose()
    {
        base.Dispose();
        _csv.Dispose();
    }

    protected override bool ReadRow()
    {
        if (!Next())
            return false;
        if (_csv.FieldCount != Names.Count)
            throw Ragged();
        var raw = _csv.RawRecord;
        if (raw.Contains((byte)0))
            throw HasNul();
        return true;
    }

    private bool Next()
    {
        try
        {
            var found = _csv.Read();
            return _unclosed is null ? found : throw new TableException(_unclosed);
        }
        catch (CsvFormatException e)
        {
            throw Refused(e, _dialect);
        }
    }

    private TableException HasNul()
    {
        for (var c = 0; c < Names.Count; c++)
            if (_csv.GetSpan(c).Contains((byte)0))
                return new($"row {Row + 1:N0} (line {Line:N0}), column '{Names[c]}': {TableException.Show(_csv.GetSpan(c))} "
                    + "holds a NUL character, which no text has");
        return new($"row {Row + 1:N0} (line {Line:N0}) holds a NUL character, which no text has");
    }

    /// <summary>This row and the next ones that have too few or too many fields.</summary>
    private TableException Ragged()
    {
        var faults = new List<Engine.Specs.SpecError>();
        var row = Row;
        do
        {
            row++;
            if (_csv.FieldCount != Names.Count)
                faults.Add(new(TableException.File, $"row {row:N0} (line {Line:N0}) has {_csv.FieldCount:N0} "
                    + $"{(_csv.FieldCount == 1 ? "field" : "fields")} instead of {Names.Count:N0}: {TableException.Show(_csv.RawRecord)}"
                    + $"; fields are separated by {Shown(_dialect.Separator)}, and one that holds it stands in quotes"));
        }
        while (faults.Count < MostFaults && row < Row + 100_000 && Next());
        return new(faults);
    }

    private void OnMalformed(CsvMalformedRecord record)
    {
        if (record.Reason == CsvMalformedReason.UnterminatedQuote)
            _unclosed = $"line {_dialect.LinesAbove + record.LineNumber:N0}: a quote is opened in the record that begins here and never "
                + "closed: "
                + TableException.Show(Encoding.UTF8.GetBytes(record.RawRecord[..Math.Min(record.RawRecord.Length, 200)]));
    }

    private static string Shown(char separator) => separator == '\t' ? "tab" : separator == CsvDialect.Blank ? "blanks" : $"'{separator}'";
}
