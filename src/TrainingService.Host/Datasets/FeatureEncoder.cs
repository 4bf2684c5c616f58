using System.Numerics;
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
/// training rows and in double precision.
/// </summary>
public sealed class FeatureEncoder
{
    private readonly Column[] _columns;
    private readonly bool _isPlain;
    private readonly double _unit;
    private readonly double[] _medians, _inputs;

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
    {
        var table = dataset.Read();
        _columns = [.. dataset.Columns];
        _isPlain = !table.HasMissing && _columns.All(column => column.Categories == null);
        _unit = 1.0 / (dataset.Card.Image?.MaxValue ?? 1);
        _medians = Medians(table, rows);
        Shift = new double[dataset.EncodedFeatures];
        Scale = new double[Shift.Length];
        _inputs = new double[Shift.Length];

        var (raw, inputs, sum, varies) = (new double[table.Columns],
            new double[Shift.Length], new double[Shift.Length], new long[Shift.Length]);
        var first = new double[Shift.Length];
        Expand(table, rows[0], raw, first);
        foreach (var row in rows)
        {
            Expand(table, row, raw, inputs);
            // column by column, so that each sum has the order of the rows
            var done = 0;
            for (; done <= inputs.Length - Vector<double>.Count; done += Vector<double>.Count)
            {
                var input = new Vector<double>(inputs, done);
                (new Vector<double>(sum, done) + input).CopyTo(sum, done);
                (new Vector<long>(varies, done) | ~Vector.Equals(input, new(first, done))).CopyTo(varies, done);
            }
            for (var i = done; i < inputs.Length; i++)
            {
                sum[i] += inputs[i];
                varies[i] = inputs[i] != first[i] ? -1 : varies[i];
            }
        }
        if (standardize)
            Standardize(table, rows, sum, varies);
        else
            KeepUnits(sum);
    }

    /// <param name="encoding">What an encoder was fitted to.</param>
    public FeatureEncoder(FeatureEncoding encoding)
    {
        _columns = [.. encoding.Columns.Select(column => new Column(column.Name, column.Categories))];
        (_unit, Shift, Scale) = (encoding.Unit, encoding.Shift, encoding.Scale);
        _medians = [.. encoding.Columns.Select(column => column.Median)];
        _inputs = new double[Shift.Length];
    }

    /// <summary>All that was fitted, with a median also for columns of which no training row misses a value.</summary>
    public FeatureEncoding Encoding(Table table, ReadOnlySpan<int> rows)
    {
        // an image's pixels are all there, and would be long to sort
        var medians = table.HasMissing || _unit != 1 ? _medians : Medians(table, rows, always: true);
        var (raw, wide, starts) = (new double[table.Columns], new bool[table.Columns], new int[table.Columns]);
        for (var c = 1; c < starts.Length; c++)
            starts[c] = starts[c - 1] + _columns[c - 1].EncodedWidth;
        foreach (var row in rows)
        {
            table.ReadRow(row, raw);
            for (var c = 0; c < raw.Length; c++)
                wide[c] |= _columns[c].Categories is null && Math.Abs((float)raw[c] - raw[c]) * _unit * Scale[starts[c]] > SmallestLoss;
        }
        return new([.. _columns.Select((column, c) => new EncodedColumn(column.Name, column.Categories, medians[c], wide[c]))],
            _unit, Shift, Scale);
    }

    /// <summary>Encodes one row.</summary>
    /// <param name="raw">A number or a category's index a column; NaN is missing.</param>
    /// <param name="encoded">Gets the inputs.</param>
    public void Encode(double[] raw, Span<float> encoded)
    {
        Expand(raw, _inputs);
        Scaled(_inputs, encoded);
    }

    private void Standardize(Table table, ReadOnlySpan<int> rows, double[] sum, long[] varies)
    {
        var (raw, inputs, squares) = (new double[table.Columns], new double[Shift.Length], new double[Shift.Length]);
        for (var i = 0; i < Shift.Length; i++)
            Shift[i] = sum[i] / rows.Length;
        foreach (var row in rows)
        {
            Expand(table, row, raw, inputs);
            var done = 0;
            for (; done <= inputs.Length - Vector<double>.Count; done += Vector<double>.Count)
            {
                var distance = new Vector<double>(inputs, done) - new Vector<double>(Shift, done);
                (new Vector<double>(squares, done) + distance * distance).CopyTo(squares, done);
            }
            for (var i = done; i < inputs.Length; i++)
                squares[i] += (inputs[i] - Shift[i]) * (inputs[i] - Shift[i]);
        }
        for (var i = 0; i < Scale.Length; i++)
            Scale[i] = varies[i] != 0 ? 1 / Math.Sqrt(squares[i] / rows.Length) : 0;
    }

    /// <summary>Only a category of no training row is silenced: its weights would stay as they were drawn.</summary>
    private void KeepUnits(double[] sum)
    {
        var i = 0;
        foreach (var column in _columns)
            for (var end = i + column.EncodedWidth; i < end; i++)
                Scale[i] = column.Categories != null && sum[i] == 0 ? 0 : 1;
    }

    /// <summary>(rows, inputs), row by row.</summary>
    public float[] Encode(Table table, ReadOnlySpan<int> rows)
    {
        var (raw, inputs, encoded) = (new double[table.Columns], new double[Shift.Length], new float[rows.Length * Shift.Length]);
        for (var r = 0; r < rows.Length; r++)
        {
            Expand(table, rows[r], raw, inputs);
            Scaled(inputs, encoded.AsSpan(r * inputs.Length, inputs.Length));
        }
        return encoded;
    }

    private void Scaled(double[] inputs, Span<float> encoded)
    {
        var done = 0;
        for (; done <= encoded.Length - Vector<float>.Count; done += Vector<float>.Count)
            Vector.Narrow(Scaled(done), Scaled(done + Vector<double>.Count)).CopyTo(encoded[done..]);
        for (var i = done; i < encoded.Length; i++)
            encoded[i] = (float)((inputs[i] - Shift[i]) * Scale[i]);

        Vector<double> Scaled(int at) => (new Vector<double>(inputs, at) - new Vector<double>(Shift, at)) * new Vector<double>(Scale, at);
    }

    private void Expand(Table table, int row, double[] raw, double[] inputs)
    {
        table.ReadRow(row, raw);
        Expand(raw, inputs);
    }

    private void Expand(double[] raw, double[] inputs)
    {
        if (_isPlain)
        {
            for (var i = 0; i < raw.Length; i++)
                inputs[i] = raw[i] * _unit;
            return;
        }
        for (int c = 0, i = 0; c < raw.Length; c++)
        {
            if (_columns[c].Categories is not { } categories)
            {
                inputs[i++] = (double.IsNaN(raw[c]) ? _medians[c] : raw[c]) * _unit;
                continue;
            }
            for (var k = 0; k < categories.Count; k++)
                inputs[i++] = raw[c] == k ? 1 : 0;
        }
    }

    /// <summary>Of each column; 0 where all training rows miss it, and so has no other value.</summary>
    private static double[] Medians(Table table, ReadOnlySpan<int> rows, bool always = false)
    {
        if (!always && !table.HasMissing)
            return new double[table.Columns];
        var raw = new double[table.Columns];
        var present = raw.Select(_ => new List<double>()).ToArray();
        foreach (var row in rows)
        {
            table.ReadRow(row, raw);
            for (var c = 0; c < raw.Length; c++)
                if (!double.IsNaN(raw[c]))
                    present[c].Add(raw[c]);
        }
        return [.. present.Select(values =>
        {
            values.Sort();
            return values.Count == 0 ? 0 : (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
        })];
    }
}
