using System.IO.Compression;

namespace TrainingService.Host.Tables;

/// <summary>
/// Rows as they are stored: the codes of the first column, of the second, ... Before packing, the first bytes of a column's codes are put
/// together, then the second ones: so what hardly changes lies side by side.
/// </summary>
public static class Chunks
{
    private const int Quality = 3, Window = 22;

    /// <summary>Bytes of a chunk before it is packed, unless one row has more.</summary>
    private const int Bytes = 4 << 20;

    public static int RowsOf(IEnumerable<Storage> columns) => Math.Max(1, Bytes / columns.Sum(column => column.Bytes));

    public static byte[] Pack(ReadOnlySpan<byte> content)
    {
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(content.Length)];
        return BrotliEncoder.TryCompress(content, packed, out var length, Quality, Window)
            ? packed[..length] : throw new InvalidOperationException("a chunk could not be compressed");
    }

    /// <exception cref="InvalidDataException">If it isn't what was packed.</exception>
    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> content)
    {
        if (!BrotliDecoder.TryDecompress(packed, content, out var length) || length != content.Length)
            throw new InvalidDataException("a stored chunk is damaged");
    }

    /// <summary>Codes of equal size, byte by byte.</summary>
    public static void Shuffle(ReadOnlySpan<byte> codes, int size, Span<byte> shuffled)
    {
        var count = codes.Length / size;
        for (var b = 0; b < size; b++)
            for (var i = 0; i < count; i++)
                shuffled[b * count + i] = codes[i * size + b];
    }

    public static void Unshuffle(ReadOnlySpan<byte> shuffled, int size, Span<byte> codes)
    {
        var count = codes.Length / size;
        for (var b = 0; b < size; b++)
            for (var i = 0; i < count; i++)
                codes[i * size + b] = shuffled[b * count + i];
    }
}
