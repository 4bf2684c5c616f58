using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace TrainingService.Host.Tables;

/// <summary>In which form a file is.</summary>
public enum FileFormat
{
    /// <summary>Comma-separated values, or separated by semicolons, tabs or bars.</summary>
    Csv,

    /// <summary>Apache Parquet.</summary>
    Parquet,

    /// <summary>Numpy's arrays: npy files, or npz with several.</summary>
    Npy,

    /// <summary>Arrays as MNIST's are.</summary>
    Idx,

    /// <summary>JSON Lines, or a list; of objects or of lists.</summary>
    Json,

    /// <summary>Weka's.</summary>
    Arff,
}

/// <summary>Files that make one table, which can be read any number of times.</summary>
public sealed partial class TableFile
{
    private readonly Func<RowSource> _open;

    private TableFile(FileFormat format, Func<RowSource> open) => (Format, _open) = (format, open);

    public FileFormat Format { get; }

    /// <summary>Of a CSV file.</summary>
    public CsvDialect? Dialect { get; private init; }
    public ImageShape? Image { get; private init; }

    /// <summary>What was asked for, with what the file says by itself.</summary>
    public required TableOptions Options { get; init; }

    public RowSource Open() => _open();

    /// <param name="files">Unpacked.</param>
    /// <param name="format">As asked for; null to find it out.</param>
    /// <param name="options">What was asked for.</param>
    /// <exception cref="TableException">If it can't be read.</exception>
    public static TableFile Of(IReadOnlyList<DataFile> files, FileFormat? format, TableOptions options)
    {
        var found = files.Select(file => (File: file, Format: format ?? Find(file))).ToList();
        if (found.TrueForAll(f => f.Format is FileFormat.Npy or FileFormat.Idx))
            return Arrays([.. found.Select(f => f.Format == FileFormat.Npy ? NumberArray.FromNumpy(f.File) : NumberArray.FromIdx(f.File))],
                found[0].Format, options);
        if (files.Count > 1)
            throw new TableException($"there are {files.Count} files ({string.Join(", ", files.Take(5).Select(f => f.Name))}): send the "
                + $"one that is the table");
        return found[0].Format switch
        {
            FileFormat.Parquet => new(FileFormat.Parquet, () => new ParquetSource(files[0].Open(), options.Drop)) { Options = options },
            FileFormat.Json => Json(files[0], options),
            FileFormat.Arff => Arff(files[0], options),
            _ => Csv(files[0], options),
        };
    }

    /// <summary>With the rows of another one as test rows.</summary>
    public TableFile With(TableFile test) =>
        new(Format, () => new JoinedSource(Open(), test.Open())) { Options = Options, Dialect = Dialect, Image = Image };

    private static TableFile Csv(DataFile file, TableOptions options)
    {
        var dialect = CsvDialect.Find(file.Open, options);
        return new(FileFormat.Csv, () => new CsvSource(file.Open(), dialect)) { Options = options, Dialect = dialect };
    }

    private static TableFile Json(DataFile file, TableOptions options)
    {
        var names = JsonSource.Find(file.Open);
        return new(FileFormat.Json, () => new JsonSource(file.Open(), names)) { Options = options };
    }

    private static TableFile Arff(DataFile file, TableOptions options)
    {
        var header = ArffHeader.Read(file);
        string encoding;
        using (var stream = file.Open())
            encoding = options.Encoding ?? TextEncoding.Find(stream);
        var dialect = new CsvDialect(',', false, encoding, header.Names, false, Quote: '\'', Comment: '%', header.Offset, header.Lines,
            header);
        return new(FileFormat.Arff, () => new CsvSource(file.Open(), dialect))
        {
            Dialect = dialect,
            Options = options with
            {
                Target = options.Target ?? header.Target,
                Types = header.Types.Concat(options.Types).GroupBy(t => t.Key).ToDictionary(t => t.Key, t => t.Last().Value),
            },
        };
    }

