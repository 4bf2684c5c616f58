using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json.Serialization;

namespace TrainingService.Host.Datasets;

/// <summary>
/// How raw rows become a network's inputs, as it was fitted: what <see cref="FeatureEncoder"/> needs to encode rows to come.
/// </summary>
/// <param name="Columns">Before encoding, in the data set's order.</param>
/// <param name="Unit">What every number is multiplied with first: 1, or 1 / the largest pixel.</param>
/// <param name="Shift">What is subtracted from each input.</param>
/// <param name="Scale">What each input is multiplied with then.</param>
public sealed record FeatureEncoding(IReadOnlyList<EncodedColumn> Columns, double Unit, double[] Shift, double[] Scale);

/// <summary>A column as it is encoded.</summary>
/// <param name="Name">As in the data set.</param>
/// <param name="Categories">One input each, in this order; null for a number.</param>
/// <param name="Median">In place of a missing number.</param>
/// <param name="Double">Whether float32 would lose digits of the training rows' numbers that count.</param>
public sealed record EncodedColumn(string Name, IReadOnlyList<string>? Categories, double Median, bool Double)
{
    /// <summary>Inputs of the network that the column becomes.</summary>
    [JsonIgnore]
    public int Width => Categories?.Count ?? 1;
}

/// <summary>
/// Turns raw rows into a network's inputs: missing numbers become the median, a category becomes one input per known value
/// (all 0 if it is missing or occurs in no training row), then each input is shifted and scaled. Everything is fitted on the
/// training rows and in double precision. Once fitted it doesn't change, so that several threads may use it.
/// </summary>
/// <remarks>
/// Standardised is to mean 0 and variance 1, except where fewer than <see cref="Rare"/> = 5 % of the rows differ from the commonest value:
/// a category, a yes or no, or a number that is nearly always the same. If a share p of the rows differ by d, the deviation is
/// d sqrt(p (1 - p)), and the few would be sqrt((1 - p) / p) deviations away: 77 for one row of 6,000, whose steps would throw a net out of
/// what is stable. So they are divided by d sqrt(0.05 0.95), as if there were 5 % of them, and are at most 4.6 away. Pixels are divided by
/// their deviation whatever they are.
/// </remarks>
public sealed class FeatureEncoder
{
    private readonly Column[] _columns;
    private readonly IReadOnlyList<int> _order;
    private readonly double _unit;
    private readonly bool _mayMiss;

    // by cell, in the order in which a row lies in memory
    private readonly double[] _medians, _shifts, _scales;
    private readonly (int Cell, int Input)[] _numbers;
    private readonly (int Cell, int First, int Count)[] _categories;

    // of a category's inputs: what 0 and 1 become
    private readonly float[] _off, _on;

    // Numbers that are held to find medians.
    private const int MostSorted = 1 << 23;

    // Rows that are looked at at once.
    private const int Together = 8;

    // Share of the rows.
    private const double Rare = 0.05;

    // Of a standard deviation: more would show in the sixth digit of an output.
    private const double SmallestLoss = 1e-6;

    /// <summary>What is subtracted from each input.</summary>
    public double[] Shift { get; }

    /// <summary>What each input is multiplied with then; 0 where it is the same on all training rows and so tells nothing.</summary>
    public double[] Scale { get; }

