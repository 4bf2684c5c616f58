using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>
/// Trained numbers with their gradient and the optimiser's states beside them. A matrix (out, in) lies in panels, a vector in order; padding is 0.
/// </summary>
internal sealed unsafe class Parameters : IDisposable
{
    private readonly int _rows, _columns;
    private readonly FloatBuffer _values, _first, _second;
    private readonly FloatBuffer? _gradient;

    private Parameters(string name, int rows, int columns, long length, bool gradient, int states)
    {
        (Name, _rows, _columns) = (name, rows, columns);
        _values = new(length);
        _first = new(states > 0 ? length : 0);
        _second = new(states > 1 ? length : 0);
        _gradient = gradient ? new(length) : null;
    }

    /// <param name="name">As in PyTorch: <c>weight</c>.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="gradient">False where gradients go straight into the update and are never stored.</param>
    /// <param name="states">Numbers that the optimiser keeps per parameter.</param>
    public static Parameters Matrix(string name, int rows, int columns, bool gradient, int states) =>
        new(name, rows, columns, (long)Layout.Tiles(columns) * rows * Layout.Lanes, gradient, states);

    public static Parameters Vector(string name, int count, int states) => new(name, 1, count, Layout.Padded(count), true, states);

    public string Name { get; }

    /// <summary>Numbers that count, without padding.</summary>
    public int Count => _rows * _columns;

    /// <summary>Numbers that lie in memory.</summary>
    public long Length => _values.Length;

    public float* Values => _values.Pointer;

    public float* First => _first.Pointer;

    public float* Second => _second.Pointer;

    public float* Gradient => _gradient is null ? null : _gradient.Pointer;

    /// <summary>Of the last step.</summary>
    public Optimizers.StepNorms Norms;

    /// <summary>All that a continued run needs to find again.</summary>
    public IEnumerable<FloatBuffer> State => [_values, _first, _second];

    /// <summary>The values, row by row.</summary>
    public float[] Get() => Read(Values);

    /// <summary>Numbers that lie as the values do (gradient, states), row by row.</summary>
    public float[] Read(float* numbers)
    {
        var result = new float[Count];
        for (var row = 0; row < _rows; row++)
            for (var column = 0; column < _columns; column += Layout.Lanes)
                Piece(numbers, row, column).CopyTo(result.AsSpan(row * _columns + column));
        return result;
    }

    /// <summary>Sets the values, row by row.</summary>
    public void Set(ReadOnlySpan<float> values)
    {
        for (var row = 0; row < _rows; row++)
            for (var column = 0; column < _columns; column += Layout.Lanes)
            {
                var piece = Piece(Values, row, column);
                values.Slice(row * _columns + column, piece.Length).CopyTo(piece);
            }
    }

    public void Dispose()
    {
        foreach (var buffer in State)
            buffer.Dispose();
        _gradient?.Dispose();
    }

    /// <summary>A row's part in one panel.</summary>
    private Span<float> Piece(float* numbers, int row, int column) =>
        new(numbers + Layout.Panel(row, column, _rows), Math.Min(Layout.Lanes, _columns - column));
}
