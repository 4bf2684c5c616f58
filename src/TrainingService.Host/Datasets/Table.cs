using TrainingService.Host.Tables;

namespace TrainingService.Host.Datasets;

/// <summary>A feature before encoding.</summary>
/// <param name="Name">As in the file's header.</param>
/// <param name="Categories">All values that may occur, sorted; null for a number.</param>
public sealed record Column(string Name, IReadOnlyList<string>? Categories = null)
{
    /// <summary>Inputs of the network that the column becomes.</summary>
    public int EncodedWidth => Categories?.Count ?? 1;
}

/// <summary>
/// All rows of a data set in memory, before encoding, in the types that they are stored in: as doubles, Fashion-MNIST would take 440 MB.
/// A category is its index in the column's list; NaN is a missing value.
/// </summary>
public sealed class Table
{
    private readonly RowBlock[] _blocks;

    // of each column, which cell it is
    private readonly Lazy<int[]> _places;

    public Table(int columns, double[] cells, int[] labels, double[] values)
        : this(cells.Length / columns, [new RowBlock<double>(columns, cells)], [.. Enumerable.Range(0, columns)], labels, values) { }

    public Table(int columns, byte[] pixels, int[] labels)
        : this(pixels.Length / columns, [new RowBlock<byte>(columns, pixels)], [.. Enumerable.Range(0, columns)], labels, []) { }

    /// <param name="rows">Number of rows.</param>
    /// <param name="blocks">The columns that are stored alike, together.</param>
    /// <param name="order">Which columns they are, one block after the other.</param>
    /// <param name="labels">Class of each row.</param>
    /// <param name="values">Target of each row.</param>
    public Table(int rows, IReadOnlyList<RowBlock> blocks, IReadOnlyList<int> order, int[] labels, double[] values) =>
        (Rows, _blocks, Order, Labels, Values, HasMissing, _places) = (rows, [.. blocks], order, labels, values,
            blocks.Any(block => block.HasMissing), new(() => [.. order.Index().OrderBy(cell => cell.Item).Select(cell => cell.Index)]));

    /// <summary>Rows that are on their way from memory while one is read, since their order may be any.</summary>
    public const int Ahead = 2;

    public int Rows { get; }
    public int Columns => Order.Count;

    /// <summary>Which column each cell is of that <see cref="Read(int, Span{double})"/> gives.</summary>
    public IReadOnlyList<int> Order { get; }

    /// <summary>Class of each row; empty if the target is a number.</summary>
    public int[] Labels { get; }

    /// <summary>Target of each row; empty if it is a class.</summary>
    public double[] Values { get; }

    /// <summary>Equal for rows that stay on one side of each split; empty if any may be anywhere.</summary>
    public int[] Groups { get; init; } = [];

    /// <summary>When each row was, where held out rows are the latest; else empty.</summary>
    public double[] Times { get; init; } = [];

    public bool HasMissing { get; }

    /// <summary>A cell as people wrote it; null where it is missing.</summary>
    public object? Shown(int row, int column)
    {
        var at = _places.Value[column];
        foreach (var block in _blocks)
        {
            if (at < block.Width)
                return block.Shown(row, at);
            at -= block.Width;
        }
        throw new ArgumentOutOfRangeException(nameof(column));
    }

    /// <summary>A row's cells in the order in which they lie in memory.</summary>
    public void Read(int row, Span<double> cells)
    {
        foreach (var block in _blocks)
        {
            block.Read(row, cells);
            cells = cells[block.Width..];
        }
    }

    /// <summary>The same of one of many rows, which are read one after the other.</summary>
    public void Read(ReadOnlySpan<int> rows, int at, Span<double> cells)
    {
        if (at + Ahead < rows.Length)
            Prefetch(rows[at + Ahead]);
        Read(rows[at], cells);
    }

    /// <summary>Asks for a row's memory, which will be read soon, without waiting for it.</summary>
    public void Prefetch(int row)
    {
        foreach (var block in _blocks)
            block.Prefetch(row);
    }

    /// <summary>A row's cells in the order of the columns.</summary>
    public void ReadRow(int row, Span<double> cells)
    {
        if (_blocks.Length == 1)
        {
            Read(row, cells);
            return;
        }
        var inMemory = new double[Columns];
        Read(row, inMemory);
        for (var i = 0; i < inMemory.Length; i++)
            cells[Order[i]] = inMemory[i];
    }
}

/// <summary>One column over all rows of the data set.</summary>
/// <param name="Missing">Rows without a value.</param>
/// <param name="Min">Smallest value; null for categories or if all are missing, as are the others.</param>
/// <param name="Mean">Mean of the values.</param>
/// <param name="Max">Largest value.</param>
public sealed record ColumnStatistics(int Missing, double? Min, double? Mean, double? Max)
{
    public static IReadOnlyList<ColumnStatistics> Of(Table table, IReadOnlyList<Column> columns)
    {
        var (missing, min, sum, max) = (new int[columns.Count], new double[columns.Count],
            new double[columns.Count], new double[columns.Count]);
        Array.Fill(min, double.PositiveInfinity);
        Array.Fill(max, double.NegativeInfinity);
        var cells = new double[columns.Count];
        for (var row = 0; row < table.Rows; row++)
        {
            table.ReadRow(row, cells);
            for (var c = 0; c < cells.Length; c++)
            {
                if (double.IsNaN(cells[c]))
                {
                    missing[c]++;
                    continue;
                }
                min[c] = Math.Min(min[c], cells[c]);
                max[c] = Math.Max(max[c], cells[c]);
                sum[c] += cells[c];
            }
        }
        return [.. columns.Select((column, c) => column.Categories != null || missing[c] == table.Rows
            ? new ColumnStatistics(missing[c], null, null, null)
            : new ColumnStatistics(missing[c], min[c], sum[c] / (table.Rows - missing[c]), max[c]))];
    }
}