    /// <param name="dataset">Whose columns and pixel range are used.</param>
    /// <param name="rows">The training rows, at least one; no other row is looked at.</param>
    /// <param name="standardize">Mean 0 and variance 1 (of the population); otherwise inputs stay in their unit.</param>
    public FeatureEncoder(Dataset dataset, ReadOnlySpan<int> rows, bool standardize)
        : this([.. dataset.Columns], dataset.Read().Order, dataset.Read().HasMissing, 1.0 / (dataset.Card.Image?.MaxValue ?? 1),
            Medians(dataset, rows), new double[dataset.EncodedFeatures], new double[dataset.EncodedFeatures])
    {
        var (table, width) = (dataset.Read(), Shift.Length);
        double[] sum = new double[width], cells = new double[table.Columns], inputs = new double[Together * width];
        // By Boyer and Moore's vote (1981): what more than half of the rows have, if there is such a value.
        double[] commonest = new double[width], votes = new double[width];
        for (var from = 0; from < rows.Length; from += Together)
        {
            var count = Expand(table, rows, from, cells, inputs);
            // each sum has the order of the rows
            var done = 0;
            for (; done <= width - Vector512<double>.Count; done += Vector512<double>.Count)
            {
                var (total, held, votesFor) = (Load(sum, done), Load(commonest, done), Load(votes, done));
                for (var r = 0; r < count; r++)
                {
                    var input = Load(inputs, r * width + done);
                    total += input;
                    held = Vector512.ConditionalSelect(Vector512.Equals(votesFor, Vector512<double>.Zero), input, held);
                    votesFor += Vector512.ConditionalSelect(Vector512.Equals(input, held), Vector512<double>.One, -Vector512<double>.One);
                }
                Store(total, sum, done);
                Store(held, commonest, done);
                Store(votesFor, votes, done);
            }
            for (; done < width; done++)
                for (var r = 0; r < count; r++)
                {
                    var input = inputs[r * width + done];
                    sum[done] += input;
                    commonest[done] = votes[done] == 0 ? input : commonest[done];
                    votes[done] += input == commonest[done] ? 1 : -1;
                }
        }
        if (standardize)
            Standardize(dataset, rows, sum, commonest);
        else
            KeepUnits(sum);
        Place();
    }

    /// <param name="encoding">What an encoder was fitted to; raw rows have its columns' order.</param>
    public FeatureEncoder(FeatureEncoding encoding)
        : this([.. encoding.Columns.Select(column => new Column(column.Name, column.Categories))],
            [.. Enumerable.Range(0, encoding.Columns.Count)], true, encoding.Unit, [.. encoding.Columns.Select(column => column.Median)],
            encoding.Shift, encoding.Scale) => Place();

    private FeatureEncoder(Column[] columns, IReadOnlyList<int> order, bool mayMiss, double unit, double[] medians,
        double[] shift, double[] scale)
    {
        (_columns, _order, _mayMiss, _unit, Shift, Scale) = (columns, order, mayMiss, unit, shift, scale);
        _medians = [.. order.Select(column => medians[column])];
        (_shifts, _scales) = (new double[order.Count], new double[order.Count]);
        (_off, _on) = (new float[shift.Length], new float[shift.Length]);
        var starts = new int[columns.Length];
        for (var c = 1; c < starts.Length; c++)
            starts[c] = starts[c - 1] + columns[c - 1].EncodedWidth;
        _numbers = [.. order.Index().Where(cell => columns[cell.Item].Categories is null).Select(cell => (cell.Index, starts[cell.Item]))];
        _categories = [.. order.Index().Where(cell => columns[cell.Item].Categories is not null)
            .Select(cell => (cell.Index, starts[cell.Item], columns[cell.Item].EncodedWidth))];
        IsPlain = _categories.Length == 0 && _numbers.All(number => number.Cell == number.Input);
    }

    /// <summary>Whether each cell in memory is an input, in the same order.</summary>
    private bool IsPlain { get; }

    /// <summary>All that was fitted, with a median also for columns of which no training row misses a value.</summary>
    public FeatureEncoding Encoding(Dataset dataset, ReadOnlySpan<int> rows)
    {
        var table = dataset.Read();
        // an image's pixels are all there
        var medians = Medians(dataset, rows, always: _unit == 1);
        var (cells, wide) = (new double[table.Columns], new bool[table.Columns]);
        for (var r = 0; r < rows.Length; r++)
        {
            table.Read(rows, r, cells);
            foreach (var (cell, input) in _numbers)
                wide[_order[cell]] |= Math.Abs((float)cells[cell] - cells[cell]) * _unit * Scale[input] > SmallestLoss;
        }
        return new([.. _columns.Select((column, c) => new EncodedColumn(column.Name, column.Categories, medians[c], wide[c]))],
            _unit, Shift, Scale);
    }

