using System.Buffers.Binary;
using System.IO.Compression;

namespace TrainingService.Host.Tables;

/// <summary>A file on this machine's disk that is gone with its handle.</summary>
/// <param name="Name">As its sender calls it.</param>
/// <param name="Path">Where it is.</param>
public sealed record DataFile(string Name, string Path) : IDisposable
{
    public Stream Open() => new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);

    public void Dispose() => File.Delete(Path);
}

/// <summary>Takes files out of gzip and zip, within limits: a small file may claim to hold more than all disks do.</summary>
public sealed class Unpacker : IDisposable
{
    // Tables of text shrink to a tenth, some to a hundredth; deflate can't do better than a thousandth.
    private const long MostRatio = 400, RatioMattersFrom = 64 << 20;
    private const int MostEntries = 1_000, MostDirectory = 1 << 20, MostDepth = 2;

    private readonly List<DataFile> _made = [];
    private readonly string _folder;
    private readonly long _mostBytes;
    private long _left;

    /// <param name="folder">Where unpacked files go.</param>
    /// <param name="mostBytes">Of all that is unpacked.</param>
    public Unpacker(string folder, long mostBytes) => (_folder, _mostBytes, _left) = (folder, mostBytes, mostBytes);

    /// <summary>The file itself, or what it holds.</summary>
    /// <exception cref="TableException">If it is damaged, cut off or holds too much.</exception>
    public IReadOnlyList<DataFile> Unpack(DataFile file, CancellationToken cancellation, int depth = 0)
    {
        var start = new byte[4];
        using (var stream = file.Open())
            stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (depth > MostDepth)
            throw new TableException($"'{file.Name}' is packed more than {MostDepth} times: unpack it");
        if (start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]))
            return Unpack(FromGzip(file, cancellation), cancellation, depth + 1);
        return start.AsSpan().SequenceEqual("PK\u0003\u0004"u8) || start.AsSpan().SequenceEqual("PK\u0005\u0006"u8)
            ? [.. FromZip(file, cancellation).SelectMany(entry => Unpack(entry, cancellation, depth + 1))] : [file];
    }

    public void Dispose()
    {
        foreach (var file in _made)
            file.Dispose();
    }

    private DataFile FromGzip(DataFile file, CancellationToken cancellation)
    {
        using var packed = file.Open();
        using var watched = new EndMark(packed);
        using var content = new GZipStream(watched, CompressionMode.Decompress);
        var name = file.Name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file.Name[..^3] : file.Name;
        var unpacked = Copy(content, name, packed.Length, file.Name, cancellation);
        if (!watched.TakeFrom(unpacked))
            throw Damaged(file.Name, "its end is missing");
        return unpacked;
    }

    private IEnumerable<DataFile> FromZip(DataFile file, CancellationToken cancellation)
    {
        using var packed = file.Open();
        CheckDirectory(packed, file.Name);
        using var zip = Opened(packed, file.Name);
        var entries = zip.Entries.Where(entry => entry.Name.Length > 0 && !entry.FullName.StartsWith("__MACOSX", StringComparison.Ordinal)
            && !entry.Name.StartsWith('.')).ToList();
        if (entries.Exists(entry => entry.FullName == "[Content_Types].xml"))
            throw new TableException($"'{file.Name}' is an Office document: save the sheet as CSV");
        if (entries.Count == 0)
            throw new TableException($"'{file.Name}' is an empty zip file");
        foreach (var entry in entries)
        {
            Stream content;
            try
            {
                content = entry.Open();
            }
            catch (Exception e) when (e is InvalidDataException or NotSupportedException)
            {
                throw Damaged(file.Name, e.Message);
            }
            using (content)
                yield return Copy(content, entry.Name, entry.CompressedLength, file.Name, cancellation);
        }
    }

    private DataFile Copy(Stream content, string name, long packedLength, string packedName, CancellationToken cancellation)
    {
        var file = new DataFile(name, Path.Combine(_folder, Path.GetRandomFileName()));
        _made.Add(file);
        using var target = new FileStream(file.Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete);
        var buffer = new byte[1 << 16];
        long length = 0;
        try
        {
            while (content.Read(buffer) is > 0 and var read)
            {
                cancellation.ThrowIfCancellationRequested();
                length += read;
                _left -= read;
                if (_left < 0)
                    throw new TableException($"'{packedName}' holds more than {_mostBytes:N0} bytes when unpacked, which is the most "
                        + $"allowed");
                if (length > RatioMattersFrom && length > MostRatio * packedLength)
                    throw new TableException($"'{packedName}' holds more than {MostRatio} times its own size, which no table does");
                target.Write(buffer, 0, read);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Damaged(packedName, e.Message);
        }
        return file;
    }

    /// <summary>A zip's list of entries is read as a whole, so its length is looked at first.</summary>
    private static void CheckDirectory(Stream packed, string name)
    {
        var tail = new byte[Math.Min(packed.Length, 66_000)];
        packed.Position = packed.Length - tail.Length;
        packed.ReadExactly(tail);
        packed.Position = 0;
        var end = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (end < 0 || end + 22 > tail.Length)
            throw Damaged(name, "its list of contents is missing");
        var (entries, length) = (BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(end + 10)),
            BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(end + 12)));
        if (entries > MostEntries || length > MostDirectory)
            throw new TableException($"'{name}' holds {entries:N0} files; at most {MostEntries:N0} are allowed");
    }

    private static ZipArchive Opened(Stream packed, string name)
    {
        try
        {
            var zip = new ZipArchive(packed, ZipArchiveMode.Read, leaveOpen: true);
            _ = zip.Entries.Count;
            return zip;
        }
        catch (InvalidDataException e)
        {
            throw Damaged(name, e.Message);
        }
    }

    private static TableException Damaged(string name, string why) => new($"'{name}' is damaged or cut off: {why}");
}

/// <summary>
/// A gzip file with a piece of our own behind it: the piece is found at the end of what is unpacked only if the file before it was whole.
/// .NET's GZipStream itself takes the end of a file that is cut off for the end of its content.
/// </summary>
internal sealed class EndMark : ReadOnlyStream
{
    private readonly Stream _file;
    private readonly byte[] _mark = System.Security.Cryptography.RandomNumberGenerator.GetBytes(32);
    private readonly MemoryStream _piece = new();

    public EndMark(Stream file)
    {
        _file = file;
        using (var packed = new GZipStream(_piece, CompressionLevel.Fastest, leaveOpen: true))
            packed.Write(_mark);
        _piece.Position = 0;
    }

    public override int Read(Span<byte> buffer) => _file.Read(buffer) is > 0 and var read ? read : _piece.Read(buffer);

    /// <summary>Takes the piece away; false if it is not there.</summary>
    public bool TakeFrom(DataFile unpacked)
    {
        using var file = new FileStream(unpacked.Path, FileMode.Open, FileAccess.ReadWrite);
        if (file.Length < _mark.Length)
            return false;
        var end = new byte[_mark.Length];
        file.Position = file.Length - end.Length;
        file.ReadExactly(end);
        if (!end.AsSpan().SequenceEqual(_mark))
            return false;
        file.SetLength(file.Length - end.Length);
        return true;
    }
}
