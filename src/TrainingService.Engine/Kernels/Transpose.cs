using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TrainingService.Engine.Kernels;

/// <summary>Turns tiles of 32 x 32 numbers: blocks of samples into panels and back (both are made of such tiles).</summary>
internal static unsafe class Transpose
{
    /// <summary>Panels (samples x features) from blocks (features x samples). The panels' columns beyond the features become 0.</summary>
    public static void BlocksToPanels(float* blocks, float* panels, int features, int blockCount)
    {
        for (var f = 0; f < features; f += 32)
            for (var block = 0; block < blockCount; block++)
                Tile(blocks + ((long)block * features + f) * 32, panels + ((long)(f / 32) * blockCount + block) * 1024, Math.Min(32, features - f), 32);
    }

    /// <summary>Blocks (features x samples) from panels (samples x features).</summary>
    public static void PanelsToBlocks(float* panels, float* blocks, int features, int blockCount)
    {
        for (var f = 0; f < features; f += 32)
            for (var block = 0; block < blockCount; block++)
                Tile(panels + ((long)(f / 32) * blockCount + block) * 1024, blocks + ((long)block * features + f) * 32, 32, Math.Min(32, features - f));
    }

    /// <summary>target[c][r] = source[r][c] for 32 columns of at most 32 rows; writes only the first rows of the target, and 0 for missing rows of the source.</summary>
    private static void Tile(float* source, float* target, int sourceRows, int targetRows)
    {
        if (Avx512F.IsSupported && sourceRows == 32 && targetRows == 32)
        {
            Square(source, target);
            Square(source + 16, target + 16 * 32);
            Square(source + 16 * 32, target + 16);
            Square(source + 16 * 32 + 16, target + 16 * 32 + 16);
            return;
        }
        for (var c = 0; c < targetRows; c++)
            for (var r = 0; r < 32; r++)
                target[c * 32 + r] = r < sourceRows ? source[r * 32 + c] : 0;
    }

    /// <summary>16 x 16 numbers in rows 32 apart: pairs, then fours, then 128-bit lanes change places.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square(float* source, float* target)
    {
        var r = stackalloc Vector512<float>[16];
        var s = stackalloc Vector512<float>[16];
        for (var i = 0; i < 16; i += 2)
        {
            Vector512<float> a = Vector512.Load(source + i * 32), b = Vector512.Load(source + (i + 1) * 32);
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
        for (var c = 0; c < 4; c++)
        {
            var low01 = Avx512F.Shuffle4x128(s[c], s[4 + c], 0x88);
            var low23 = Avx512F.Shuffle4x128(s[8 + c], s[12 + c], 0x88);
            var high01 = Avx512F.Shuffle4x128(s[c], s[4 + c], 0xdd);
            var high23 = Avx512F.Shuffle4x128(s[8 + c], s[12 + c], 0xdd);
            Avx512F.Shuffle4x128(low01, low23, 0x88).Store(target + c * 32);
            Avx512F.Shuffle4x128(high01, high23, 0x88).Store(target + (4 + c) * 32);
            Avx512F.Shuffle4x128(low01, low23, 0xdd).Store(target + (8 + c) * 32);
            Avx512F.Shuffle4x128(high01, high23, 0xdd).Store(target + (12 + c) * 32);
        }
    }
}
