using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using TensorBoard;

namespace TrainingService.Host.Metrics;

/// <summary>
/// TensorBoard's event file: TFRecords, each the length (uint64, little-endian), its checksum, the event, its checksum
/// (https://www.tensorflow.org/tutorials/load_data/tfrecord).
/// </summary>
internal sealed class EventFile(Stream stream)
{
    private const string FileVersion = "brain.Event:2";

    private readonly byte[] _head = new byte[sizeof(ulong) + sizeof(uint)], _tail = new byte[sizeof(uint)];

    /// <param name="began">Seconds since 1970.</param>
    public Task BeginAsync(double began, CancellationToken cancellation) =>
        WriteAsync(new() { WallTime = began, FileVersion = FileVersion }, cancellation);

    public async Task WriteAsync(Event message, CancellationToken cancellation)
    {
        var bytes = message.ToByteArray();
        BinaryPrimitives.WriteUInt64LittleEndian(_head, (ulong)bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(_head.AsSpan(sizeof(ulong)), Checksum(_head.AsSpan(0, sizeof(ulong))));
        BinaryPrimitives.WriteUInt32LittleEndian(_tail, Checksum(bytes));
        await stream.WriteAsync(_head, cancellation);
        await stream.WriteAsync(bytes, cancellation);
        await stream.WriteAsync(_tail, cancellation);
    }

    /// <summary>CRC-32C (Castagnoli), rotated by 15 bits and shifted, so that a checksum of data with checksums in it is safe.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }
}
