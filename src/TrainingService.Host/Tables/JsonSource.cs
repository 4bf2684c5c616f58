using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TrainingService.Host.Tables;

/// <summary>Objects or lists of a JSON file, one after the other: JSON Lines, or one list of them.</summary>
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

    /// <summary>The next object or list; null at the end.</summary>
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
                // a list of rows, unless it is one of values: a row by itself
                if (c == '[' && !_inList && Peek() is '{' or '[' or ']')
                {
                    _inList = true;
                    continue;
                }
                if (c is not ((byte)'{' or (byte)'['))
                    throw new TableException($"line {Line:N0}: {TableException.Show([c])} is found where an object begins: a JSON file is "
                        + $"a table if it has "
                        + "an object such as {\"x\": 1, \"y\": \"a\"} or a list such as [1, \"a\"] in each line, or one list of these");
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

    /// <summary>The next one that is no blank, which stays to be read; -1 at the end.</summary>
    private int Peek()
    {
        while (Next() is >= 0 and var c)
            if (c is not (' ' or '\t' or '\r' or '\n'))
            {
                _at--;
                return c;
            }
        return -1;
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

/// <summary>What the rows of a JSON file have.</summary>
/// <param name="Columns">All names, in the order of their first appearance.</param>
/// <param name="Items">Where rows are lists: names of their items, in order; null where rows are objects.</param>
/// <param name="HasHeader">Whether the first list is these names.</param>
public sealed record JsonNames(IReadOnlyList<string> Columns, IReadOnlyList<string>? Items, bool HasHeader);

/// <summary>
/// Rows of a JSON file: each object is one, its fields are columns, and those of objects inside are called outer.inner; or each list is.
/// </summary>
public sealed class JsonSource : RowSource
{
    private const string First = "row 1";

    private readonly JsonObjects _objects;
    private readonly IReadOnlyList<string>? _items;
    private readonly Dictionary<string, int> _places;
    private readonly Value[] _values;
    private readonly byte[] _text = new byte[1 << 16];
    private JsonDocument? _current;

    /// <param name="file">The text.</param>
    /// <param name="names">Of <see cref="Find"/>.</param>
    public JsonSource(Stream file, JsonNames names)
    {
        (_objects, Names, _items) = (new(file), names.Columns, names.Items);
        _places = Names.Index().ToDictionary(name => name.Item, name => name.Index);
        _values = new Value[Names.Count];
        if (names.HasHeader)
            _objects.Read()?.Dispose();
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

    public static JsonNames Find(Func<Stream> open)
    {
        var names = new List<string>();
        var known = new HashSet<string>();
        IReadOnlyList<string>? items = null;
        var header = false;
        using var objects = new JsonObjects(open());
        using var first = objects.Read();
        using var second = objects.Read();
        if (first is null)
            return new(names, null, false);
        if (first.RootElement.ValueKind == JsonValueKind.Array)
        {
            header = IsHeader(first.RootElement, second?.RootElement);
            items = [.. first.RootElement.EnumerateArray().Select((item, i) => header ? Text(item, First) : $"column{i + 1}")];
        }
        else if (second is null && IsByColumns(first.RootElement))
        {
            throw new TableException("the file is one object whose fields hold the values of a column each: write an object a row (pandas: "
                + "to_json(path, orient=\"records\"))");
        }
        if (!header)
            Add(first);
        Add(second);
        while (second is not null && objects.Read() is { } document)
            using (document)
                Add(document);
        return new(names, items, header);

        void Add(JsonDocument? document)
        {
            foreach (var (name, _) in document is null ? [] : RowOf(document.RootElement, items, objects.Line))
                if (known.Add(name))
                {
                    names.Add(name);
                    if (names.Count > CsvDialect.MostColumns)
                        throw new TableException($"line {objects.Line:N0}: the objects have more than {CsvDialect.MostColumns:N0} "
                            + $"different fields");
                }
        }
    }

    /// <summary>As in a CSV file: different texts that are no numbers, above a row that has one.</summary>
    private static bool IsHeader(JsonElement first, JsonElement? second)
    {
        JsonElement[] names = [.. first.EnumerateArray()];
        return names.Length > 0 && names.All(name => name.ValueKind == JsonValueKind.String && !IsNumber(name))
            && names.Select(name => Text(name, First)).Distinct().Count() == names.Length
            && second is { ValueKind: JsonValueKind.Array } row && row.EnumerateArray().Any(IsNumber);

        static bool IsNumber(JsonElement value) => value.ValueKind == JsonValueKind.Number || value.ValueKind == JsonValueKind.String
            && double.TryParse(Text(value, First), CultureInfo.InvariantCulture, out _);
    }

    /// <summary>Whether the one object there is has fields of the same keys or lists of the same length, at least two each.</summary>
    private static bool IsByColumns(JsonElement value)
    {
        JsonElement[] columns = [.. value.EnumerateObject().Select(field => field.Value)];
        if (columns.Length < 2)
            return false;
        if (columns.All(column => column.ValueKind == JsonValueKind.Array))
            return columns[0].GetArrayLength() > 1 && columns.All(column => column.GetArrayLength() == columns[0].GetArrayLength());
        if (!columns.All(column => column.ValueKind == JsonValueKind.Object))
            return false;
        string[][] keys = [.. columns.Select(column => column.EnumerateObject().Select(field => Name(field, 1)).ToArray())];
        return keys[0].Length > 1 && keys.All(key => key.SequenceEqual(keys[0]));
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
        foreach (var (name, value) in RowOf(_current.RootElement, _items, _objects.Line))
            _values[_places[name]] = new(value.ValueKind == JsonValueKind.Undefined ? null : value);
        return true;
    }

    private static IEnumerable<(string Name, JsonElement Value)> RowOf(JsonElement row, IReadOnlyList<string>? items, long line)
    {
        if (row.ValueKind == JsonValueKind.Object != items is null)
            throw new TableException($"line {line:N0}: the rows must be all objects or all lists");
        if (items is null)
            return row.EnumerateObject().SelectMany(field => Fields(Name(field, line), field.Value, line));
        if (row.GetArrayLength() != items.Count)
            throw new TableException($"line {line:N0}: the list has {row.GetArrayLength():N0} "
                + $"{(row.GetArrayLength() == 1 ? "value" : "values")} instead of {items.Count:N0}");
        return row.EnumerateArray().Zip(items).SelectMany(item => Fields(item.Second, item.First, line));
    }

    private static IEnumerable<(string Name, JsonElement Value)> Fields(string name, JsonElement value, long line) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().SelectMany(inner => Fields($"{name}.{Name(inner, line)}", inner.Value, line)),
            JsonValueKind.Array => throw new TableException($"line {line:N0}, field '{name}': a list is no value of a table; write its "
                + $"items as fields of their own, or send the list alone if they are the rows"),
            JsonValueKind.Null => [(name, default)],
            _ => [(name, value)],
        };

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

    private string Unescaped(JsonElement value) => Text(value, Place);

    private static string Text(JsonElement value, string place)
    {
        try
        {
            return value.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            throw new TableException($"{place}: a text holds half of a surrogate pair");
        }
    }

    private Cell Text(string text) => Encoding.UTF8.TryGetBytes(text, _text, out var length)
        ? new(_text.AsSpan(0, length)) : new(Encoding.UTF8.GetBytes(text));
}
