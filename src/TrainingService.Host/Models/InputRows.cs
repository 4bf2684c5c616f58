using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using CsvHelper;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Models;

/// <summary>
/// Raw rows of a request, as a number or a category's index a column; NaN is missing. What doesn't fit is told with its row, its column,
/// what was found and what is allowed. By name, columns of a file that was brought may stand as they stood in it: whole dates, yes and no,
/// the values of an ordinal; those that were dropped are not looked at.
/// </summary>
/// <param name="card">Of the net.</param>
/// <param name="errors">Where refusals go.</param>
/// <param name="brought">The data set that it was trained on, if it was brought and is still there.</param>
public sealed class InputRows(ModelCard card, List<SpecError> errors, StoredDataset? brought = null)
{
    /// <summary>Of a request.</summary>
    public const int MaxRows = 10_000;

    private const int MaxErrors = 50;

    private readonly IReadOnlyList<EncodedColumn> _columns = card.Encoding.Columns;
    private readonly Dictionary<string, int[]> _places = PlacesOf(card, brought);
    private readonly Dictionary<string, StoredColumn> _stored =
        (brought?.Schema.Features ?? []).ToDictionary(column => column.Name);
    private readonly HashSet<string> _unused =
        [card.Target, .. brought?.Version.Facts.Options.Drop ?? [], .. brought?.Schema.Group is { } group ? (string[])[group.Name] : []];

    /// <summary>As the row before named them: nearly all rows of a request name their columns in one order.</summary>
    private readonly List<(string Name, int[]? Places)> _named = [];

    private readonly Hints _hints = new();

    private readonly Missing _missing = new(brought?.Version.Facts.Options.Missing ?? []);

    public IReadOnlyList<double[]> Read(JsonElement inputs)
    {
        var rows = new List<double[]>(inputs.GetArrayLength());
        foreach (var (row, values) in inputs.EnumerateArray().Index())
        {
            if (errors.Count >= MaxErrors || TooMany(row))
                break;
            var cells = new double[_columns.Count];
            rows.Add(cells);
            if (values.ValueKind == JsonValueKind.Array)
                ReadList(values, row, cells);
            else if (values.ValueKind == JsonValueKind.Object)
                ReadObject(values, row, cells);
            else
                errors.Add(new($"/inputs/{row}",
                    $"row {row} must be a list of {_columns.Count} values or an object by column name, not {Show(values)}"));
        }
        return rows;
    }

    /// <summary>Rows of a CSV text in UTF-8, whose header names the columns in any order.</summary>
    public IReadOnlyList<double[]> Read(ReadOnlyMemory<byte> text)
    {
        var rows = new List<double[]>();
        if (!Utf8.IsValid(text.Span))
        {
            errors.Add(new("", "the body must be CSV in UTF-8, not compressed"));
            return rows;
        }
        try
        {
            using var csv = CsvReader.Create(text.ToArray(), new CsvReaderOptions { Separator = ',', TrackLineNumbers = true });
            string[] header = [.. csv.Headers];
            int[][] places = [.. header.Select(name => Places(name, ""))];
            bool[] plain = [.. _columns.Select(column => column.Categories is null
                && _stored.GetValueOrDefault(column.Name) is not { Part: not null })];
            var covered = places.SelectMany(place => place).ToHashSet();
            foreach (var column in _columns.Where((_, c) => !covered.Contains(c)).Take(MaxErrors))
                errors.Add(new("", $"the header has no column '{column.Name}'{_hints.DidYouMean(column.Name, header)}; "
                    + $"there must be {List(_columns.Select(c => c.Name))}"));
            foreach (var twice in header.GroupBy(name => name).Where(name => name.Count() > 1))
                errors.Add(new("", $"the header names column '{twice.Key}' {twice.Count()} times"));
            if (errors.Count == 0 && places.Sum(place => place.Length) > covered.Count)
                errors.Add(new("", "the header names a date and its parts: leave out one or the other"));
            for (var row = 0; errors.Count == 0 && csv.Read() && !TooMany(row); row++)
            {
                if (csv.FieldCount != header.Length)
                {
                    errors.Add(new($"/{row}", $"row {row} (line {csv.LineNumber}) has {csv.FieldCount} values; "
                        + $"the header names {header.Length} columns"));
                    break;
                }
                var (cells, pointer) = (new double[_columns.Count], $"/{row}");
                rows.Add(cells);
                for (var field = 0; field < header.Length; field++)
                    foreach (var place in places[field])
                        cells[place] = plain[place] && NumberText.TryShort(csv.GetSpan(field), out var number, out _) ? number
                            : Text(csv.GetString(field), row, place, pointer, header[field]);
            }
            if (rows.Count == 0 && errors.Count == 0)
                errors.Add(new("", "the body has a header and no rows"));
        }
        catch (Exception e) when (e is CsvFormatException or CsvValidationException or InvalidDataException or FormatException
            or InvalidOperationException)
        {
            errors.Add(new("", $"the body can't be read as CSV: {e.Message}"));
        }
        return rows;
    }

