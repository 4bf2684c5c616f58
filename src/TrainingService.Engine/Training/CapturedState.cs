using System.Buffers.Binary;
using System.Security.Cryptography;

namespace TrainingService.Engine.Training;

/// <summary>A captured training state can't be restored; the message says why.</summary>
public sealed class InvalidStateException(string message) : Exception(message);

/// <summary>
/// What stands around the contents of a captured training state, so that they are read only where they fit:
/// <code>
/// TRAINRUN | version, int32 | hash of the plan, 32 bytes | length of the contents, int64 | contents | SHA-256 of all before it
/// </code>
/// Numbers are little-endian.
/// </summary>
internal static class CapturedState
{
    /// <summary>To be raised whenever the contents change their order or meaning.</summary>
    private const int Version = 2;

    private const int PlanAt = 12, LengthAt = PlanAt + SHA256.HashSizeInBytes, ContentsAt = LengthAt + sizeof(long);

    private static ReadOnlySpan<byte> Magic => "TRAINRUN"u8;

    public static byte[] Write(byte[] plan, Action<BinaryWriter> contents)
    {
        // counted first, so that a large state never lies in memory twice
        using var counted = new CountingStream();
        using (var counter = new BinaryWriter(counted))
            contents(counter);
        var state = new byte[ContentsAt + counted.Length + SHA256.HashSizeInBytes];
        using var writer = new BinaryWriter(new MemoryStream(state));
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(plan);
        writer.Write(counted.Length);
        contents(writer);
        writer.Write(SHA256.HashData(state.AsSpan(..^SHA256.HashSizeInBytes)));
        return state;
    }

    /// <summary>Keeps nothing of what is written but how much it was.</summary>
    private sealed class CountingStream : Stream
    {
        private long _length;

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => _length;
        public override long Position { get => _length; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => _length += buffer.Length;
        public override void Write(byte[] buffer, int offset, int count) => _length += count;
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>The contents of a state of this plan, or of any if it is null, which are whole and as they were written.</summary>
    /// <exception cref="InvalidStateException">They are not.</exception>
    public static BinaryReader Read(byte[] state, byte[]? plan)
    {
        if (!state.AsSpan().StartsWith(Magic))
            throw new InvalidStateException("This is no captured training state: it does not begin with TRAINRUN.");
        if (state.Length < ContentsAt)
            throw new InvalidStateException($"The captured training state is cut short: {state.Length} bytes do not even hold its head.");
        var version = BinaryPrimitives.ReadInt32LittleEndian(state.AsSpan(Magic.Length));
        if (version != Version)
            throw new InvalidStateException($"The captured training state has version {version}, but this engine reads version {Version}.");
        var length = BinaryPrimitives.ReadInt64LittleEndian(state.AsSpan(LengthAt));
        long there = state.Length - ContentsAt - SHA256.HashSizeInBytes;
        if (there != length)
            throw new InvalidStateException($"The captured training state {(there < length ? "is cut short" : "has something appended")}: "
                + $"its contents have {there} bytes, not {length}.");
        if (!SHA256.HashData(state.AsSpan(..^SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(state.AsSpan(^SHA256.HashSizeInBytes..)))
            throw new InvalidStateException("The captured training state is damaged: "
                + "its bytes do not have the checksum that they were written with.");
        var other = state.AsSpan(PlanAt, SHA256.HashSizeInBytes);
        if (plan is not null && !other.SequenceEqual(plan))
            throw new InvalidStateException("The captured training state belongs to another plan: "
                + $"the hash of its model, training, diagnostics and data shape is {Convert.ToHexStringLower(other)}, "
                + $"not {Convert.ToHexStringLower(plan)}.");
        return new(new MemoryStream(state, ContentsAt, (int)length, writable: false));
    }
}