    /// <summary>Encodes one row.</summary>
    /// <param name="cells">
    /// A number or a category's index a column, in the order in which they lie in memory; NaN is missing. Is used as scratch.
    /// </param>
    /// <param name="encoded">Gets the inputs.</param>
    public void Encode(Span<double> cells, Span<float> encoded)
    {
        if (!IsPlain)
            _off.CopyTo(encoded);
        foreach (var (cell, first, count) in _categories)
            if (cells[cell] is >= 0 and var code && code < count)
                encoded[first + (int)code] = _on[first + (int)code];
        Impute(cells);
        var done = 0;
        if (IsPlain)
            for (; done <= encoded.Length - Vector512<float>.Count; done += Vector512<float>.Count)
                Vector512.Narrow(Scaled(cells, done), Scaled(cells, done + Vector512<double>.Count))
                    .StoreUnsafe(ref MemoryMarshal.GetReference(encoded), (nuint)done);
        else
            for (; done <= cells.Length - Vector512<double>.Count; done += Vector512<double>.Count)
                Store(Scaled(cells, done), cells, done);
        for (var i = done; i < cells.Length; i++)
            cells[i] = (cells[i] * _unit - _shifts[i]) * _scales[i];
        if (IsPlain)
            for (var i = done; i < encoded.Length; i++)
                encoded[i] = (float)cells[i];
        else
            foreach (var (cell, input) in _numbers)
                encoded[input] = (float)cells[cell];
    }

    private Vector512<double> Scaled(Span<double> cells, int at) => (Load(cells, at) * _unit - Load(_shifts, at)) * Load(_scales, at);

