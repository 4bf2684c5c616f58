using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace TrainingService.Host.Tables;

/// <summary>What an element of an array is.</summary>
public enum ElementType
{
    Unsigned,
    Signed,
    Float,
    Boolean,

    /// <summary>Characters of four bytes.</summary>
    Text32,

    /// <summary>Bytes.</summary>
    Text8,
}

/// <summary>A file that holds one array of numbers or short texts: numpy's npy, or IDX as MNIST has it.</summary>
/// <param name="File">Where it is.</param>
/// <param name="Name">As people call it.</param>
/// <param name="Shape">Lengths, the number of rows first.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Size">Bytes of an element.</param>
/// <param name="IsBigEndian">Order of these bytes.</param>
/// <param name="Offset">Of the first element in the file.</param>
public sealed partial record NumberArray(DataFile File, string Name, IReadOnlyList<long> Shape, ElementType Type, int Size,
    bool IsBigEndian, long Offset)
{
    private const int LongestHeader = 1 << 16;

    public long Rows => Shape.Count == 0 ? 1 : Shape[0];

    /// <summary>Elements of a row.</summary>
    public long Width => Shape.Skip(1).Aggregate(1L, (product, length) => checked(product * length));

    /// <summary>Numbers of a file in numpy's format.</summary>
    public static NumberArray FromNumpy(DataFile file)
    {
        var name = Path.GetFileNameWithoutExtension(file.Name);
        using var stream = file.Open();
        var start = new byte[12];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length)
            throw Cut(file);
        var wide = start[6] >= 2;
        var length = wide ? BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(8))
            : BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(8));
        if (length > LongestHeader)
            throw new TableException($"'{file.Name}': its header has {length:N0} bytes; at most {LongestHeader:N0} are allowed");
        stream.Position = wide ? 12 : 10;
        var header = new byte[length];
        if (stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw Cut(file);
        var text = Encoding.UTF8.GetString(header);
        var (descr, shape) = (Descr().Match(text), ShapeOf().Match(text));
        if (!descr.Success || !shape.Success)
            throw new TableException($"'{file.Name}': its header is none of a plain array: {TableException.Show(header)}; save columns of "
                + $"different types as CSV");
        if (text.Contains("'fortran_order': True", StringComparison.Ordinal))
            throw new TableException($"'{file.Name}' is stored column by column: save it with np.save(path, np.ascontiguousarray(a))");
        var size = int.Parse(descr.Groups["size"].Value, NumberStyles.None, CultureInfo.InvariantCulture);
        var type = descr.Groups["kind"].Value switch
        {
            "u" => ElementType.Unsigned,
            "i" => ElementType.Signed,
            "f" => ElementType.Float,
            "b" => ElementType.Boolean,
            "U" => ElementType.Text32,
            "S" => ElementType.Text8,
            var kind => throw new TableException($"'{file.Name}' holds elements of numpy's type '{kind}{size}': save numbers or texts"),
        };
        return Checked(new(file, name,
            [.. shape.Groups["n"].Captures.Select(n => long.Parse(n.Value, NumberStyles.None, CultureInfo.InvariantCulture))],
            type, type == ElementType.Text32 ? 4 * size : size, descr.Groups["order"].Value == ">", stream.Position));
    }

    /// <summary>Numbers of a file as MNIST's are.</summary>
    public static NumberArray FromIdx(DataFile file)
    {
        using var stream = file.Open();
        var start = new byte[4];
        stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        var lengths = new byte[4 * start[3]];
        if (stream.ReadAtLeast(lengths, lengths.Length, throwOnEndOfStream: false) < lengths.Length)
            throw Cut(file);
        var (type, size) = start[2] switch
        {
            0x08 => (ElementType.Unsigned, 1),
            0x09 => (ElementType.Signed, 1),
            0x0B => (ElementType.Signed, 2),
            0x0C => (ElementType.Signed, 4),
            0x0D => (ElementType.Float, 4),
            0x0E => (ElementType.Float, 8),
            var other => throw new TableException($"'{file.Name}': IDX has no type {other:x2}"),
        };
        return Checked(new(file, file.Name,
            [.. Enumerable.Range(0, start[3]).Select(i => (long)BinaryPrimitives.ReadUInt32BigEndian(lengths.AsSpan(4 * i)))],
            type, size, true, stream.Position));
    }

    public static bool IsIdx(ReadOnlySpan<byte> start) =>
        start.Length >= 8 && start[0] == 0 && start[1] == 0 && start[2] is >= 0x08 and <= 0x0E && start[3] is >= 1 and <= 4;

    /// <summary>An element's number.</summary>
    public double Number(ReadOnlySpan<byte> element) => (Type, Size, IsBigEndian) switch
    {
        (ElementType.Unsigned or ElementType.Boolean, 1, _) => element[0],
        (ElementType.Signed, 1, _) => (sbyte)element[0],
        (ElementType.Unsigned, 2, false) => BinaryPrimitives.ReadUInt16LittleEndian(element),
        (ElementType.Unsigned, 2, true) => BinaryPrimitives.ReadUInt16BigEndian(element),
        (ElementType.Signed, 2, false) => BinaryPrimitives.ReadInt16LittleEndian(element),
        (ElementType.Signed, 2, true) => BinaryPrimitives.ReadInt16BigEndian(element),
        (ElementType.Unsigned, 4, false) => BinaryPrimitives.ReadUInt32LittleEndian(element),
        (ElementType.Unsigned, 4, true) => BinaryPrimitives.ReadUInt32BigEndian(element),
        (ElementType.Signed, 4, false) => BinaryPrimitives.ReadInt32LittleEndian(element),
        (ElementType.Signed, 4, true) => BinaryPrimitives.ReadInt32BigEndian(element),
        (ElementType.Unsigned, 8, false) => BinaryPrimitives.ReadUInt64LittleEndian(element),
        (ElementType.Unsigned, 8, true) => BinaryPrimitives.ReadUInt64BigEndian(element),
        (ElementType.Signed, 8, false) => BinaryPrimitives.ReadInt64LittleEndian(element),
        (ElementType.Signed, 8, true) => BinaryPrimitives.ReadInt64BigEndian(element),
        (ElementType.Float, 2, false) => (double)BinaryPrimitives.ReadHalfLittleEndian(element),
        (ElementType.Float, 2, true) => (double)BinaryPrimitives.ReadHalfBigEndian(element),
        (ElementType.Float, 4, false) => BinaryPrimitives.ReadSingleLittleEndian(element),
        (ElementType.Float, 4, true) => BinaryPrimitives.ReadSingleBigEndian(element),
        (ElementType.Float, 8, false) => BinaryPrimitives.ReadDoubleLittleEndian(element),
        (ElementType.Float, 8, true) => BinaryPrimitives.ReadDoubleBigEndian(element),
        _ => throw new TableException($"'{File.Name}' holds elements of {Size} bytes: save numbers of 1, 2, 4 or 8 bytes"),
    };

    /// <summary>An element's text in UTF-8.</summary>
    public ReadOnlySpan<byte> Text(ReadOnlySpan<byte> element) => Type == ElementType.Text8 ? element.TrimEnd((byte)0)
        : Encoding.UTF8.GetBytes((IsBigEndian ? new UTF32Encoding(true, false) : Encoding.UTF32).GetString(element).TrimEnd('\0'));

    private static NumberArray Checked(NumberArray array)
    {
        const int MostElementBytes = 4_096;
        long bytes;
        try
        {
            bytes = checked(array.Rows * array.Width * array.Size);
        }
        catch (OverflowException)
        {
            throw new TableException($"'{array.File.Name}' claims to have {string.Join(" x ", array.Shape)} elements, more than any file "
                + $"has");
        }
        var there = new FileInfo(array.File.Path).Length - array.Offset;
        if (bytes != there)
            throw new TableException($"'{array.File.Name}' should hold {string.Join(" x ", array.Shape)} elements of {array.Size} bytes, "
                + $"{bytes:N0} bytes in all, "
                + $"and holds {there:N0}: it is cut off or damaged");
        if (array.Shape.Count == 0 || array.Rows == 0 || array.Width == 0)
            throw new TableException($"'{array.File.Name}' holds no rows");
        if (array.Width > CsvDialect.MostColumns || array.Size > MostElementBytes)
            throw new TableException($"'{array.File.Name}' has rows of {array.Width:N0} elements of {array.Size:N0} bytes; at most "
                + $"{CsvDialect.MostColumns:N0} "
                + $"of {MostElementBytes:N0} are allowed");
        return array;
    }

    private static TableException Cut(DataFile file) => new($"'{file.Name}' is cut off in its header");

    [GeneratedRegex(@"'descr':\s*'(?<order>[<>|=]?)(?<kind>[a-zA-Z])(?<size>\d{1,6})'")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'shape':\s*\((?:\s*(?<n>\d{1,18})L?\s*,?)*\)")]
    private static partial Regex ShapeOf();
}
