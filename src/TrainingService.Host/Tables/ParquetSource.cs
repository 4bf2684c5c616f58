using System.Globalization;
using System.Text;
using Parquet;
using Parquet.Schema;
using CompressionCodec = Parquet.Meta.CompressionCodec;

namespace TrainingService.Host.Tables;

/// <summary>Rows of a Parquet file, of which one row group at a time is in memory.</summary>
public sealed class ParquetSource : RowSource
{
    /// <summary>Of the values of a row group.</summary>
    private const long MostBytes = 160_000_000;

    /// <summary>For the list of contents, or a column of a row group, of which the largest takes seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const int MostLost = 2;

    private static int _lost;

    private readonly WatchedFile _file;
    private readonly ParquetReader _reader;
    private readonly DataField?[] _fields;
    private readonly string[] _names;
    private readonly Array?[] _columns;
    private readonly byte[] _text = new byte[1 << 16];
    private int _group;
    private long _rows;
    private long _row;

    /// <param name="file">Can be sought in.</param>
    /// <param name="drop">Columns that are not looked at.</param>
    public ParquetSource(Stream file, IReadOnlyList<string> drop)
    {
        _file = new(file);
        if (Volatile.Read(ref _lost) >= MostLost)
            throw new TableException("Parquet files are not read until the service is started again, since damaged ones keep its threads "
                + "busy: send the table as CSV");
        Do(() =>
        {
            ParquetCheck.Footer(file);
            return Task.FromResult(0);
        });
        _reader = Do(() => WithinPatience(() => ParquetReader.CreateAsync(_file, leaveStreamOpen: true)));
        var fields = Do(() => Task.FromResult(_reader.Schema.Fields.ToArray()));
        if (fields.Length > CsvDialect.MostColumns)
            throw new TableException($"the file has {fields.Length:N0} columns; at most {CsvDialect.MostColumns:N0} are allowed");
        _names = [.. fields.Select(field => field.Name)];
        if (_names.GroupBy(name => name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new TableException($"several columns are called '{twice.Key}': give each a name of its own");
        _fields = [.. fields.Select(field => drop.Contains(field.Name) ? null : Flat(field))];
        _columns = new Array?[fields.Length];
    }

    public override IReadOnlyList<string> Names => _names;

    public override Cell this[int column]
    {
        get
        {
            switch (_columns[column])
            {
                case null:
                    return new(double.NaN);
                case double[] numbers:
                    return new(numbers[_row]);
                case string?[] texts:
                    var text = texts[_row];
                    if (text is null)
                        return new([]);
                    return Encoding.UTF8.TryGetBytes(text, _text, out var length) ? new(_text.AsSpan(0, length))
                        : new(Encoding.UTF8.GetBytes(text));
                default:
                    throw new InvalidOperationException("a column is of another type");
            }
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _file.Dispose();
    }

    protected override bool ReadRow()
    {
        if (++_row < _rows)
            return true;
        while (_group < _reader.RowGroupCount)
        {
            Load(_reader.OpenRowGroupReader(_group++));
            if (_rows > 0)
                return true;
        }
        return false;
    }

    private void Load(ParquetRowGroupReader group)
    {
        (_row, _rows) = (0, group.RowCount);
        _file.Allow(0, _file.Length);
        Array.Clear(_columns);
        // What the list of contents says may be any number, and must not overflow.
        var bytes = _fields.OfType<DataField>().Sum(field => Math.Max(
            _rows * (field.ClrType.IsPrimitive ? 8.0 : 60.0),
            Do(() => Task.FromResult(2.0 * (group.GetMetadata(field)?.MetaData?.TotalUncompressedSize ?? 0)))));
        if (_rows < 0 || _rows > int.MaxValue || bytes > MostBytes)
            throw TooLarge(bytes);
        // Pages tell the truth; the list of contents may not.
        var pages = _fields.Select(field => field is null ? default
            : Do(() => Task.FromResult(PagesOf(group, field)), field.Name)).ToList();
        bytes = pages.Sum(column => 2.0 * column.Unpacked);
        if (bytes > MostBytes)
            throw TooLarge(bytes);
        for (var c = 0; c < _fields.Length; c++)
            if (_fields[c] is { } field)
            {
                _file.Allow(pages[c].Start, pages[c].Length);
                _columns[c] = Do(() => WithinPatience(() => ReadAsync(group, field, (int)_rows)), field.Name);
            }
        _file.Allow(0, _file.Length);
    }

    private TableException TooLarge(double bytes) =>
        new($"row group {_group:N0} has {_rows:N0} rows, which need about {bytes / 1_000_000:N0} MB in memory; at most "
            + $"{MostBytes / 1_000_000:N0} MB are allowed: write the file with smaller row groups (row_group_size=50000), or as CSV");

    /// <summary>Where a column's pages are, and their bytes when unpacked; each page is looked at.</summary>
    private (long Start, long Length, long Unpacked) PagesOf(ParquetRowGroupReader group, DataField field)
    {
        if (group.GetMetadata(field)?.MetaData is not { } column)
            throw new InvalidDataException($"it says nothing of the column '{field.Name}'");
        if (column.NumValues != _rows)
            throw new InvalidDataException($"the column '{field.Name}' has {column.NumValues:N0} values in {_rows:N0} rows");
        var start = column.DictionaryPageOffset is > 0 and var dictionary ? Math.Min(dictionary, column.DataPageOffset)
            : column.DataPageOffset;
        return (start, column.TotalCompressedSize,
            ParquetCheck.Pages(_file, start, column.TotalCompressedSize, _rows, column.Codec == CompressionCodec.SNAPPY));
    }

    private static async Task<Array> ReadAsync(ParquetRowGroupReader group, DataField field, int rows)
    {
        var type = field.ClrType;
        if (type == typeof(double))
            return await Numbers<double>(value => value);
        if (type == typeof(float))
            return await Numbers<float>(value => value);
        if (type == typeof(int))
            return await Numbers<int>(value => value);
        if (type == typeof(long))
            return await Numbers<long>(value => value);
        if (type == typeof(short))
            return await Numbers<short>(value => value);
        if (type == typeof(sbyte))
            return await Numbers<sbyte>(value => value);
        if (type == typeof(byte))
            return await Numbers<byte>(value => value);
        if (type == typeof(ushort))
            return await Numbers<ushort>(value => value);
        if (type == typeof(uint))
            return await Numbers<uint>(value => value);
        if (type == typeof(ulong))
            return await Numbers<ulong>(value => value);
        if (type == typeof(decimal))
            return await Texts<decimal>(value => value.ToString(CultureInfo.InvariantCulture));
        if (type == typeof(bool))
            return await Texts<bool>(value => value ? "true" : "false");
        if (type == typeof(DateTime))
            return await Texts<DateTime>(value => value.ToString("yyyy-MM-dd HH:mm:ss.fffffff", CultureInfo.InvariantCulture));
        if (type == typeof(DateOnly))
            return await Texts<DateOnly>(value => value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        if (type == typeof(TimeSpan))
            return await Numbers<TimeSpan>(value => value.TotalSeconds);
        if (type == typeof(TimeOnly))
            return await Numbers<TimeOnly>(value => value.ToTimeSpan().TotalSeconds);
        if (type == typeof(Guid))
            return await Texts<Guid>(value => value.ToString());
        if (type == typeof(ReadOnlyMemory<byte>) || type == typeof(byte[]))
        {
            var bytes = new byte[]?[rows];
            await group.ReadAsync(field, bytes.AsMemory());
            return bytes.Select(value => value is null ? null : Encoding.UTF8.GetString(value)).ToArray();
        }
        if (type != typeof(string) && type != typeof(ReadOnlyMemory<char>))
            throw new TableException($"column '{field.Name}' holds values of the type {type.Name}, which can't be learned from: "
                + $"drop={field.Name}");
        var texts = new string?[rows];
        await group.ReadAsync(field, texts.AsMemory());
        return texts;

        async Task<Array> Numbers<T>(Func<T, double> number) where T : struct
        {
            var numbers = new double[rows];
            if (field.IsNullable)
            {
                var values = new T?[rows];
                await group.ReadAsync<T>(field, values.AsMemory());
                for (var i = 0; i < rows; i++)
                    numbers[i] = values[i] is { } value ? number(value) : double.NaN;
            }
            else
            {
                var values = new T[rows];
                await group.ReadAsync<T>(field, values.AsMemory());
                for (var i = 0; i < rows; i++)
                    numbers[i] = number(values[i]);
            }
            return numbers;
        }

        async Task<Array> Texts<T>(Func<T, string> text) where T : struct
        {
            var read = new string?[rows];
            if (field.IsNullable)
            {
                var values = new T?[rows];
                await group.ReadAsync<T>(field, values.AsMemory());
                for (var i = 0; i < rows; i++)
                    read[i] = values[i] is { } value ? text(value) : null;
            }
            else
            {
                var values = new T[rows];
                await group.ReadAsync<T>(field, values.AsMemory());
                for (var i = 0; i < rows; i++)
                    read[i] = text(values[i]);
            }
            return read;
        }
    }

    private static DataField Flat(Field field) => field is DataField { IsArray: false, MaxRepetitionLevel: 0 } flat ? flat
        : throw new TableException($"column '{field.Name}' holds lists or structures, which are no table: drop={field.Name}");

    /// <summary>
    /// With some damaged values inside of a page the library never comes to an end, and nothing can stop it; so it is left behind, at a
    /// low priority, and not asked again after the second time.
    /// </summary>
    private static async Task<T> WithinPatience<T>(Func<Task<T>> read)
    {
        var reading = Task.Factory.StartNew(() =>
        {
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
            return read().GetAwaiter().GetResult();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (await Task.WhenAny(reading, Task.Delay(Patience)) == reading)
            return await reading;
        Interlocked.Increment(ref _lost);
        throw new InvalidDataException($"a part of it can't be read within {Patience.TotalSeconds:0} seconds");
    }

    /// <summary>The library trusts files; whatever it stumbles over is the file's fault.</summary>
    /// <param name="read">What it does.</param>
    /// <param name="column">In which column it does so, if in one.</param>
    private static T Do<T>(Func<Task<T>> read, string? column = null)
    {
        try
        {
            return read().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (TableException or OperationCanceledException))
        {
            throw new TableException(column is null
                ? $"the Parquet file is damaged, cut off or of a kind that is not supported: {e.Message}"
                : $"column '{column}' of the Parquet file is damaged, cut off or of a kind that is not supported: "
                    + $"{e.Message.TrimEnd('.')}. "
                    + $"Leave it out with drop={column}, or write the file again with other encodings");
        }
    }
}
