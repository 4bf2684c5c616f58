using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>
/// Rows of Weka's format as a CSV file has them, line by line: backslashes before quotes and other signs are resolved, both kinds of quotes
/// become one, which is doubled inside, and of sparse rows, {2 7, 5 yes}, what is left out is written: 0, or the attribute's first value.
/// </summary>
/// <param name="file">At the first row.</param>
/// <param name="header">What the file says of its attributes.</param>
internal sealed class ArffRows(Stream file, ArffHeader header) : ReadOnlyStream
{
    private const byte Apostrophe = (byte)'\'';

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly MemoryStream _line = new();
    private readonly MemoryStream _row = new();
    private readonly string[] _sparse = new string[header.Names.Count];
    private int _at;
    private int _end;
    private int _given;

    public override int Read(Span<byte> buffer)
    {
        if (_given == _row.Length && !Next())
            return 0;
        var length = Math.Min(buffer.Length, (int)_row.Length - _given);
        _row.GetBuffer().AsSpan(_given, length).CopyTo(buffer);
        _given += length;
        return length;
    }

    /// <summary>The next line as a row; false at the end.</summary>
    private bool Next()
    {
        _row.SetLength(0);
        _given = 0;
        if (!ReadLine())
            return false;
        var line = _line.GetBuffer().AsSpan(0, (int)_line.Length);
        var content = line.Trim(" \t\r\n"u8);
        if (content.StartsWith("{"u8) && content.EndsWith("}"u8))
        {
            if (Sparse(content[1..^1]))
            {
                _row.WriteByte((byte)'\n');
                return true;
            }
            _row.SetLength(0);   // as it stands: what is wrong with it is told where rows are read
            _row.Write(line);
        }
        else if (content.StartsWith("%"u8))
        {
            _row.Write(line);
        }
        else
        {
            for (ReadOnlySpan<byte> rest = line; !rest.IsEmpty;)
                rest = Value(rest);
        }
        return true;
    }

    /// <summary>Writes the values of a sparse row; false if it isn't one.</summary>
    private bool Sparse(ReadOnlySpan<byte> content)
    {
        Array.Clear(_sparse);
        for (content = content.TrimStart(" \t"u8); !content.IsEmpty; content = content.TrimStart(" \t"u8))
        {
            var blank = content.IndexOfAny((byte)' ', (byte)'\t');
            if (blank < 1 || !int.TryParse(content[..blank], out var index) || index < 0 || index >= _sparse.Length)
                return false;
            _row.SetLength(0);
            content = Value(content[blank..].TrimStart(" \t"u8));
            _sparse[index] = Encoding.UTF8.GetString(_row.GetBuffer().AsSpan(0, (int)_row.Length)).Trim().TrimEnd(',').TrimEnd();
        }
        _row.SetLength(0);
        for (var i = 0; i < _sparse.Length; i++)
        {
            if (i > 0)
                _row.WriteByte((byte)',');
            _row.Write(Encoding.UTF8.GetBytes(_sparse[i] ?? header.Defaults[i]));
        }
        return true;
    }

    /// <summary>Writes a value and the comma behind it; answers what follows.</summary>
    private ReadOnlySpan<byte> Value(ReadOnlySpan<byte> text)
    {
        var begin = text.Length - text.TrimStart(" \t"u8).Length;
        var quote = begin < text.Length && text[begin] is Apostrophe or (byte)'"' ? text[begin] : (byte)0;
        _row.Write(text[..begin]);
        var at = begin;
        if (quote != 0)
        {
            _row.WriteByte(Apostrophe);
            for (at++; at < text.Length && text[at] != quote; at++)
            {
                var c = text[at];
                if (c == '\\' && at + 1 < text.Length)
                    c = Escaped(text[++at]);
                if (c == Apostrophe)
                    _row.WriteByte(c);
                _row.WriteByte(c);
            }
            if (at < text.Length)
            {
                _row.WriteByte(Apostrophe);
                at++;
            }
        }
        var end = text[at..].IndexOf((byte)',');
        end = end < 0 ? text.Length : at + end + 1;
        _row.Write(text[at..end]);
        return text[end..];
    }

    private static byte Escaped(byte c) => c switch
    {
        (byte)'n' or (byte)'r' or (byte)'t' => (byte)' ',
        _ => c,
    };

    private bool ReadLine()
    {
        _line.SetLength(0);
        while (true)
        {
            if (_at == _end)
            {
                (_at, _end) = (0, file.Read(_buffer));
                if (_end == 0)
                    return _line.Length > 0;
            }
            var rest = _buffer.AsSpan(_at, _end - _at);
            var length = rest.IndexOf((byte)'\n') is >= 0 and var end ? end + 1 : rest.Length;
            _line.Write(rest[..length]);
            _at += length;
            if (rest[length - 1] == '\n')
                return true;
            if (_line.Length > CsvSource.LongestRecord)
                throw new TableException($"a row of more than {CsvSource.LongestRecord >> 20} MiB begins with "
                    + TableException.Show(_line.GetBuffer().AsSpan(0, 200)));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
            _line.Dispose();
            _row.Dispose();
        }
        base.Dispose(disposing);
    }
}
