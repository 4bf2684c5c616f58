using System.Globalization;
using System.Security.Cryptography;
using CsvHelper;

namespace TrainingService.Host.Datasets;

/// <summary>
/// A data set in a CSV file with a header; an empty field is a missing value. A fixed fifth of the rows, stratified
/// by class, is the test split.
/// </summary>
/// <param name="card">Its classes are the values that the target's column may have.</param>
/// <param name="splitSeed">Draws the test rows, the same for every job.</param>
/// <param name="content">The CSV text in UTF-8.</param>
/// <param name="categories">Values of the columns that aren't numbers.</param>
public sealed class CsvDataset(DatasetCard card, long splitSeed, Func<byte[]> content,
    IReadOnlyDictionary<string, string[]>? categories = null) : Dataset(card)
{
    private const double Fifth = 0.2;
    private readonly Lazy<Parsed> _parsed = new(() => Parse(card, content(), categories ?? new Dictionary<string, string[]>(), splitSeed));

    public override IReadOnlyList<Column> Columns => _parsed.Value.Columns;
    public override IReadOnlyList<int> ClassCounts => _parsed.Value.ClassCounts;
    public override int TrainRows => _parsed.Value.Split.Train.Length;
    public override int TestRows => _parsed.Value.Split.Test.Length;
    public override double? TestFraction => Fifth;
    public override int DroppedRows => _parsed.Value.DroppedRows;
    public override string Sha256 => _parsed.Value.Sha256;
    public override Table Read() => _parsed.Value.Table;
    public override RowSplit Split() => _parsed.Value.Split;

    private sealed record Parsed(Table Table, IReadOnlyList<Column> Columns,
        int[] ClassCounts, RowSplit Split, int DroppedRows, string Sha256);

    private static Parsed Parse(DatasetCard card, byte[] content, IReadOnlyDictionary<string, string[]> categories, long splitSeed)
    {
        using var csv = CsvReader.Create(content, new CsvReaderOptions { Separator = ',', TrackLineNumbers = true });
        string[] header = [.. csv.Headers];
        var target = Array.IndexOf(header, card.Target);
        if (target < 0)
            throw new InvalidDataException($"{card.Name} has no column '{card.Target}'");
        var columns = header.Where((_, i) => i != target).Select(name => new Column(name, categories.GetValueOrDefault(name))).ToArray();

        var (cells, labels, values, dropped) = (new List<double>(), new List<int>(), new List<double>(), 0);
        while (csv.Read())
        {
            if (csv.FieldCount != header.Length)
                throw new InvalidDataException($"{card.Name}, line {csv.LineNumber}: {csv.FieldCount} fields instead of {header.Length}");
            if (csv.IsEmpty(target))
            {
                dropped++;
                continue;
            }
            if (card.Classes.Count > 0)
                labels.Add(IndexOf(csv.GetString(target), card.Classes, card, csv.LineNumber));
            else
                values.Add(Number(csv.GetString(target), card, csv.LineNumber));
            for (var c = 0; c < columns.Length; c++)
            {
                var field = csv.GetString(c < target ? c : c + 1);
                cells.Add(field.Length == 0 ? double.NaN
                    : columns[c].Categories is { } known ? IndexOf(field, known, card, csv.LineNumber)
                    : Number(field, card, csv.LineNumber));
            }
        }

        var table = new Table(columns.Length, [.. cells], [.. labels], [.. values]);
        var counts = new int[card.Classes.Count];
        foreach (var label in table.Labels)
            counts[label]++;
        var order = StratifiedOrder.Of([.. Enumerable.Range(0, table.Rows)], table.Labels, splitSeed);
        var testRows = DatasetRegistry.HeldOutRows(table.Rows, Fifth, strata: Math.Max(1, counts.Count(count => count > 0)));
        return new(table, columns, counts, new([.. order[testRows..].Order()], order[..testRows]),
            dropped, Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    private static int IndexOf(string field, IReadOnlyList<string> known, DatasetCard card, long line)
    {
        for (var i = 0; i < known.Count; i++)
            if (known[i] == field)
                return i;
        throw new InvalidDataException($"{card.Name}, line {line}: '{field}' is none of {string.Join(", ", known)}");
    }

    private static double Number(string field, DatasetCard card, long line) =>
        double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw new InvalidDataException($"{card.Name}, line {line}: '{field}' is not a finite number");
}
