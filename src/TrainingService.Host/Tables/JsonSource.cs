using System.Text;
using System.Text.Json;

namespace TrainingService.Host.Tables;

/// <summary>Objects of a JSON file, one after the other: JSON Lines, or one list of objects.</summary>
internal sealed class JsonObjects(Stream file) : IDisposable
{
    private const int Longest = 16 << 20;

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly MemoryStream _object = new();
    private int _at;
    private int _end;
    private bool _inList;

    public long Line { get; private set; } = 1;

    public void Dispose()
    {
        file.Dispose();
        _object.Dispose();
    }

    /// <summary>The next object; null at the end.</summary>
    public JsonDocument? Read()
    {
        _object.SetLength(0);
        var (depth, inText, escaped) = (0, false, false);
        var begin = Line;
        while (Next() is >= 0 and var next)
        {
            var c = (byte)next;
            if (depth == 0)
            {
                if (c is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)',' or 0xEF or 0xBB or 0xBF || c == ']' && _inList)
                    continue;
                if (c == '[' && !_inList)
                {
                    _inList = true;
                    continue;
                }
                if (c != '{')
                    throw new TableException($"line {Line:N0}: {TableException.Show([c])} is found where an object begins: a JSON file is "
                        + $"a table if it has "
                        + "an object such as {\"x\": 1, \"y\": \"a\"} in each line, or one list of such objects");
                begin = Line;
            }
            if (!inText && c is (byte)'N' or (byte)'I')
            {
                AddBare(c);
                continue;
            }
            if (_object.Length == Longest)
                throw new TableException($"line {begin:N0}: an object of more than {Longest >> 20} MiB begins here");
            _object.WriteByte(c);
            if (inText)
            {
                inText = escaped || c != '"';
                escaped = !escaped && c == '\\';
                continue;
            }
            inText = c == '"';
            depth += c is (byte)'{' or (byte)'[' ? 1 : c is (byte)'}' or (byte)']' ? -1 : 0;
            if (depth == 0)
                return Parse(begin);
        }
        return depth == 0 ? null : throw new TableException($"line {begin:N0}: the object that begins here is cut off");
    }

    /// <summary>NaN, Infinity and -Infinity, which are no JSON and which Python writes: null, and texts.</summary>
    private void AddBare(byte first)
    {
        var word = first == 'N' ? "NaN"u8 : "Infinity"u8;
        var at = 1;
        while (at < word.Length && Next() is var next)
            if (next == word[at])
                at++;
            else
                break;
        var isNegative = _object.Length > 0 && _object.GetBuffer()[_object.Length - 1] == '-';
        if (at < word.Length)
            _object.WriteByte(first);   // neither; told where the object is parsed
        else if (first == 'N')
            _object.Write("null"u8);
        else if (isNegative)
        {
            _object.SetLength(_object.Length - 1);
            _object.Write("\"-Infinity\""u8);
        }
        else
        {
            _object.Write("\"Infinity\""u8);
        }
    }

    private JsonDocument Parse(long line)
    {
        try
        {
            // A copy: what is read next would overwrite it.
            return JsonDocument.Parse(_object.ToArray(), new JsonDocumentOptions { MaxDepth = 16 });
        }
        catch (JsonException e)
        {
            throw new TableException($"line {line:N0}: {e.Message.Split(" LineNumber:")[0].TrimEnd('.')}");
        }
    }

    private int Next()
    {
        if (_at == _end)
        {
            (_at, _end) = (0, file.Read(_buffer));
            if (_end == 0)
                return -1;
        }
        var c = _buffer[_at++];
        if (c == '\n')
            Line++;
        return c;
    }
}

/// <summary>Rows of a JSON file: each object is one, its fields are columns, and those of objects inside are called outer.inner.</summary>
public sealed class JsonSource : RowSource
{
    private readonly JsonObjects _objects;
    private readonly Dictionary<string, int> _places;
    private readonly Value[] _values;
    private readonly byte[] _text = new byte[1 << 16];
    private JsonDocument? _current;

    /// <param name="file">The text.</param>
    /// <param name="names">Of <see cref="Find"/>.</param>
    public JsonSource(Stream file, IReadOnlyList<string> names)
    {
        (_objects, Names) = (new(file), names);
        _places = names.Index().ToDictionary(name => name.Item, name => name.Index);
        _values = new Value[names.Count];
    }

    private readonly record struct Value(JsonElement? Element);

    public override IReadOnlyList<string> Names { get; }

    public override string Place => $"row {Row:N0} (line {_objects.Line:N0})";

    public override Cell this[int column]
    {
        get
        {
            if (_values[column].Element is not { } value)
                return new([]);
            switch (value.ValueKind)
            {
                case JsonValueKind.True:
                    return new("true"u8);
                case JsonValueKind.False:
                    return new("false"u8);
                case JsonValueKind.Number:
                    return Text(value.GetRawText());
                case JsonValueKind.String:
                    return Text(Unescaped(value));
                default:
                    return new([]);
            }
        }
    }

    /// <summary>All names of fields, in the order of their first appearance.</summary>
    public static IReadOnlyList<string> Find(Func<Stream> open)
    {
        var names = new List<string>();
        var known = new HashSet<string>();
        using var objects = new JsonObjects(open());
        while (objects.Read() is { } document)
            using (document)
                foreach (var (name, _) in Fields(document.RootElement, "", objects.Line))
                    if (known.Add(name))
                    {
                        names.Add(name);
                        if (names.Count > CsvDialect.MostColumns)
                            throw new TableException($"line {objects.Line:N0}: the objects have more than {CsvDialect.MostColumns:N0} "
                                + $"different fields");
                    }
        return names;
    }

    public override void Dispose()
    {
        base.Dispose();
        _objects.Dispose();
        _current?.Dispose();
    }

    protected override bool ReadRow()
    {
        _current?.Dispose();
        _current = _objects.Read();
        if (_current is null)
            return false;
        Array.Clear(_values);
        foreach (var (name, value) in Fields(_current.RootElement, "", _objects.Line))
            _values[_places[name]] = new(value.ValueKind == JsonValueKind.Undefined ? null : value);
        return true;
    }

    private static IEnumerable<(string Name, JsonElement Value)> Fields(JsonElement value, string outer, long line)
    {
        foreach (var field in value.EnumerateObject())
        {
            var name = outer + Name(field, line);
            if (field.Value.ValueKind == JsonValueKind.Object)
                foreach (var inner in Fields(field.Value, name + ".", line))
                    yield return inner;
            else if (field.Value.ValueKind == JsonValueKind.Array)
                throw new TableException($"line {line:N0}, field '{name}': a list is no value of a table; write its items as fields of "
                    + $"their own");
            else if (field.Value.ValueKind != JsonValueKind.Null)
                yield return (name, field.Value);
            else
                yield return (name, default);
        }
    }

    private static string Name(JsonProperty field, long line)
    {
        try
        {
            return field.Name;
        }
        catch (InvalidOperationException)
        {
            throw new TableException($"line {line:N0}: a field's name holds half of a surrogate pair");
        }
    }

    private string Unescaped(JsonElement value)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw new TableException($"{Place}: a text holds half of a surrogate pair");
        }
    }

    private Cell Text(string text) => Encoding.UTF8.TryGetBytes(text, _text, out var length)
        ? new(_text.AsSpan(0, length)) : new(Encoding.UTF8.GetBytes(text));
}
