namespace TrainingService.Host.Tables;

/// <summary>
/// A file for a library that trusts what it reads: where a column says that it goes on beyond its own end, the library would take what
/// follows for more of it, and beyond the file's end turn in a circle. Here it meets an error instead.
/// </summary>
/// <param name="file">Can be sought in.</param>
internal sealed class WatchedFile(Stream file) : ReadOnlyStream
{
    private long _start;
    private long _end = file.Length;
    private long _left = long.MaxValue;

    /// <summary>From now on only this part is read, each of its bytes once or twice.</summary>
    public void Allow(long start, long length)
    {
        const int Slack = 1 << 16;
        (_start, _end, _left) = (start, start + length, 2 * length + Slack);
    }

    public override bool CanSeek => true;
    public override long Length => file.Length;
    public override long Position { get => file.Position; set => file.Position = value; }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.Length == 0)
            return 0;
        var position = file.Position;
        if (position < _start || position >= _end || _left <= 0)
            throw new InvalidDataException("a column claims to be longer than it is");
        var read = file.Read(buffer[..(int)Math.Min(buffer.Length, _end - position)]);
        _left -= read;
        return read;
    }

    public override int ReadByte()
    {
        Span<byte> one = stackalloc byte[1];
        return Read(one) == 1 ? one[0] : -1;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Read(buffer.Span));

    public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            file.Dispose();
        base.Dispose(disposing);
    }
}
