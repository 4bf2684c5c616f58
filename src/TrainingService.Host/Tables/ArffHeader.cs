using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>
/// What stands before the rows of a file in Weka's format (https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/).
/// </summary>
/// <param name="Names">Of the attributes.</param>
/// <param name="Types">Of those that say what they are.</param>
/// <param name="Offset">Of the first row in the file.</param>
/// <param name="Lines">Before it.</param>
/// <param name="Target">An attribute that is called class, as is the custom.</param>
/// <param name="Defaults">What sparse rows leave out, as it stands in a row: 0, or an attribute's first value; none of texts.</param>
public sealed record ArffHeader(IReadOnlyList<string> Names, IReadOnlyDictionary<string, DeclaredType> Types, long Offset, int Lines,
    string? Target, IReadOnlyList<string> Defaults)
{
    private const int LongestLine = 1 << 20;

    /// <exception cref="TableException">If it isn't one.</exception>
    public static ArffHeader Read(DataFile file)
    {
        using var stream = file.Open();
        var (names, types, defaults, number) = (new List<string>(), new Dictionary<string, DeclaredType>(), new List<string>(), 0);
        while (ReadLine(stream) is { } line)
        {
            number++;
            if (line.StartsWith("@data", StringComparison.OrdinalIgnoreCase))
                return names.Count > 0 ? new(names, types, stream.Position, number,
                    names.Find(name => name.Equals("class", StringComparison.OrdinalIgnoreCase)), defaults)
                    : throw new TableException($"line {number}: there is no @attribute before @data");
            if (!line.StartsWith("@attribute", StringComparison.OrdinalIgnoreCase))
                continue;
            var (name, type) = Attribute(line["@attribute".Length..].Trim(), number);
            if (names.Contains(name))
                throw new TableException($"line {number}: there are two attributes '{name}'");
            if (names.Count == CsvDialect.MostColumns)
                throw new TableException($"the file has more than {CsvDialect.MostColumns:N0} attributes");
            names.Add(name);
            defaults.Add(type.StartsWith('{') ? First(type[1..]) : IsNumeric(type) ? "0" : "");
            if (type.StartsWith('{'))
                types[name] = new(ColumnKind.Category);
            else if (IsNumeric(type))
                types[name] = new(ColumnKind.Number);
            else if (!type.StartsWith("string", StringComparison.OrdinalIgnoreCase)
                && !type.StartsWith("date", StringComparison.OrdinalIgnoreCase))
                throw new TableException($"line {number}: the attribute '{name}' is of the type '{type}'; allowed are numeric, real, "
                    + $"integer, string, date and {{a, b}}");
        }
        throw new TableException("the file ends before @data");
    }

    private static (string Name, string Type) Attribute(string text, int line)
    {
        if (text.Length > 0 && text[0] is '\'' or '"')
        {
            var (name, end) = Quoted(text);
            if (name.Length > 0)
                return (name, text[end..].Trim());
        }
        else if (text.IndexOfAny([' ', '\t', '{']) is > 0 and var blank)
        {
            return (text[..blank], text[blank..].Trim());
        }
        throw new TableException($"line {line}: '@attribute {text}' has no name and type");
    }

    private static bool IsNumeric(string type) => type.ToLowerInvariant().Split([' ', '\t', '['])[0] is "numeric" or "real" or "integer";

    /// <summary>The first of the values that are listed, in apostrophes.</summary>
    private static string First(string values)
    {
        values = values.TrimStart();
        var first = values.Length > 0 && values[0] is '\'' or '"' ? Quoted(values).Text : values.Split([',', '}'])[0].Trim();
        return $"'{first.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    /// <summary>The text in quotes at the beginning, in which a backslash stands before a quote, and where it ends.</summary>
    private static (string Text, int End) Quoted(string text)
    {
        var name = new StringBuilder();
        for (var at = 1; at < text.Length; at++)
        {
            if (text[at] == text[0])
                return (name.ToString(), at + 1);
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            name.Append(text[at]);
        }
        return ("", text.Length);
    }

    private static string? ReadLine(Stream stream)
    {
        var line = new List<byte>();
        int c;
        while ((c = stream.ReadByte()) >= 0 && c != '\n')
        {
            line.Add((byte)c);
            if (line.Count > LongestLine)
                throw new TableException($"a line of the header has more than {LongestLine:N0} bytes");
        }
        return c < 0 && line.Count == 0 ? null : Encoding.UTF8.GetString([.. line]).Trim().TrimStart('\uFEFF');
    }
}