    private void ReadList(JsonElement values, int row, double[] cells)
    {
        if (values.GetArrayLength() != _columns.Count)
        {
            errors.Add(new($"/inputs/{row}", $"row {row} has {values.GetArrayLength()} values; "
                + $"there must be {_columns.Count}: {List(_columns.Select(c => c.Name))}"));
            return;
        }
        var (c, pointer) = (0, $"/inputs/{row}");
        foreach (var value in values.EnumerateArray())
            cells[c] = Cell(value, row, c++, pointer);
    }

    private void ReadObject(JsonElement values, int row, double[] cells)
    {
        var (seen, pointer) = (new bool[cells.Length], $"/inputs/{row}");
        foreach (var (i, property) in values.EnumerateObject().Index())
        {
            if (i == _named.Count)
                _named.Add(("", null));
            if (_named[i].Places is null || !property.NameEquals(_named[i].Name))
                _named[i] = (property.Name, _places.GetValueOrDefault(property.Name));
            var (name, places) = _named[i];
            foreach (var place in places ?? Places(name, pointer))
            {
                if (seen[place])
                    errors.Add(new($"{pointer}/{JsonShape.Escape(name)}", $"row {row} names column '{name}' twice"));
                seen[place] = true;
                cells[place] = Cell(property.Value, row, place, pointer, name);
            }
        }
        if (!seen.Contains(false))
            return;
        var absent = _columns.Where((_, c) => !seen[c]).Select(c => c.Name).ToList();
        errors.Add(new($"/inputs/{row}", $"row {row} lacks {(absent.Count == 1 ? "column" : "columns")} {List(absent)}; "
            + "a missing value is written as null"));
    }

    /// <summary>Of the net's columns by name, and of whole dates by the name of their column in the file.</summary>
    private static Dictionary<string, int[]> PlacesOf(ModelCard card, StoredDataset? brought)
    {
        var places = card.Encoding.Columns.Index().ToDictionary(c => c.Item.Name, c => (int[])[c.Index]);
        foreach (var date in (brought?.Schema.Features ?? []).Where(column => column is { From: not null, Part: not null })
            .GroupBy(column => column.From ?? ""))
            places.TryAdd(date.Key, [.. date.Where(part => places.ContainsKey(part.Name)).Select(part => places[part.Name][0])]);
        return places;
    }

    /// <summary>None for what is not looked at.</summary>
    private int[] Places(string name, string pointer)
    {
        if (_places.TryGetValue(name, out var places))
            return places;
        if (!_unused.Contains(name) && errors.Count < MaxErrors)
            errors.Add(new($"{pointer}/{JsonShape.Escape(name)}", $"there is no column '{Characters.Shorten(name, 100)}'"
                + $"{_hints.DidYouMean(name, _places.Keys)}; there are {List(_places.Keys)}"));
        return [];
    }

