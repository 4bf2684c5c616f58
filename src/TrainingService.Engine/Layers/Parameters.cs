using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Layers;

/// <summary>
/// Trained numbers with their gradient and the optimiser's states beside them. A matrix (out, in) lies in panels,
/// a vector in order; padding is 0.
/// </summary>
internal sealed unsafe class Parameters
{
    private readonly int _rows, _columns;
    private readonly bool _isVector;
    private readonly FloatBuffer _values;
    private readonly FloatBuffer? _first, _second, _gradient;

    private Parameters(string name, int rows, int columns, bool isVector, Workspace workspace)
    {
        (Name, _rows, _columns, _isVector) = (name, rows, columns, isVector);
        Length = (long)Layout.Tiles(columns) * rows * Layout.Lanes;
        _values = workspace.NewBuffer(Length);
        _first = workspace.States > 0 ? workspace.NewBuffer(Length) : null;
        _second = workspace.States > 1 ? workspace.NewBuffer(Length) : null;
        _gradient = isVector || workspace.StoresGradients ? workspace.NewBuffer(Length) : null;
    }

    /// <summary>Unless the workspace stores gradients, those of a matrix go straight into the update.</summary>
    /// <param name="name">As in PyTorch: <c>weight</c>.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="workspace">Of the network.</param>
    public static Parameters Matrix(string name, int rows, int columns, Workspace workspace) =>
        new(name, rows, columns, false, workspace);

    public static Parameters Vector(string name, int count, Workspace workspace) => new(name, 1, count, true, workspace);

    public string Name { get; }

    /// <summary>Numbers that count, without padding.</summary>
    public int Count => _rows * _columns;

    /// <summary>Numbers that lie in memory.</summary>
    public long Length { get; }

    public float* Values => _values.All;

    /// <summary>What the optimiser keeps; null where it keeps nothing.</summary>
    public float* First => At(_first, 0, Length);

    /// <summary>What else the optimiser keeps; null where it doesn't.</summary>
    public float* Second => At(_second, 0, Length);

    /// <summary>Null where it is not stored.</summary>
    public float* Gradient => At(_gradient, 0, Length);

    /// <summary>The stored gradient of <paramref name="count"/> numbers, from <paramref name="offset"/> on.</summary>
    public float* GradientAt(long offset, int count) => At(_gradient, offset, count);

    /// <summary>Of the last step.</summary>
    public StepNorms Norms;

    /// <summary>The values, as they lie in memory.</summary>
    public FloatBuffer Learned => _values;

    /// <summary>What the optimiser keeps, as it lies in memory.</summary>
    public IEnumerable<FloatBuffer> States => new[] { _first, _second }.OfType<FloatBuffer>();

    /// <summary>
    /// Lets the optimiser change <paramref name="count"/> numbers from <paramref name="offset"/> on, whose gradient is given.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Update(Optimizer optimizer, float* gradient, long offset,
        int count, bool measured, ref StepNorms norms, bool half = false) =>
        optimizer.Apply(gradient, _values.At(offset, count), At(_first, offset, count),
            At(_second, offset, count), count, measured, ref norms, _isVector, half);

    /// <summary>
    /// What <see cref="Update"/> will read of these numbers and of a third more, so that all has come before the end;
    /// the last may not exist.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Ahead Ahead(long offset, int count, int depth)
    {
        var values = _values.At(offset, 0);
        return new(values, _first is null ? values : _first.At(offset, 0),
            _second is null ? values : _second.At(offset, 0), count * 4 / 3, depth);
    }

    /// <summary>The values, to be filled.</summary>
    public WeightMatrix Numbers => new(Values, _rows, _columns, panels: true);

    public bool AreFinite
    {
        get
        {
            var values = Values;
            for (long i = 0; i < Length; i++)
                if (!float.IsFinite(values[i]))
                    return false;
            return true;
        }
    }

    /// <summary>Adds the values to a hash, as little-endian float32, row by row.</summary>
    public void AppendTo(IncrementalHash hash)
    {
        var line = new float[_columns];
        for (var row = 0; row < _rows; row++)
        {
            ReadRow(Values, row, line);
            hash.AppendData(MemoryMarshal.AsBytes<float>(line));
        }
    }

    /// <summary>The values, row by row.</summary>
    public float[] Get() => Read(Values);

    /// <summary>Numbers that lie as the values do (gradient, states), row by row.</summary>
    public float[] Read(float* numbers)
    {
        var result = new float[Count];
        CopyTo(result, numbers);
        return result;
    }

    /// <summary>Copies the values, row by row.</summary>
    public void CopyTo(Span<float> target) => CopyTo(target, Values);

    private void CopyTo(Span<float> target, float* numbers)
    {
        for (var row = 0; row < _rows; row++)
            ReadRow(numbers, row, target[(row * _columns)..]);
    }

    private void ReadRow(float* numbers, int row, Span<float> line)
    {
        for (var column = 0; column < _columns; column += Layout.Lanes)
            Piece(numbers, row, column).CopyTo(line[column..]);
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

    /// <summary>Divides every value; the padding stays 0.</summary>
    public void Divide(double divisor)
    {
        var values = Values;
        for (long i = 0; i < Length; i++)
            values[i] = (float)(values[i] / divisor);
    }

    private static float* At(FloatBuffer? buffer, long offset, long count) => buffer is null ? null : buffer.At(offset, count);

    /// <summary>A row's part in one panel.</summary>
    private Span<float> Piece(float* numbers, int row, int column) =>
        new(numbers + Layout.Panel(row, column, _rows), Math.Min(Layout.Lanes, _columns - column));
}
