using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
/// Memory that will be needed behind the tile, asked for bit by bit while the tile is computed: all at once, it would hold up the loop's own loads.
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
/// A is walked in segments of 32 depth steps, <c>segment</c> floats apart; B and C are contiguous. Every element is summed in the order of its
/// depth by fused multiply-adds, whatever R is, so the result doesn't depend on how rows are grouped. No method here calls another:
/// a call near the loop would make the JIT keep accumulators in memory.
/// </summary>
internal static unsafe class Tile
{
    /// <summary>The most rows that <see cref="MaxRows"/> can be.</summary>
    public const int LargestRows = 12;

    /// <summary>Most rows of a tile: as many as the registers hold.</summary>
    public static int MaxRows => Vector512.IsHardwareAccelerated ? 12 : 2;

    /// <summary>Does the largest tile that fits into <paramref name="rows"/> rows and tells how many rows that was.</summary>
    public static int Multiply<TA, TW>(int rows, float* a, nint segment, float* b, float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        var limit = Math.Min(rows, MaxRows);
        switch (limit)
        {
            // two tiles of 8 keep the multipliers busier than 12 and 4
            case >= 12 when rows != 16:
                Rows12<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 12;
            case >= 8:
                Rows8<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 8;
            case >= 4:
                Rows4<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 4;
            case >= 2:
                Rows2<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 2;
            default:
                Rows1<TA, TW>(a, segment, b, c, bias, depth, start, ahead);
                return 1;
        }
    }


    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows12<TA, TW>(float* a, nint segment, float* b, float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        Vector512<float> l0 = default, h0 = default;
        Vector512<float> l1 = default, h1 = default;
        Vector512<float> l2 = default, h2 = default;
        Vector512<float> l3 = default, h3 = default;
        Vector512<float> l4 = default, h4 = default;
        Vector512<float> l5 = default, h5 = default;
        Vector512<float> l6 = default, h6 = default;
        Vector512<float> l7 = default, h7 = default;
        Vector512<float> l8 = default, h8 = default;
        Vector512<float> l9 = default, h9 = default;
        Vector512<float> l10 = default, h10 = default;
        Vector512<float> l11 = default, h11 = default;
        if (start == Start.Tile)
        {
            l0 = Vector512.Load(c + 0);
            if (TW.Full)
                h0 = Vector512.Load(c + 16);
            l1 = Vector512.Load(c + 32);
            if (TW.Full)
                h1 = Vector512.Load(c + 48);
            l2 = Vector512.Load(c + 64);
            if (TW.Full)
                h2 = Vector512.Load(c + 80);
            l3 = Vector512.Load(c + 96);
            if (TW.Full)
                h3 = Vector512.Load(c + 112);
            l4 = Vector512.Load(c + 128);
            if (TW.Full)
                h4 = Vector512.Load(c + 144);
            l5 = Vector512.Load(c + 160);
            if (TW.Full)
                h5 = Vector512.Load(c + 176);
            l6 = Vector512.Load(c + 192);
            if (TW.Full)
                h6 = Vector512.Load(c + 208);
            l7 = Vector512.Load(c + 224);
            if (TW.Full)
                h7 = Vector512.Load(c + 240);
            l8 = Vector512.Load(c + 256);
            if (TW.Full)
                h8 = Vector512.Load(c + 272);
            l9 = Vector512.Load(c + 288);
            if (TW.Full)
                h9 = Vector512.Load(c + 304);
            l10 = Vector512.Load(c + 320);
            if (TW.Full)
                h10 = Vector512.Load(c + 336);
            l11 = Vector512.Load(c + 352);
            if (TW.Full)
                h11 = Vector512.Load(c + 368);
        }
        else if (start == Start.Bias)
        {
            l0 = h0 = Vector512.Create(bias[0]);
            l1 = h1 = Vector512.Create(bias[1]);
            l2 = h2 = Vector512.Create(bias[2]);
            l3 = h3 = Vector512.Create(bias[3]);
            l4 = h4 = Vector512.Create(bias[4]);
            l5 = h5 = Vector512.Create(bias[5]);
            l6 = h6 = Vector512.Create(bias[6]);
            l7 = h7 = Vector512.Create(bias[7]);
            l8 = h8 = Vector512.Create(bias[8]);
            l9 = h9 = Vector512.Create(bias[9]);
            l10 = h10 = Vector512.Create(bias[10]);
            l11 = h11 = Vector512.Create(bias[11]);
        }
        byte* near0 = null, near1 = null, near2 = null;
        if (TA.Prefetches)
        {
            near0 = ahead->First;
            near1 = ahead->Second;
            near2 = ahead->Third;
        }
        nint near = 0;
        for (; depth > 0; depth -= 32, a += segment)
        {
            var p = a;
            for (var d = Math.Min(depth, 32); d > 0; d--, p += TA.Depth, b += 32)
            {
                if (TA.Prefetches && Sse.IsSupported)
                {
                    Sse.Prefetch0(near0 + near);
                    Sse.Prefetch0(near1 + near);
                    Sse.Prefetch0(near2 + near);
                    near += ahead->Step;
                }
                var low = Vector512.Load(b);
                var high = TW.Full ? Vector512.Load(b + 16) : default;
                var a0 = Vector512.Create(*(p));
                l0 = Vector512.FusedMultiplyAdd(a0, low, l0);
                if (TW.Full)
                    h0 = Vector512.FusedMultiplyAdd(a0, high, h0);
                var a1 = Vector512.Create(*(p + TA.Row));
                l1 = Vector512.FusedMultiplyAdd(a1, low, l1);
                if (TW.Full)
                    h1 = Vector512.FusedMultiplyAdd(a1, high, h1);
                var a2 = Vector512.Create(*(p + 2 * TA.Row));
                l2 = Vector512.FusedMultiplyAdd(a2, low, l2);
                if (TW.Full)
                    h2 = Vector512.FusedMultiplyAdd(a2, high, h2);
                var a3 = Vector512.Create(*(p + 3 * TA.Row));
                l3 = Vector512.FusedMultiplyAdd(a3, low, l3);
                if (TW.Full)
                    h3 = Vector512.FusedMultiplyAdd(a3, high, h3);
                var a4 = Vector512.Create(*(p + 4 * TA.Row));
                l4 = Vector512.FusedMultiplyAdd(a4, low, l4);
                if (TW.Full)
                    h4 = Vector512.FusedMultiplyAdd(a4, high, h4);
                var a5 = Vector512.Create(*(p + 5 * TA.Row));
                l5 = Vector512.FusedMultiplyAdd(a5, low, l5);
                if (TW.Full)
                    h5 = Vector512.FusedMultiplyAdd(a5, high, h5);
                var a6 = Vector512.Create(*(p + 6 * TA.Row));
                l6 = Vector512.FusedMultiplyAdd(a6, low, l6);
                if (TW.Full)
                    h6 = Vector512.FusedMultiplyAdd(a6, high, h6);
                var a7 = Vector512.Create(*(p + 7 * TA.Row));
                l7 = Vector512.FusedMultiplyAdd(a7, low, l7);
                if (TW.Full)
                    h7 = Vector512.FusedMultiplyAdd(a7, high, h7);
                var a8 = Vector512.Create(*(p + 8 * TA.Row));
                l8 = Vector512.FusedMultiplyAdd(a8, low, l8);
                if (TW.Full)
                    h8 = Vector512.FusedMultiplyAdd(a8, high, h8);
                var a9 = Vector512.Create(*(p + 9 * TA.Row));
                l9 = Vector512.FusedMultiplyAdd(a9, low, l9);
                if (TW.Full)
                    h9 = Vector512.FusedMultiplyAdd(a9, high, h9);
                var a10 = Vector512.Create(*(p + 10 * TA.Row));
                l10 = Vector512.FusedMultiplyAdd(a10, low, l10);
                if (TW.Full)
                    h10 = Vector512.FusedMultiplyAdd(a10, high, h10);
                var a11 = Vector512.Create(*(p + 11 * TA.Row));
                l11 = Vector512.FusedMultiplyAdd(a11, low, l11);
                if (TW.Full)
                    h11 = Vector512.FusedMultiplyAdd(a11, high, h11);
            }
        }
        l0.Store(c + 0);
        if (TW.Full)
            h0.Store(c + 16);
        l1.Store(c + 32);
        if (TW.Full)
            h1.Store(c + 48);
        l2.Store(c + 64);
        if (TW.Full)
            h2.Store(c + 80);
        l3.Store(c + 96);
        if (TW.Full)
            h3.Store(c + 112);
        l4.Store(c + 128);
        if (TW.Full)
            h4.Store(c + 144);
        l5.Store(c + 160);
        if (TW.Full)
            h5.Store(c + 176);
        l6.Store(c + 192);
        if (TW.Full)
            h6.Store(c + 208);
        l7.Store(c + 224);
        if (TW.Full)
            h7.Store(c + 240);
        l8.Store(c + 256);
        if (TW.Full)
            h8.Store(c + 272);
        l9.Store(c + 288);
        if (TW.Full)
            h9.Store(c + 304);
        l10.Store(c + 320);
        if (TW.Full)
            h10.Store(c + 336);
        l11.Store(c + 352);
        if (TW.Full)
            h11.Store(c + 368);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8<TA, TW>(float* a, nint segment, float* b, float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        Vector512<float> l0 = default, h0 = default;
        Vector512<float> l1 = default, h1 = default;
        Vector512<float> l2 = default, h2 = default;
        Vector512<float> l3 = default, h3 = default;
        Vector512<float> l4 = default, h4 = default;
        Vector512<float> l5 = default, h5 = default;
        Vector512<float> l6 = default, h6 = default;
        Vector512<float> l7 = default, h7 = default;
        if (start == Start.Tile)
        {
            l0 = Vector512.Load(c + 0);
            if (TW.Full)
                h0 = Vector512.Load(c + 16);
            l1 = Vector512.Load(c + 32);
            if (TW.Full)
                h1 = Vector512.Load(c + 48);
            l2 = Vector512.Load(c + 64);
            if (TW.Full)
                h2 = Vector512.Load(c + 80);
            l3 = Vector512.Load(c + 96);
            if (TW.Full)
                h3 = Vector512.Load(c + 112);
            l4 = Vector512.Load(c + 128);
            if (TW.Full)
                h4 = Vector512.Load(c + 144);
            l5 = Vector512.Load(c + 160);
            if (TW.Full)
                h5 = Vector512.Load(c + 176);
            l6 = Vector512.Load(c + 192);
            if (TW.Full)
                h6 = Vector512.Load(c + 208);
            l7 = Vector512.Load(c + 224);
            if (TW.Full)
                h7 = Vector512.Load(c + 240);
        }
        else if (start == Start.Bias)
        {
            l0 = h0 = Vector512.Create(bias[0]);
            l1 = h1 = Vector512.Create(bias[1]);
            l2 = h2 = Vector512.Create(bias[2]);
            l3 = h3 = Vector512.Create(bias[3]);
            l4 = h4 = Vector512.Create(bias[4]);
            l5 = h5 = Vector512.Create(bias[5]);
            l6 = h6 = Vector512.Create(bias[6]);
            l7 = h7 = Vector512.Create(bias[7]);
        }
        byte* near0 = null, near1 = null, near2 = null;
        if (TA.Prefetches)
        {
            near0 = ahead->First;
            near1 = ahead->Second;
            near2 = ahead->Third;
        }
        nint near = 0;
        for (; depth > 0; depth -= 32, a += segment)
        {
            var p = a;
            for (var d = Math.Min(depth, 32); d > 0; d--, p += TA.Depth, b += 32)
            {
                if (TA.Prefetches && Sse.IsSupported)
                {
                    Sse.Prefetch0(near0 + near);
                    Sse.Prefetch0(near1 + near);
                    Sse.Prefetch0(near2 + near);
                    near += ahead->Step;
                }
                var low = Vector512.Load(b);
                var high = TW.Full ? Vector512.Load(b + 16) : default;
                var a0 = Vector512.Create(*(p));
                l0 = Vector512.FusedMultiplyAdd(a0, low, l0);
                if (TW.Full)
                    h0 = Vector512.FusedMultiplyAdd(a0, high, h0);
                var a1 = Vector512.Create(*(p + TA.Row));
                l1 = Vector512.FusedMultiplyAdd(a1, low, l1);
                if (TW.Full)
                    h1 = Vector512.FusedMultiplyAdd(a1, high, h1);
                var a2 = Vector512.Create(*(p + 2 * TA.Row));
                l2 = Vector512.FusedMultiplyAdd(a2, low, l2);
                if (TW.Full)
                    h2 = Vector512.FusedMultiplyAdd(a2, high, h2);
                var a3 = Vector512.Create(*(p + 3 * TA.Row));
                l3 = Vector512.FusedMultiplyAdd(a3, low, l3);
                if (TW.Full)
                    h3 = Vector512.FusedMultiplyAdd(a3, high, h3);
                var a4 = Vector512.Create(*(p + 4 * TA.Row));
                l4 = Vector512.FusedMultiplyAdd(a4, low, l4);
                if (TW.Full)
                    h4 = Vector512.FusedMultiplyAdd(a4, high, h4);
                var a5 = Vector512.Create(*(p + 5 * TA.Row));
                l5 = Vector512.FusedMultiplyAdd(a5, low, l5);
                if (TW.Full)
                    h5 = Vector512.FusedMultiplyAdd(a5, high, h5);
                var a6 = Vector512.Create(*(p + 6 * TA.Row));
                l6 = Vector512.FusedMultiplyAdd(a6, low, l6);
                if (TW.Full)
                    h6 = Vector512.FusedMultiplyAdd(a6, high, h6);
                var a7 = Vector512.Create(*(p + 7 * TA.Row));
                l7 = Vector512.FusedMultiplyAdd(a7, low, l7);
                if (TW.Full)
                    h7 = Vector512.FusedMultiplyAdd(a7, high, h7);
            }
        }
        l0.Store(c + 0);
        if (TW.Full)
            h0.Store(c + 16);
        l1.Store(c + 32);
        if (TW.Full)
            h1.Store(c + 48);
        l2.Store(c + 64);
        if (TW.Full)
            h2.Store(c + 80);
        l3.Store(c + 96);
        if (TW.Full)
            h3.Store(c + 112);
        l4.Store(c + 128);
        if (TW.Full)
            h4.Store(c + 144);
        l5.Store(c + 160);
        if (TW.Full)
            h5.Store(c + 176);
        l6.Store(c + 192);
        if (TW.Full)
            h6.Store(c + 208);
        l7.Store(c + 224);
        if (TW.Full)
            h7.Store(c + 240);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TA, TW>(float* a, nint segment, float* b, float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        Vector512<float> l0 = default, h0 = default;
        Vector512<float> l1 = default, h1 = default;
        Vector512<float> l2 = default, h2 = default;
        Vector512<float> l3 = default, h3 = default;
        if (start == Start.Tile)
        {
            l0 = Vector512.Load(c + 0);
            if (TW.Full)
                h0 = Vector512.Load(c + 16);
            l1 = Vector512.Load(c + 32);
            if (TW.Full)
                h1 = Vector512.Load(c + 48);
            l2 = Vector512.Load(c + 64);
            if (TW.Full)
                h2 = Vector512.Load(c + 80);
            l3 = Vector512.Load(c + 96);
            if (TW.Full)
                h3 = Vector512.Load(c + 112);
        }
        else if (start == Start.Bias)
        {
            l0 = h0 = Vector512.Create(bias[0]);
            l1 = h1 = Vector512.Create(bias[1]);
            l2 = h2 = Vector512.Create(bias[2]);
            l3 = h3 = Vector512.Create(bias[3]);
        }
        byte* near0 = null, near1 = null, near2 = null;
        if (TA.Prefetches)
        {
            near0 = ahead->First;
            near1 = ahead->Second;
            near2 = ahead->Third;
        }
        nint near = 0;
        for (; depth > 0; depth -= 32, a += segment)
        {
            var p = a;
            for (var d = Math.Min(depth, 32); d > 0; d--, p += TA.Depth, b += 32)
            {
                if (TA.Prefetches && Sse.IsSupported)
                {
                    Sse.Prefetch0(near0 + near);
                    Sse.Prefetch0(near1 + near);
                    Sse.Prefetch0(near2 + near);
                    near += ahead->Step;
                }
                var low = Vector512.Load(b);
                var high = TW.Full ? Vector512.Load(b + 16) : default;
                var a0 = Vector512.Create(*(p));
                l0 = Vector512.FusedMultiplyAdd(a0, low, l0);
                if (TW.Full)
                    h0 = Vector512.FusedMultiplyAdd(a0, high, h0);
                var a1 = Vector512.Create(*(p + TA.Row));
                l1 = Vector512.FusedMultiplyAdd(a1, low, l1);
                if (TW.Full)
                    h1 = Vector512.FusedMultiplyAdd(a1, high, h1);
                var a2 = Vector512.Create(*(p + 2 * TA.Row));
                l2 = Vector512.FusedMultiplyAdd(a2, low, l2);
                if (TW.Full)
                    h2 = Vector512.FusedMultiplyAdd(a2, high, h2);
                var a3 = Vector512.Create(*(p + 3 * TA.Row));
                l3 = Vector512.FusedMultiplyAdd(a3, low, l3);
                if (TW.Full)
                    h3 = Vector512.FusedMultiplyAdd(a3, high, h3);
            }
        }
        l0.Store(c + 0);
        if (TW.Full)
            h0.Store(c + 16);
        l1.Store(c + 32);
        if (TW.Full)
            h1.Store(c + 48);
        l2.Store(c + 64);
        if (TW.Full)
            h2.Store(c + 80);
        l3.Store(c + 96);
        if (TW.Full)
            h3.Store(c + 112);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2<TA, TW>(float* a, nint segment, float* b, float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        Vector512<float> l0 = default, h0 = default;
        Vector512<float> l1 = default, h1 = default;
        if (start == Start.Tile)
        {
            l0 = Vector512.Load(c + 0);
            if (TW.Full)
                h0 = Vector512.Load(c + 16);
            l1 = Vector512.Load(c + 32);
            if (TW.Full)
                h1 = Vector512.Load(c + 48);
        }
        else if (start == Start.Bias)
        {
            l0 = h0 = Vector512.Create(bias[0]);
            l1 = h1 = Vector512.Create(bias[1]);
        }
        byte* near0 = null, near1 = null, near2 = null;
        if (TA.Prefetches)
        {
            near0 = ahead->First;
            near1 = ahead->Second;
            near2 = ahead->Third;
        }
        nint near = 0;
        for (; depth > 0; depth -= 32, a += segment)
        {
            var p = a;
            for (var d = Math.Min(depth, 32); d > 0; d--, p += TA.Depth, b += 32)
            {
                if (TA.Prefetches && Sse.IsSupported)
                {
                    Sse.Prefetch0(near0 + near);
                    Sse.Prefetch0(near1 + near);
                    Sse.Prefetch0(near2 + near);
                    near += ahead->Step;
                }
                var low = Vector512.Load(b);
                var high = TW.Full ? Vector512.Load(b + 16) : default;
                var a0 = Vector512.Create(*(p));
                l0 = Vector512.FusedMultiplyAdd(a0, low, l0);
                if (TW.Full)
                    h0 = Vector512.FusedMultiplyAdd(a0, high, h0);
                var a1 = Vector512.Create(*(p + TA.Row));
                l1 = Vector512.FusedMultiplyAdd(a1, low, l1);
                if (TW.Full)
                    h1 = Vector512.FusedMultiplyAdd(a1, high, h1);
            }
        }
        l0.Store(c + 0);
        if (TW.Full)
            h0.Store(c + 16);
        l1.Store(c + 32);
        if (TW.Full)
            h1.Store(c + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1<TA, TW>(float* a, nint segment, float* b, float* c, float* bias, int depth, Start start, Ahead* ahead = null)
        where TA : struct, IOperand where TW : struct, IWidth
    {
        Vector512<float> l0 = default, h0 = default;
        if (start == Start.Tile)
        {
            l0 = Vector512.Load(c + 0);
            if (TW.Full)
                h0 = Vector512.Load(c + 16);
        }
        else if (start == Start.Bias)
        {
            l0 = h0 = Vector512.Create(bias[0]);
        }
        byte* near0 = null, near1 = null, near2 = null;
        if (TA.Prefetches)
        {
            near0 = ahead->First;
            near1 = ahead->Second;
            near2 = ahead->Third;
        }
        nint near = 0;
        for (; depth > 0; depth -= 32, a += segment)
        {
            var p = a;
            for (var d = Math.Min(depth, 32); d > 0; d--, p += TA.Depth, b += 32)
            {
                if (TA.Prefetches && Sse.IsSupported)
                {
                    Sse.Prefetch0(near0 + near);
                    Sse.Prefetch0(near1 + near);
                    Sse.Prefetch0(near2 + near);
                    near += ahead->Step;
                }
                var low = Vector512.Load(b);
                var high = TW.Full ? Vector512.Load(b + 16) : default;
                var a0 = Vector512.Create(*(p));
                l0 = Vector512.FusedMultiplyAdd(a0, low, l0);
                if (TW.Full)
                    h0 = Vector512.FusedMultiplyAdd(a0, high, h0);
            }
        }
        l0.Store(c + 0);
        if (TW.Full)
            h0.Store(c + 16);
    }
}
