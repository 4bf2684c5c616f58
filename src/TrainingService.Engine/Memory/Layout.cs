namespace TrainingService.Engine.Memory;

/// <summary>
/// Where a number lives. Everything is made of tiles of 32 x 32 floats, so that each matrix product reads both operands in order:
/// <code>
/// activations (features x samples)   block b = samples 32b..32b+31      for each feature 32 lanes, a lane is a sample
///     [ block 0: f0 | f1 | f2 ... ][ block 1: f0 | f1 | f2 ... ]
/// panels (rows x columns)            panel q = columns 32q..32q+31      for each row 32 columns
///     [ panel 0: r0 | r1 | r2 ... ][ panel 1: r0 | r1 | r2 ... ]
/// </code>
/// Weights (out, in) are panels whose columns are the inputs; a transposed batch is panels whose rows are the samples. Padding is zero.
/// </summary>
internal static class Layout
{
    /// <summary>Samples of a block and columns of a panel.</summary>
    public const int Lanes = 32;

    public static int Tiles(int count) => (count + Lanes - 1) / Lanes;

    public static int Padded(int count) => Tiles(count) * Lanes;

    /// <summary>Offset of (feature, sample) in blocks of <paramref name="features"/> features.</summary>
    public static long Block(int feature, int sample, int features) =>
        ((long)(sample / Lanes) * features + feature) * Lanes + sample % Lanes;

    /// <summary>Offset of (row, column) in panels of <paramref name="rows"/> rows.</summary>
    public static long Panel(int row, int column, int rows) => ((long)(column / Lanes) * rows + row) * Lanes + column % Lanes;
}
