using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>
/// What stands before the rows of a file in Weka's format (https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/).
/// </summary>
/// <param name="Names">Of the attributes.</param>
/// <param name="Types">Of those that say what they are.</param>
/// <param name="Offset">Of the first row in the file.</param>
/// <param name="Target">An attribute that is called class, as is the custom.</param>
public sealed record ArffHeader(IReadOnlyList<string> Names, IReadOnlyDictionary<string, DeclaredType> Types, long Offset, string? Target)
{
    private const int LongestLine = 1 << 20;

    /// <exception cref="TableException">If it isn't one.</exception>
    public static ArffHeader Read(DataFile file)
    {
        using var stream = file.Open();
        var (names, types, number) = (new List<string>(), new Dictionary<string, DeclaredType>(), 0);
        while (ReadLine(stream) is { } line)
        {
            number++;
            if (line.StartsWith("@data", StringComparison.OrdinalIgnoreCase))
                return names.Count > 0 ? new(names, types, stream.Position,
                    names.Find(name => name.Equals("class", StringComparison.OrdinalIgnoreCase)))
                    : throw new TableException($"line {number}: there is no @attribute before @data");
            if (!line.StartsWith("@attribute", StringComparison.OrdinalIgnoreCase))
                continue;
            var (name, type) = Attribute(line["@attribute".Length..].Trim(), number);
            if (names.Contains(name))
                throw new TableException($"line {number}: there are two attributes '{name}'");
            if (names.Count == CsvDialect.MostColumns)
                throw new TableException($"the file has more than {CsvDialect.MostColumns:N0} attributes");
            names.Add(name);
            if (type.StartsWith('{'))
                types[name] = new(ColumnKind.Category);
            else if (type.ToLowerInvariant() is "numeric" or "real" or "integer")
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
            var end = text.IndexOf(text[0], 1);
            if (end > 1)
                return (text[1..end], text[(end + 1)..].Trim());
        }
        else if (text.IndexOfAny([' ', '\t', '{']) is > 0 and var blank)
        {
            return (text[..blank], text[blank..].Trim());
        }
        throw new TableException($"line {line}: '@attribute {text}' has no name and type");
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
