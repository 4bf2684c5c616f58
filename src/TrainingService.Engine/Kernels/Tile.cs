using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Kernels;

/// <summary>How the rows of a tile's left operand lie in memory, in floats.</summary>
internal interface IOperand
{
    /// <summary>From one row of the tile to the next.</summary>
    static abstract int Row { get; }

    /// <summary>From one step of the depth to the next, within 32 steps.</summary>
    static abstract int Depth { get; }

    /// <summary>Whether <see cref="Ahead"/> is asked for on the way.</summary>
    static virtual bool Prefetches => false;
}

/// <summary>Rows lie 32 apart, the depth is contiguous: weights by output, output gradients by unit.</summary>
internal readonly struct RowsApart : IOperand
{
    public static int Row => 32;
    public static int Depth => 1;
}

/// <summary>Rows are contiguous, the depth goes by 32: weights by input.</summary>
internal readonly struct RowsTogether : IOperand
{
    public static int Row => 1;
    public static int Depth => 32;
}

/// <summary>The same operand, in front of something that lies far away.</summary>
internal readonly struct Prefetching<TA> : IOperand where TA : struct, IOperand
{
    public static int Row => TA.Row;
    public static int Depth => TA.Depth;
    public static bool Prefetches => true;
}

/// <summary>How many of a tile's 32 lanes hold anything: the JIT drops the upper vectors of the half width.</summary>
internal interface IWidth
{
    static abstract bool Full { get; }
}

/// <summary>More than 16 lanes.</summary>
internal readonly struct FullWidth : IWidth
{
    public static bool Full => true;
}

/// <summary>At most 16 lanes; the others are left as they are.</summary>
internal readonly struct HalfWidth : IWidth
{
    public static bool Full => false;
}

/// <summary>What a tile's accumulators begin with.</summary>
internal enum Start
{
    Zero,
    Bias,
    Tile,
}

/// <summary>
/// Memory that will be needed behind the tile, asked for bit by bit while the tile is computed: all at once, it would
/// hold up the loop's own loads.
/// </summary>
internal readonly unsafe struct Ahead(float* first, float* second, float* third, int floats, int depth)
{
    public readonly byte* First = (byte*)first, Second = (byte*)second, Third = (byte*)third;

    /// <summary>Bytes a step of the depth.</summary>
    public readonly int Step = Math.Max(1, floats * sizeof(float) / depth);
}

/// <summary>
/// The inner loops of all matrix products: a tile of R x 32 numbers, C[r][0..31] = start + sum over d of A[r][d] * B[d][0..31].
/// <code>
///            B: 32 lanes wide, depth after depth
///            [ b0 | b1 ]            two vectors
///  A: R      [ c  | c  ]  r = 0     each A[r][d] is broadcast and multiplied into
///  scalars   [ c  | c  ]  r = 1     two accumulators, which stay in registers
///  a depth   [ .  | .  ]  ...       (12 rows: 24 accumulators of the 32 registers)
/// </code>
/// A is walked in segments of 32 depth steps, <c>segment</c> floats apart; B and C are contiguous. Every element is summed in the order of
/// its depth by fused multiply-adds, whatever R is, so the result doesn't depend on how rows are grouped. The methods of one number of rows
/// each (Tile.g.cs) are generated, and none calls another: a call near the loop would make the JIT keep accumulators in memory.
/// </summary>
internal static unsafe partial class Tile
{
    /// <summary>The most rows that <see cref="MaxRows"/> can be.</summary>
    public const int LargestRows = 12;

    /// <summary>Most rows of a tile: as many as the registers hold.</summary>
    public static int MaxRows => Vector512.IsHardwareAccelerated ? 12 : Vector256.IsHardwareAccelerated ? 6 : 2;

    /// <summary>Does the largest tile that fits into <paramref name="rows"/> rows and tells how many rows that was.</summary>
    public static int Multiply<TA, TW>(int rows, float* a, nint segment, float* b,
        float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            // 16 registers hold 6 x 16 numbers: first the lower lanes, then the upper ones
            rows = Narrow<TA>(rows, a, segment, b, c, bias, depth, start, ahead);
            if (TW.Full)
                Narrow<TA>(rows, a, segment, b + 16, c + 16, bias, depth, start, ahead);
            return rows;
        }
        switch (rows)
        {
            // two tiles of 8 keep the multipliers busier than 12 and 4
            case >= 12 when rows != 16:
                Rows12Of512<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 12;
            case >= 8:
                Rows8Of512<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 8;
            case >= 4:
                Rows4Of512<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 4;
            case >= 2:
                Rows2Of512<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 2;
            default:
                Rows1Of512<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 1;
        }
    }

    /// <summary>16 of the 32 lanes.</summary>
    private static int Narrow<TA>(int rows, float* a, nint segment, float* b,
        float* c, float* bias, int depth, Start start, Ahead* ahead) where TA : struct, IOperand
    {
        switch (Math.Min(rows, MaxRows))
        {
            // as above: 4 and 4
            case >= 6 when rows != 8:
                Rows6Of256<TA, FullWidth>(a, segment, b, c, bias, depth, start, ahead);
                return 6;
            case >= 4:
                Rows4Of256<TA, FullWidth>(a, segment, b, c, bias, depth, start, ahead);
                return 4;
            case >= 2:
                Rows2Of256<TA, FullWidth>(a, segment, b, c, bias, depth, start, ahead);
                return 2;
            default:
                Rows1Of256<TA, FullWidth>(a, segment, b, c, bias, depth, start, ahead);
                return 1;
        }
    }
}
