namespace TrainingService.Engine.Data;

/// <summary>
/// A network's inputs by row: as they are (<see cref="FloatRows"/>), or made when a batch is gathered from what several runs share.
/// Reading is safe from several threads.
/// </summary>
public abstract class FeatureRows
{
    /// <summary>Number of rows.</summary>
    public abstract int Rows { get; }

    /// <summary>Inputs of a row.</summary>
    public abstract int Columns { get; }

    /// <summary>Bytes that are held for these rows alone.</summary>
    public abstract long Bytes { get; }

    /// <summary>Writes the inputs of the rows that are named.</summary>
    /// <param name="rows">Numbers from 0.</param>
    /// <param name="inputs">Gets (rows, columns), row by row.</param>
    public abstract void Read(ReadOnlySpan<int> rows, Span<float> inputs);

    /// <summary>Begins with all of them, (rows, columns) row by row; a copy, unless they lie in memory so.</summary>
    public virtual float[] All()
    {
        var all = new float[(long)Rows * Columns];
        Read([.. Enumerable.Range(0, Rows)], all);
        return all;
    }
}

/// <summary>Inputs as float32 in memory.</summary>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Inputs of a row.</param>
/// <param name="values">Begins with (rows, columns), row by row.</param>
public sealed class FloatRows(int rows, int columns, float[] values) : FeatureRows
{
    /// <inheritdoc/>
    public override int Rows => rows;

    /// <inheritdoc/>
    public override int Columns => columns;

    /// <inheritdoc/>
    public override long Bytes => sizeof(float) * (long)values.Length;

    /// <inheritdoc/>
    public override void Read(ReadOnlySpan<int> rows, Span<float> inputs)
    {
        for (var i = 0; i < rows.Length; i++)
            values.AsSpan(rows[i] * Columns, Columns).CopyTo(inputs[(i * Columns)..]);
    }

    /// <inheritdoc/>
    public override float[] All() => values;
}
