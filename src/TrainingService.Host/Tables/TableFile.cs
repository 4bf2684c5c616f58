using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>In which form a file is.</summary>
public enum FileFormat
{
    /// <summary>Comma-separated values, or separated by semicolons, tabs or bars.</summary>
    Csv,
}

/// <summary>Files that make one table, which can be read any number of times.</summary>
public sealed class TableFile
{
    private readonly Func<RowSource> _open;

    private TableFile(FileFormat format, Func<RowSource> open, CsvDialect? dialect = null, ImageShape? image = null) =>
        (Format, _open, Dialect, Image) = (format, open, dialect, image);

    public FileFormat Format { get; }

    /// <summary>Of a CSV file.</summary>
    public CsvDialect? Dialect { get; }
    public ImageShape? Image { get; }

    public RowSource Open() => _open();

    /// <param name="files">Unpacked.</param>
    /// <param name="format">As asked for; null to find it out.</param>
    /// <param name="options">What was asked for.</param>
    /// <exception cref="TableException">If it can't be read.</exception>
    public static TableFile Of(IReadOnlyList<DataFile> files, FileFormat? format, TableOptions options)
    {
        if (files.Count > 1)
            throw new TableException($"there are {files.Count} files ({string.Join(", ", files.Take(5).Select(f => f.Name))}): send the one that is the table");
        return format switch
        {
            null => Of(files, Find(files[0]), options),
            _ => Csv(files[0], options),
        };
    }

    /// <summary>With the rows of another one as test rows.</summary>
    public TableFile With(TableFile test) => new(Format, () => new JoinedSource(Open(), test.Open()), Dialect, Image);

    private static TableFile Csv(DataFile file, TableOptions options)
    {
        var dialect = CsvDialect.Find(file.Open, options);
        return new(FileFormat.Csv, () => new CsvSource(file.Open(), dialect), dialect);
    }

    private static FileFormat Find(DataFile file)
    {
        var bytes = new byte[1024];
        int length;
        using (var stream = file.Open())
            length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var start = bytes.AsSpan(0, length);
        if (start.IsEmpty)
            throw new TableException($"'{file.Name}' is empty");
        foreach (var (magic, what) in Others)
            if (start.StartsWith(magic))
                throw new TableException($"'{file.Name}' is {what}");
        var text = Encoding.UTF8.GetString(start).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        if (text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
            throw new TableException($"'{file.Name}' is a web page or XML, not a table: download the file itself");
        return FileFormat.Csv;
    }

    private static readonly (byte[] Start, string What)[] Others =
    [
        ("%PDF"u8.ToArray(), "a PDF, not a table: save the table as CSV"),
        ("SQLite format 3"u8.ToArray(), "an SQLite database: export the table as CSV"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file: save the table as CSV, Parquet or npy"),
        ("ARROW1"u8.ToArray(), "an Arrow file: save it as Parquet"),
        ("FEA1"u8.ToArray(), "a Feather file: save it as Parquet"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Office document: save the sheet as CSV"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "an image: collect images in one IDX, npy or CSV file, a row each"),
        ([0xFF, 0xD8, 0xFF], "an image: collect images in one IDX, npy or CSV file, a row each"),
        ([0x80, 0x04], "a Python pickle, which may run code when it is read: save the table as CSV, Parquet or npy"),
        ("RDX"u8.ToArray(), "an R data file: save the table with write.csv"),
        ("X\n"u8.ToArray(), "an R data file: save the table with write.csv"),
    ];
}
