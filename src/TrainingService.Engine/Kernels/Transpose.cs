using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TrainingService.Engine.Kernels;

/// <summary>Turns tiles of 32 x 32 numbers, of which blocks of samples and panels are made alike.</summary>
internal static unsafe class Transpose
{
    /// <summary>Panels (samples x features) from blocks (features x samples). Goes through blocks from..to; the panels' columns beyond the features become 0.</summary>
    public static void BlocksToPanels(float* blocks, float* panels, int features, int blockCount, int from, int to)
    {
        for (var f = 0; f < features; f += 32)
            for (var block = from; block < to; block++)
                Tile(blocks + ((long)block * features + f) * 32, panels + ((long)(f / 32) * blockCount + block) * 1024, Math.Min(32, features - f), 32);
    }

    /// <summary>target[c][r] = source[r][c] for 32 columns of at most 32 rows; writes only the first rows of the target, and 0 for missing rows of the source.</summary>
    public static void Tile(float* source, float* target, int sourceRows, int targetRows)
    {
        if (!Avx512F.IsSupported)
        {
            for (var c = 0; c < targetRows; c++)
                for (var r = 0; r < 32; r++)
                    target[c * 32 + r] = r < sourceRows ? source[r * 32 + c] : 0;
            return;
        }
        for (var c = 0; c < targetRows; c += 16)
            for (var r = 0; r < 32; r += 16)
                if (r < sourceRows)
                    Square(source + r * 32 + c, target + c * 32 + r, sourceRows - r, targetRows - c);
                else
                    for (var i = c; i < Math.Min(c + 16, targetRows); i++)
                        Vector512<float>.Zero.Store(target + i * 32 + r);
    }

    /// <summary>
    /// At most 16 x 16 numbers in rows 32 apart: pairs, then fours, then 128-bit lanes change places. Missing rows of the source count as 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square(float* source, float* target, int sourceRows, int targetRows)
    {
        var r = stackalloc Vector512<float>[16];
        var s = stackalloc Vector512<float>[16];
        for (var i = 0; i < 16; i += 2)
        {
            var a = i < sourceRows ? Vector512.Load(source + i * 32) : Vector512<float>.Zero;
            var b = i + 1 < sourceRows ? Vector512.Load(source + (i + 1) * 32) : Vector512<float>.Zero;
            r[i] = Avx512F.UnpackLow(a, b);
            r[i + 1] = Avx512F.UnpackHigh(a, b);
        }
        for (var i = 0; i < 16; i += 4)
            for (var j = 0; j < 2; j++)
            {
                Vector512<double> a = r[i + j].AsDouble(), b = r[i + j + 2].AsDouble();
                s[i + 2 * j] = Avx512F.UnpackLow(a, b).AsSingle();
                s[i + 2 * j + 1] = Avx512F.UnpackHigh(a, b).AsSingle();
            }
        // s[4g + c] holds columns c, 4+c, 8+c, 12+c (a 128-bit lane each) of rows 4g..4g+3
        for (var c = 0; c < Math.Min(4, targetRows); c++)
        {
            var low01 = Avx512F.Shuffle4x128(s[c], s[4 + c], 0x88);
            var low23 = Avx512F.Shuffle4x128(s[8 + c], s[12 + c], 0x88);
            var high01 = Avx512F.Shuffle4x128(s[c], s[4 + c], 0xdd);
            var high23 = Avx512F.Shuffle4x128(s[8 + c], s[12 + c], 0xdd);
            Avx512F.Shuffle4x128(low01, low23, 0x88).Store(target + c * 32);
            if (4 + c < targetRows)
                Avx512F.Shuffle4x128(high01, high23, 0x88).Store(target + (4 + c) * 32);
            if (8 + c < targetRows)
                Avx512F.Shuffle4x128(low01, low23, 0xdd).Store(target + (8 + c) * 32);
            if (12 + c < targetRows)
                Avx512F.Shuffle4x128(high01, high23, 0xdd).Store(target + (12 + c) * 32);
        }
    }
}