    private static Vector512<double> Load(ReadOnlySpan<double> numbers, int at) =>
        Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(numbers), (nuint)at);

    private static void Store(Vector512<double> numbers, Span<double> to, int at) =>
        numbers.StoreUnsafe(ref MemoryMarshal.GetReference(to), (nuint)at);

    /// <param name="commonest">What more than half of the rows have, or any value where there is none.</param>
    private void Standardize(Dataset dataset, ReadOnlySpan<int> rows, double[] sum, double[] commonest)
    {
        var (table, width) = (dataset.Read(), Shift.Length);
        double[] squares = new double[width], others = new double[width];
        double[] cells = new double[table.Columns], inputs = new double[Together * width];
        for (var i = 0; i < width; i++)
            Shift[i] = sum[i] / rows.Length;
        for (var from = 0; from < rows.Length; from += Together)
        {
            var count = Expand(table, rows, from, cells, inputs);
            var done = 0;
            for (; done <= width - Vector512<double>.Count; done += Vector512<double>.Count)
            {
                var (total, differ, mean, most) = (Load(squares, done), Load(others, done), Load(Shift, done), Load(commonest, done));
                for (var r = 0; r < count; r++)
                {
                    var input = Load(inputs, r * width + done);
                    total += (input - mean) * (input - mean);
                    differ += Vector512.ConditionalSelect(Vector512.Equals(input, most), Vector512<double>.Zero, Vector512<double>.One);
                }
                Store(total, squares, done);
                Store(differ, others, done);
            }
            for (; done < width; done++)
                for (var r = 0; r < count; r++)
                {
                    var input = inputs[r * width + done];
                    squares[done] += (input - Shift[done]) * (input - Shift[done]);
                    others[done] += input == commonest[done] ? 0 : 1;
                }
        }
        for (var i = 0; i < Scale.Length; i++)
            Scale[i] = others[i] == 0 ? 0
                : 1 / Deviation(squares[i] / rows.Length, dataset.Card.Image is null ? others[i] / rows.Length : 1);
    }

    /// <summary>What an input is divided by: of rare differences, as if there were 5 % of them.</summary>
    /// <param name="variance">On the training rows.</param>
    /// <param name="others">Share of these that have not the commonest value, above 0; 1 if that doesn't count.</param>
    private static double Deviation(double variance, double others) =>
        Math.Sqrt(others < Rare ? variance * (Rare * (1 - Rare)) / (others * (1 - others)) : variance);

    /// <summary>Only a category of no training row is silenced: its weights would stay as they were drawn.</summary>
    private void KeepUnits(double[] sum)
    {
        Array.Fill(Scale, 1);
        foreach (var (_, first, count) in _categories)
            for (var i = first; i < first + count; i++)
                Scale[i] = sum[i] == 0 ? 0 : 1;
    }

    /// <summary>Where a row in memory meets what was fitted.</summary>
    private void Place()
    {
        foreach (var (cell, input) in _numbers)
            (_shifts[cell], _scales[cell]) = (Shift[input], Scale[input]);
        for (var i = 0; i < _off.Length; i++)
            (_off[i], _on[i]) = ((float)((0 - Shift[i]) * Scale[i]), (float)((1 - Shift[i]) * Scale[i]));
    }

    /// <summary>
    /// Some rows' inputs before they are shifted and scaled: few enough to stay in the processor's cache, and enough for what is summed
    /// to stay in its registers.
    /// </summary>
    /// <returns>How many rows.</returns>
    private int Expand(Table table, ReadOnlySpan<int> rows, int from, double[] cells, double[] inputs)
    {
        var count = Math.Min(Together, rows.Length - from);
        for (var r = 0; r < count; r++)
        {
            var row = inputs.AsSpan(r * Shift.Length, Shift.Length);
            var read = IsPlain ? row : cells;
            table.Read(rows, from + r, read);
            if (!IsPlain)
                row.Clear();
            // a missing one is none of them
            foreach (var (cell, first, categories) in _categories)
                if (cells[cell] is >= 0 and var code && code < categories)
                    row[first + (int)code] = 1;
            Impute(read);
            if (_unit != 1)
                InUnit(read);
            if (IsPlain)
                continue;
            foreach (var (cell, input) in _numbers)
                row[input] = cells[cell];
        }
        return count;
    }

    private void Impute(Span<double> cells)
    {
        if (!_mayMiss)
            return;
        var done = 0;
        for (; done <= cells.Length - Vector512<double>.Count; done += Vector512<double>.Count)
        {
            var values = Load(cells, done);
            Store(Vector512.ConditionalSelect(Vector512.Equals(values, values), values, Load(_medians, done)), cells, done);
        }
        for (; done < cells.Length; done++)
            cells[done] = double.IsNaN(cells[done]) ? _medians[done] : cells[done];
    }

    private void InUnit(Span<double> cells)
    {
        var done = 0;
        for (; done <= cells.Length - Vector512<double>.Count; done += Vector512<double>.Count)
            Store(Load(cells, done) * _unit, cells, done);
        for (; done < cells.Length; done++)
            cells[done] *= _unit;
    }

    /// <summary>Of each number's column; 0 where all training rows miss it, and so has no other value.</summary>
    private static double[] Medians(Dataset dataset, ReadOnlySpan<int> rows, bool always = false)
    {
        var table = dataset.Read();
        var medians = new double[table.Columns];
        if (!always && !table.HasMissing)
            return medians;
        int[] numbers = [.. table.Order.Index().Where(cell => dataset.Columns[cell.Item].Categories is null).Select(cell => cell.Index)];
        var (cells, count) = (new double[table.Columns], rows.Length);
        foreach (var some in numbers.Chunk(Math.Max(1, MostSorted / count)))
        {
            var (present, counts) = (some.Select(_ => new double[count]).ToArray(), new int[some.Length]);
            for (var r = 0; r < rows.Length; r++)
            {
                table.Read(rows, r, cells);
                for (var i = 0; i < some.Length; i++)
                    if (cells[some[i]] is var value && !double.IsNaN(value))
                        present[i][counts[i]++] = value;
            }
            for (var i = 0; i < some.Length; i++)
                medians[table.Order[some[i]]] = Median(present[i].AsSpan(0, counts[i]));
        }
        return medians;
    }

    /// <summary>
    /// By Hoare's selection (1961, algorithm 65), in expected linear time since training rows come in a random order; the values' order is
    /// lost.
    /// </summary>
    private static double Median(Span<double> values)
    {
        if (values.Length == 0)
            return 0;
        var (low, high, middle) = (0, values.Length - 1, values.Length / 2);
        while (low < high)
        {
            var (i, j, pivot) = (low, high, values[(low + high) / 2]);
            while (i <= j)
            {
                while (values[i] < pivot)
                    i++;
                while (values[j] > pivot)
                    j--;
                if (i <= j)
                {
                    (values[i], values[j]) = (values[j], values[i]);
                    (i, j) = (i + 1, j - 1);
                }
            }
            (low, high) = middle <= j ? (low, j) : middle >= i ? (i, high) : (middle, middle);
        }
        if (values.Length % 2 == 1)
            return values[middle];
        var below = values[0];
        foreach (var value in values[..middle])
            below = Math.Max(below, value);
        return (below + values[middle]) / 2;
    }
}
