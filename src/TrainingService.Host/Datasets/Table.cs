using System.Runtime.CompilerServices;
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
/// All rows of a data set in memory, before encoding. A category is its index in the column's list; NaN is a missing value.
/// </summary>
public sealed class Table
{
    private readonly double[]? _cells;
    private StrongBox<bool>? _hasMissing;
    private readonly byte[]? _pixels;
    private readonly IReadOnlyList<ColumnValues>? _columns;

    public Table(int columns, double[] cells, int[] labels, double[] values)
        : this(columns, cells.Length / columns, labels, values) => _cells = cells;

    /// <summary>Pixels stay bytes: as doubles, Fashion-MNIST would take 440 MB.</summary>
    public Table(int columns, byte[] pixels, int[] labels) : this(columns, pixels.Length / columns, labels, []) => _pixels = pixels;

    /// <summary>Columns in the types that they are stored in.</summary>
    public Table(IReadOnlyList<ColumnValues> columns, int[] labels, double[] values)
        : this(columns.Count, Math.Max(labels.Length, values.Length), labels, values) => _columns = columns;

    private Table(int columns, int rows, int[] labels, double[] values) =>
        (Columns, Rows, Labels, Values) = (columns, rows, labels, values);

    public int Rows { get; }
    public int Columns { get; }

    /// <summary>Class of each row; empty if the target is a number.</summary>
    public int[] Labels { get; }

    /// <summary>Target of each row; empty if it is a class.</summary>
    public double[] Values { get; }

    /// <summary>Equal for rows that stay on one side of each split; empty if any may be anywhere.</summary>
    public int[] Groups { get; init; } = [];

    /// <summary>When each row was, where held out rows are the latest; else empty.</summary>
    public double[] Times { get; init; } = [];

    // asked for each seed
    public bool HasMissing => (_hasMissing ??= new(_cells != null && Array.Exists(_cells, double.IsNaN)
        || _columns != null && _columns.Any(column => column.HasMissing))).Value;

    /// <summary>A cell as people wrote it; null where it is missing.</summary>
    public object? Shown(int row, int column)
    {
        if (_columns != null)
            return _columns[column].Shown(row);
        var cell = _cells?[row * Columns + column] ?? _pixels?[row * Columns + column] ?? double.NaN;
        return double.IsNaN(cell) ? null : cell;
    }

    public void ReadRow(int row, Span<double> cells)
    {
        if (_cells != null)
        {
            _cells.AsSpan(row * Columns, Columns).CopyTo(cells);
            return;
        }
        if (_columns != null)
        {
            for (var c = 0; c < _columns.Count; c++)
                cells[c] = _columns[c][row];
            return;
        }
        var pixels = _pixels.AsSpan(row * Columns, Columns);
        for (var i = 0; i < pixels.Length; i++)
            cells[i] = pixels[i];
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
