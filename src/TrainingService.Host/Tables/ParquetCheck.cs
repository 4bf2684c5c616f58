using System.Buffers.Binary;

namespace TrainingService.Host.Tables;

/// <summary>
/// Looks at those lengths in a Parquet file (https://parquet.apache.org/docs/file-format) by which its library makes room before it reads:
/// a file of a few bytes may claim any.
/// </summary>
public static class ParquetCheck
{
    private const int MostFooter = 32 << 20, MostItems = 2_000_000, MostPages = 1_000_000;

    /// <summary>The list of all that the file holds, at its end.</summary>
    /// <exception cref="InvalidDataException">If it claims what can't be.</exception>
    public static void Footer(Stream file)
    {
        Span<byte> tail = stackalloc byte[8];
        if (file.Length < 2 * tail.Length)
            throw new InvalidDataException("it is too short");
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (!tail[4..].SequenceEqual("PAR1"u8) || length > file.Length - 12)
            throw new InvalidDataException("its end is missing");
        if (length > MostFooter)
            throw new InvalidDataException($"its list of contents has {length:N0} bytes; at most {MostFooter:N0} are allowed: use larger "
                + $"row groups");
        file.Position = file.Length - 8 - length;
        new ThriftReader(file, file.Length - 8, MostItems).Struct(ParquetContents.All);
        file.Position = 0;
    }

    /// <summary>The pages of a column of a row group.</summary>
    /// <param name="file">The file; its position is changed.</param>
    /// <param name="start">Of the first page.</param>
    /// <param name="length">Of all pages, packed.</param>
    /// <param name="values">That the column has.</param>
    /// <param name="isSnappy">Whether pages tell their length once more where they begin.</param>
    /// <returns>Bytes of all pages, unpacked.</returns>
    /// <exception cref="InvalidDataException">If one claims what can't be.</exception>
    public static long Pages(Stream file, long start, long length, long values, bool isSnappy)
    {
        if (start < 4 || length < 0 || start > file.Length - length)
            throw new InvalidDataException("a column is said to lie outside of the file");
        var (end, sum, seen) = (start + length, 0L, 0L);
        file.Position = start;
        for (var pages = 0; seen < values && file.Position < end; pages++)
        {
            if (pages == MostPages)
                throw new InvalidDataException($"a column has more than {MostPages:N0} pages");
            long type = -1, unpacked = -1, packed = -1, inPage = -1, levels = 0, isPacked = 1;
            new ThriftReader(file, end, MostItems).Struct((field, value) =>
            {
                switch (field)
                {
                    case (1, 0):
                        type = value;
                        break;
                    case (2, 0):
                        unpacked = value;
                        break;
                    case (3, 0):
                        packed = value;
                        break;
                    case (1, 5 or 7 or 8):
                        inPage = value;
                        break;
                    case (7, 8):
                        isPacked = value;
                        break;
                    case (5 or 6, 8):
                        levels += value is >= 0 and < int.MaxValue ? value : int.MaxValue;
                        break;
                }
            });
            var content = file.Position;
            if (packed < 0 || unpacked < 0 || packed > end - content || unpacked > int.MaxValue || levels > packed)
                throw new InvalidDataException("a page claims a length that it can't have");
            if (inPage < 0 || type == 2 && inPage > unpacked || type != 2 && inPage > values - seen)
                throw new InvalidDataException("a page claims more values than there are");
            if (isSnappy && isPacked == 1 && packed > levels)
            {
                file.Position = content + levels;
                // Writers differ in whether they count the levels.
                if (new ThriftReader(file, end, 0).Unsigned() > (ulong)unpacked)
                    throw new InvalidDataException("a page claims to be shorter than its content");
            }
            file.Position = content + packed;
            sum += unpacked;
            seen += type == 2 ? 0 : inPage;
        }
        return seen == values ? sum : throw new InvalidDataException("a column has fewer values than it claims");
    }
}
