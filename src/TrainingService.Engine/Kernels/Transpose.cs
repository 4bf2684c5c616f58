using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TrainingService.Engine.Kernels;

/// <summary>Turns tiles of 32 x 32 numbers, of which blocks of samples and panels are made alike.</summary>
internal static unsafe class Transpose
{
    /// <summary>
    /// Panels (samples x features) from blocks (features x samples). Goes through blocks from..to; the panels' columns beyond the features
    /// become 0, in a last panel of at most 16 only the first 16.
    /// </summary>
    public static void BlocksToPanels(float* blocks, float* panels, int features, int blockCount, int from, int to)
    {
        for (var f = 0; f < features; f += 32)
            for (var block = from; block < to; block++)
                Tile(blocks + ((long)block * features + f) * 32,
                    panels + ((long)(f / 32) * blockCount + block) * 1024, Math.Min(32, features - f), 32);
    }

    /// <summary>
    /// target[c][r] = source[r][c] for 32 columns of at most 32 rows; writes only the first rows of the target, and 0 for missing
    /// rows of the source up to 16 or 32.
    /// </summary>
    public static void Tile(float* source, float* target, int sourceRows, int targetRows)
    {
        if (!Avx512F.IsSupported)
        {
            var width = sourceRows > 16 ? 32 : 16;
            if (!Avx.IsSupported)
            {
                for (var c = 0; c < targetRows; c++)
                    for (var r = 0; r < width; r++)
                        target[c * 32 + r] = r < sourceRows ? source[r * 32 + c] : 0;
                return;
            }
            for (var c = 0; c < targetRows; c += 8)
                for (var r = 0; r < width; r += 8)
                    Eight(source + r * 32 + c, target + c * 32 + r, sourceRows - r, targetRows - c);
            return;
        }
        for (var c = 0; c < targetRows; c += 16)
            for (var r = 0; r < sourceRows; r += 16)
                Square(source + r * 32 + c, target + c * 32 + r, sourceRows - r, targetRows - c);
    }

    /// <summary>At most 16 x 16 numbers in rows 32 apart. Missing rows of the source count as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square(float* source, float* target, int sourceRows, int targetRows)
    {
        FourRows(source, sourceRows, out var a0, out var a1, out var a2, out var a3);
        FourRows(source + 4 * 32, sourceRows - 4, out var b0, out var b1, out var b2, out var b3);
        FourRows(source + 8 * 32, sourceRows - 8, out var c0, out var c1, out var c2, out var c3);
        FourRows(source + 12 * 32, sourceRows - 12, out var d0, out var d1, out var d2, out var d3);
        FourColumns(a0, b0, c0, d0, target, targetRows);
        FourColumns(a1, b1, c1, d1, target + 32, targetRows - 1);
        FourColumns(a2, b2, c2, d2, target + 2 * 32, targetRows - 2);
        FourColumns(a3, b3, c3, d3, target + 3 * 32, targetRows - 3);
    }

    /// <summary>
    /// Pairs, then fours change places: <paramref name="c0"/> gets columns 0, 4, 8, 12 of four rows (a 128-bit lane each), c1 1, 5, 9, 13.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourRows(float* source, int rows, out Vector512<float> c0,
        out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3)
    {
        var r0 = rows > 0 ? Vector512.Load(source) : default;
        var r1 = rows > 1 ? Vector512.Load(source + 32) : default;
        var r2 = rows > 2 ? Vector512.Load(source + 2 * 32) : default;
        var r3 = rows > 3 ? Vector512.Load(source + 3 * 32) : default;
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        c0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        c1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        c2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        c3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    /// <summary>
    /// The 128-bit lanes of 4 x 4 rows change places: columns 0, 4, 8, 12, as far as the target has <paramref name="rows"/> for them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourColumns(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* target, int rows)
    {
        Vector512<float> lowAB = Avx512F.Shuffle4x128(a, b, 0x88), lowCD = Avx512F.Shuffle4x128(c, d, 0x88);
        Vector512<float> highAB = Avx512F.Shuffle4x128(a, b, 0xdd), highCD = Avx512F.Shuffle4x128(c, d, 0xdd);
        if (rows > 0)
            Avx512F.Shuffle4x128(lowAB, lowCD, 0x88).Store(target);
        if (rows > 4)
            Avx512F.Shuffle4x128(highAB, highCD, 0x88).Store(target + 4 * 32);
        if (rows > 8)
            Avx512F.Shuffle4x128(lowAB, lowCD, 0xdd).Store(target + 8 * 32);
        if (rows > 12)
            Avx512F.Shuffle4x128(highAB, highCD, 0xdd).Store(target + 12 * 32);
    }

    /// <summary>At most 8 x 8 numbers in rows 32 apart. Missing rows of the source count as 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight(float* source, float* target, int sourceRows, int targetRows)
    {
        FourShortRows(source, sourceRows, out var a0, out var a1, out var a2, out var a3);
        FourShortRows(source + 4 * 32, sourceRows - 4, out var b0, out var b1, out var b2, out var b3);
        TwoColumns(a0, b0, target, targetRows);
        TwoColumns(a1, b1, target + 32, targetRows - 1);
        TwoColumns(a2, b2, target + 2 * 32, targetRows - 2);
        TwoColumns(a3, b3, target + 3 * 32, targetRows - 3);
    }

    /// <summary>As above: <paramref name="c0"/> gets columns 0 and 4 of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourShortRows(float* source, int rows, out Vector256<float> c0,
        out Vector256<float> c1, out Vector256<float> c2, out Vector256<float> c3)
    {
        var r0 = rows > 0 ? Vector256.Load(source) : default;
        var r1 = rows > 1 ? Vector256.Load(source + 32) : default;
        var r2 = rows > 2 ? Vector256.Load(source + 2 * 32) : default;
        var r3 = rows > 3 ? Vector256.Load(source + 3 * 32) : default;
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble(), high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble(), high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        c0 = Avx.UnpackLow(low01, low23).AsSingle();
        c1 = Avx.UnpackHigh(low01, low23).AsSingle();
        c2 = Avx.UnpackLow(high01, high23).AsSingle();
        c3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }

    /// <summary>Columns 0 and 4 of 4 + 4 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TwoColumns(Vector256<float> a, Vector256<float> b, float* target, int rows)
    {
        if (rows > 0)
            Avx.Permute2x128(a, b, 0x20).Store(target);
        if (rows > 4)
            Avx.Permute2x128(a, b, 0x31).Store(target + 4 * 32);
    }
}
