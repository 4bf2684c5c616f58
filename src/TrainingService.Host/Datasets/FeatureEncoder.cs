namespace TrainingService.Host.Datasets;

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
    private readonly double[] _medians;

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

        var (raw, inputs, sum, varies) = (new double[table.Columns],
            new double[Shift.Length], new double[Shift.Length], new bool[Shift.Length]);
        var first = new double[Shift.Length];
        Expand(table, rows[0], raw, first);
        foreach (var row in rows)
        {
            Expand(table, row, raw, inputs);
            for (var i = 0; i < inputs.Length; i++)
            {
                sum[i] += inputs[i];
                varies[i] |= inputs[i] != first[i];
            }
        }
        if (standardize)
            Standardize(table, rows, sum, varies);
        else
            KeepUnits(sum);
    }

    private void Standardize(Table table, ReadOnlySpan<int> rows, double[] sum, bool[] varies)
    {
        var (raw, inputs, squares) = (new double[table.Columns], new double[Shift.Length], new double[Shift.Length]);
        for (var i = 0; i < Shift.Length; i++)
            Shift[i] = sum[i] / rows.Length;
        foreach (var row in rows)
        {
            Expand(table, row, raw, inputs);
            for (var i = 0; i < inputs.Length; i++)
                squares[i] += (inputs[i] - Shift[i]) * (inputs[i] - Shift[i]);
        }
        for (var i = 0; i < Scale.Length; i++)
            Scale[i] = varies[i] ? 1 / Math.Sqrt(squares[i] / rows.Length) : 0;
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
            var target = encoded.AsSpan(r * inputs.Length, inputs.Length);
            for (var i = 0; i < target.Length; i++)
                target[i] = (float)((inputs[i] - Shift[i]) * Scale[i]);
        }
        return encoded;
    }

    private void Expand(Table table, int row, double[] raw, double[] inputs)
    {
        table.ReadRow(row, raw);
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
    private static double[] Medians(Table table, ReadOnlySpan<int> rows)
    {
        if (!table.HasMissing)
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