    private static TableFile Arrays(IReadOnlyList<NumberArray> arrays, FileFormat format, TableOptions options)
    {
        var (train, test) = ArrayPair.Of(arrays);
        return new(format, () => test is null ? new ArraySource(train) : new JoinedSource(new ArraySource(train), new ArraySource(test)))
        {
            Image = train.Image,
            // who knows the array by its name may say that
            Options = options with
            {
                Target = train.Labels is { } labels && (options.Target is null || options.Target == labels.Name) ? ArrayPair.Target
                    : options.Target,
            },
        };
    }

    private static FileFormat Find(DataFile file)
    {
        var bytes = new byte[1 << 16];
        int length;
        using (var stream = file.Open())
            length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        var start = bytes.AsSpan(0, length);
        if (start.IsEmpty)
            throw new TableException($"'{file.Name}' is empty");
        if (start.StartsWith("PAR1"u8))
            return FileFormat.Parquet;
        if (start.StartsWith((byte[])[0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y']))
            return FileFormat.Npy;
        if (NumberArray.IsIdx(start))
            return FileFormat.Idx;
        foreach (var (magic, what) in Others)
            if (start.StartsWith(magic))
                throw new TableException($"'{file.Name}' is {what}");
        var text = Encoding.UTF8.GetString(start).TrimStart('\uFEFF', ' ', '\r', '\n', '\t');
        if (text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
            throw new TableException($"'{file.Name}' is a web page or XML, not a table: download the file itself");
        if (text.StartsWith('{') || text.StartsWith('[') && (text[1..].TrimStart().StartsWith('{') || IsJsonList(text)))
            return FileFormat.Json;
        var first = text.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0 && line[0] != '%', "");
        if (Sparse().IsMatch(first))
            throw new TableException($"'{file.Name}' is in the sparse format of LIBSVM and SVMlight: save it as CSV, npy or Parquet (in "
                + "Python sklearn.datasets.load_svmlight_file reads it), or as sparse ARFF");
        return first.StartsWith("@relation", StringComparison.OrdinalIgnoreCase) ? FileFormat.Arff : FileFormat.Csv;
    }

    /// <summary>Whether a list of lists begins, or a list of values that ends.</summary>
    private static bool IsJsonList(string text)
    {
        if (text[1..].TrimStart().StartsWith('['))
            return true;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), isFinalBlock: false, default);
        try
        {
            while (reader.Read())
                if (reader.TokenType == JsonTokenType.EndArray)
                    return true;
        }
        catch (JsonException)
        {
            // a CSV file whose first column is called so
        }
        return false;
    }

    /// <summary>A label, then pairs of a column's number and its value.</summary>
    [GeneratedRegex(@"^[-+]?[0-9.]+(?: +[0-9]+:[-+0-9.eE]+){2,} *(?:#.*)?$")]
    private static partial Regex Sparse();

    private static readonly (byte[] Start, string What)[] Others =
    [
        ("%PDF"u8.ToArray(), "a PDF, not a table: save the table as CSV"),
        ("SQLite format 3"u8.ToArray(), "an SQLite database: export the table as CSV"),
        ([0x89, (byte)'H', (byte)'D', (byte)'F'], "an HDF5 file: save the table as CSV, Parquet or npy"),
        ("ARROW1"u8.ToArray(), "an Arrow file: save it as Parquet"),
        ("FEA1"u8.ToArray(), "a Feather file: save it as Parquet"),
        ("BZh"u8.ToArray(), "packed with bzip2: unpack it, or pack it with gzip"),
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "packed with xz: unpack it, or pack it with gzip"),
        ([0x28, 0xB5, 0x2F, 0xFD], "packed with zstd: unpack it, or pack it with gzip"),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF], "packed with 7-Zip: unpack it, or pack it with zip"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Office document: save the sheet as CSV"),
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "an image: collect images in one IDX, npy or CSV file, a row each"),
        ([0xFF, 0xD8, 0xFF], "an image: collect images in one IDX, npy or CSV file, a row each"),
        ([0x80, 0x04], "a Python pickle, which may run code when it is read: save the table as CSV, Parquet or npy"),
        ("RDX"u8.ToArray(), "an R data file: save the table with write.csv"),
        ("X\n"u8.ToArray(), "an R data file: save the table with write.csv"),
    ];
}
