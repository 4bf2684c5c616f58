using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Initializers;

/// <summary>
/// A matrix (rows, columns) = (fan_out, fan_in) to be filled where its numbers lie: in panels (see <see cref="Layout"/>), or row by row.
/// </summary>
internal readonly unsafe struct WeightMatrix(float* numbers, int rows, int columns, bool panels)
{
    public int Rows => rows;

    public int Columns => columns;

    public ref float this[int row, int column] => ref numbers[panels ? Layout.Panel(row, column, rows) : (long)row * columns + column];

    /// <summary>Numbers from a column on that lie side by side.</summary>
    public Span<float> Piece(int row, int column) =>
        new(numbers + (panels ? Layout.Panel(row, column, rows) : (long)row * columns + column),
            Math.Min(panels ? Layout.Lanes : columns, columns - column));

    /// <summary>Fills all of it in the order of its rows.</summary>
    public void Fill(Sampler sampler, CancellationToken cancellation)
    {
        for (var row = 0; row < rows; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var column = 0; column < columns;)
            {
                var piece = Piece(row, column);
                sampler.Fill(piece);
                column += piece.Length;
            }
        }
    }
}
