namespace TrainingService.Host.Tables;

/// <summary>
/// Text whose fields are separated by blanks, as many as it takes to line them up: read with one blank between fields and none around a
/// line.
/// Inside of quotes, which end with their line, blanks stay. Of encodings in which a blank is one byte.
/// </summary>
/// <param name="file">The text.</param>
internal sealed class BlankFields(Stream file) : ReadOnlyStream
{
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _at;
    private int _end;
    private bool _inLine;
    private bool _isBlank;
    private bool _isQuoted;

    public override int Read(Span<byte> buffer)
    {
        var written = 0;
        while (written < buffer.Length)
        {
            if (_at == _end)
            {
                // What is there is given before more is waited for.
                if (written > 0)
                    return written;
                (_at, _end) = (0, file.Read(_buffer));
                if (_end == 0)
                    return 0;
            }
            var c = _buffer[_at];
            if (c is (byte)' ' or (byte)'\t' && !_isQuoted)
            {
                _isBlank = _inLine;
                _at++;
                continue;
            }
            var isEnd = c is (byte)'\n' or (byte)'\r';
            if (_isBlank && !isEnd)
            {
                _isBlank = false;
                buffer[written++] = (byte)' ';
                continue;
            }
            _at++;
            buffer[written++] = c;
            (_inLine, _isBlank, _isQuoted) = (!isEnd, false, !isEnd && _isQuoted != (c == '"'));
        }
        return written;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            file.Dispose();
        base.Dispose(disposing);
    }
}
