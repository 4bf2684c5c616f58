using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TrainingService.Engine.Data;

namespace TrainingService.Engine.Kernels;

/// <summary>Brings rows of a data set together as a batch, and what will be needed soon into the cache.</summary>
internal static unsafe class Gather
{
    // In columns: far enough that a line has come from memory when its turn is there, near enough that it has not been
    // driven out of the first-level cache.
    private const int Ahead = 3 * 32;

    private static ReadOnlySpan<int> InTurn =>
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];

    // So few that moving them one by one is less work than a transposition.
    private const int FewColumns = 4;

    /// <summary>
    /// Both layouts of the rows of a (rows, columns) matrix that <paramref name="rows"/> names: panels (samples x columns) and blocks
    /// (columns x samples). What lies behind the last sample or column becomes 0, in a last panel of at most 16 columns only the first 16.
    /// Goes tile by tile, so that 32 rows come from memory side by side.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Batch(float* source, int* rows, int count, int columns, float* panels, float* blocks, int blockCount)
    {
        for (var block = 0; block < blockCount; block++)
            Block(source, rows + block * 32, count - block * 32, columns, panels, blocks, block, blockCount);
    }

    /// <summary>The same of rows that are made as they are needed: 32 at a time, in <paramref name="made"/>.</summary>
    public static void Batch(FeatureRows source, ReadOnlySpan<int> rows, float* made, float* panels, float* blocks, int blockCount)
    {
        fixed (int* inTurn = InTurn)
            for (var block = 0; block < blockCount; block++)
            {
                var some = rows.Slice(block * 32, Math.Min(32, rows.Length - block * 32));
                source.Read(some, new(made, some.Length * source.Columns));
                Block(made, inTurn, some.Length, source.Columns, panels, blocks, block, blockCount);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block(float* source, int* rows, int count, int columns, float* panels, float* blocks, int block, int blockCount)
    {
        for (var column = 0; column < columns; column += 32)
        {
            var tile = panels + ((long)(column / 32) * blockCount + block) * 1024;
            var width = Math.Min(32, columns - column);
            if (width <= FewColumns)
            {
                Narrow(source + column, rows, count, columns, width, tile, blocks + ((long)block * columns + column) * 32);
                continue;
            }
            for (var s = 0; s < 32; s++)
            {
                var target = tile + s * 32;
                if (s >= count)
                {
                    Zero(target);
                    continue;
                }
                var row = source + (long)rows[s] * columns + column;
                if (column + Ahead < columns)
                    Prefetch(row + Ahead, 32 * sizeof(float));
                if (width == 32)
                {
                    Vector512.Load(row).Store(target);
                    Vector512.Load(row + 16).Store(target + 16);
                    continue;
                }
                Zero(target);
                for (var c = 0; c < width; c++)
                    target[c] = row[c];
            }
            Transpose.Tile(tile, blocks + ((long)block * columns + column) * 32, 32, width);
        }
    }

    /// <summary>One tile of few columns, number by number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(float* source, int* rows, int count, int columns, int width, float* tile, float* block)
    {
        for (var s = 0; s < 32; s++, tile += 32, block++)
        {
            Vector512<float>.Zero.Store(tile);
            var row = s < count ? source + (long)rows[s] * columns : null;
            for (var c = 0; c < width; c++)
                block[c * 32] = tile[c] = row == null ? 0 : row[c];
        }
    }

    /// <summary>Asks for memory without waiting for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(void* address, int bytes)
    {
        if (!Sse.IsSupported)
            return;
        for (var offset = 0; offset < bytes; offset += 64)
            Sse.Prefetch0((byte*)address + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Zero(float* target)
    {
        Vector512<float>.Zero.Store(target);
        Vector512<float>.Zero.Store(target + 16);
    }
}
