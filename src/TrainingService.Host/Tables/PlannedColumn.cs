using System.Globalization;

namespace TrainingService.Host.Tables;

/// <summary>A column that is stored, and how it is read from the file.</summary>
public sealed record PlannedColumn
{
    public required string Name { get; init; }

    /// <summary>Its place in the file.</summary>
    public required int Source { get; init; }
    public required ColumnKind Kind { get; init; }
    public required Storage Storage { get; init; }

    /// <summary>Names of the values in the order of their codes; null for numbers.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>Rows of each category.</summary>
    public IReadOnlyList<long>? Counts { get; init; }

    /// <summary>Codes of all texts that occur; several may mean the same number.</summary>
    public Dictionary<byte[], int>? Codes { get; init; }
    public DateOrders Order { get; init; }
    public DatePart? Part { get; init; }
    public long Missing { get; init; }
    public NumberSummary? Numbers { get; init; }

    /// <summary>Inputs of a network that it becomes.</summary>
    public int Width => Kind == ColumnKind.Category ? Categories?.Count ?? 0 : 1;

    /// <summary>The value of a cell: a number, the code of a category, or of a whole date its seconds; NaN where it is missing.</summary>
    public double Read(Cell cell, Decimals decimals, Missing missing)
    {
        Span<byte> written = stackalloc byte[32];
        scoped ReadOnlySpan<byte> text;
        if (cell.IsNumber)
        {
            if (Codes is null || missing.Has(cell))
                return double.IsFinite(cell.Number) ? cell.Number : double.NaN;
            cell.Number.TryFormat(written, out var length, "R", CultureInfo.InvariantCulture);
            text = written[..length];
        }
        else
        {
            text = missing.Trim(cell.Text);
            if (missing.Has(text))
                return double.NaN;
        }
        if (Codes is not null)
            return Codes.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(text, out var code) ? code : double.NaN;
        if (Kind is ColumnKind.Date)
            return !DateText.TryRead(text, Order, out var date) ? double.NaN
                : Part is { } part ? DateText.Part(date, part) : date.Ticks / (double)TimeSpan.TicksPerSecond;
        return NumberText.Read(text, decimals, out var number, out _) is NumberForm.Number ? number : double.NaN;
    }
}