    private double Cell(JsonElement value, int row, int column, string pointer, string? named = null) => value.ValueKind switch
    {
        JsonValueKind.Null => double.NaN,
        JsonValueKind.Number when _columns[column].Categories is null && Number(value) is var number && double.IsFinite(number) => number,
        JsonValueKind.Number when _columns[column].Categories is not null => Text(value.GetRawText(), row, column, pointer),
        JsonValueKind.True or JsonValueKind.False => Flag(value.ValueKind is JsonValueKind.True, row, column, pointer),
        JsonValueKind.String when value.GetString() is { } text => Text(text, row, column, pointer, named),
        _ => Refuse(row, column, pointer, Show(value)),
    };

    /// <summary>To the bits of GetDouble, in a fraction of its time.</summary>
    private static double Number(JsonElement value) =>
        NumberText.TryShort(JsonMarshal.GetRawUtf8Value(value), out var number, out _) ? number : value.GetDouble();

    private double Flag(bool value, int row, int column, string pointer)
    {
        if (_columns[column].Categories is not { } categories)
            return value ? 1 : 0;
        for (var k = 0; k < categories.Count; k++)
            if (bool.TryParse(categories[k], out var category) && category == value)
                return k;
        return Refuse(row, column, pointer, value ? "true" : "false");
    }

    /// <param name="text">The value.</param>
    /// <param name="row">For what is told.</param>
    /// <param name="column">Of the net.</param>
    /// <param name="pointer">To the row.</param>
    /// <param name="named">As what it was named: a part of a date by the name of the whole.</param>
    private double Text(string text, int row, int column, string pointer, string? named = null)
    {
        var stored = _stored.GetValueOrDefault(_columns[column].Name);
        var bytes = Encoding.UTF8.GetBytes(text.Trim());
        if (stored is { Part: { } part, Order: { } order } && named == stored.From)
            return DateText.TryRead(bytes, order, out var date) ? DateText.Part(date, part)
                : _missing.Has(bytes) ? double.NaN : RefuseDate(row, named ?? "", pointer, text);
        if (_columns[column].Categories is { } categories)
        {
            for (var k = 0; k < categories.Count; k++)
                if (categories[k] == text)
                    return k;
        }
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
        {
            return number;
        }
        else if (stored is { Categories: { } places } && places.Index().FirstOrDefault(p => p.Item == text) is { Item: not null } place)
        {
            return place.Index;
        }
        else if (stored is { Kind: ColumnKind.Boolean } && TablePlan.Truth(text) is { } truth)
        {
            return truth;
        }
        else if (stored is { Kind: ColumnKind.Number }
            && NumberText.Read(bytes, Decimals.PointAndThousands, out var written, out _) is NumberForm.Number or NumberForm.Infinite)
        {
            return written;   // infinite ones are missing, as in training
        }
        return _missing.Has(bytes) || _columns[column].Categories is null && MissingText.IsAmongNumbers(bytes) ? double.NaN
            : Refuse(row, column, pointer, $"'{Characters.Shorten(text, 100)}'");
    }

    private double Refuse(int row, int column, string pointer, string found)
    {
        var (name, categories, _, _) = _columns[column];
        errors.Add(new($"{pointer}/{JsonShape.Escape(name)}", $"row {row}, column '{name}': found {found}; allowed is "
            + (categories is null ? "a finite number, or null for a missing value"
                : $"one of {List(categories)}, or null for a missing value")));
        return double.NaN;
    }

    private double RefuseDate(int row, string name, string pointer, string text)
    {
        var refusal = new SpecError($"{pointer}/{JsonShape.Escape(name)}", $"row {row}, column '{name}': found "
            + $"'{Characters.Shorten(text, 100)}'; allowed is a date as in the file that was brought, or null for a missing value");
        // Once, not for each part.
        if (!errors.Contains(refusal))
            errors.Add(refusal);
        return double.NaN;
    }

    private bool TooMany(int row)
    {
        if (row >= MaxRows)
            errors.Add(new("/inputs", $"at most {MaxRows:N0} rows are answered at once; send the rest in another request"));
        return row >= MaxRows;
    }

    private static string List(IEnumerable<string> names)
    {
        var all = names.ToList();
        return all.Count <= 20 ? string.Join(", ", all) : $"{string.Join(", ", all.Take(20))} and {all.Count - 20} more";
    }

    private static string Show(JsonElement value) => Characters.Shorten(value.GetRawText(), 100);
}
