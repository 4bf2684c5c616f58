using System.Runtime.Intrinsics;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Kernels;

/// <summary>
/// The three products of a dense layer with N outputs and K inputs on a batch in blocks of 32 samples (see <see cref="Layout"/>):
/// forward Z = W X + b, input gradient dX = W^T dZ, weight gradient dW = dZ X^T. Weights stay in their panels for all three.
/// A chunk of the right operand stays in the first-level cache while the rows of the left one go past; of those, a band of at most 192 rows
/// stays in the second-level cache while the blocks go past, and the next one comes in.
/// </summary>
internal static unsafe class MatrixProduct
{
    private const int Band = 192;

    /// <summary>
    /// Depth steps. With 512-bit vectors a tile reads all 32 samples of each: 32 KB in 256 steps, of 48. With vectors half as wide it reads
    /// 16, every other line, and those lie in half of the cache's sets, where the left operand's rows need room, too. Measured on Zen 3
    /// (32 KB): 64 steps are up to 1.4 times as fast as 256; on Zen 1 as fast.
    /// </summary>
    private static int Chunk => Vector512.IsHardwareAccelerated ? 256 : 64;

    /// <summary>Bytes; more than that is far away.</summary>
    public const int SecondLevelCache = 1 << 20;

    /// <summary>
    /// Whether the next weights are asked for ahead. Measured: with 512-bit vectors it pays; where half as wide ones give the processor
    /// twice the time, its own prefetching does (and on Zen 1, asking made wide layers three times slower).
    /// </summary>
    private static bool IsFar(int inputs, int outputs) =>
        Vector512.IsHardwareAccelerated && (long)inputs * outputs * sizeof(float) > SecondLevelCache;

    /// <summary>Z (N x samples) = W (N x K) X (K x samples) + b (N), for blocks <paramref name="from"/> to <paramref name="to"/>.</summary>
    public static void Forward(float* weights, float* bias, float* input, float* output, int inputs, int outputs, int from, int to)
    {
        var far = IsFar(inputs, outputs);
        for (var k = 0; k < inputs; k += Chunk)
        {
            var depth = Math.Min(Chunk, inputs - k);
            var start = k == 0 ? Start.Bias : Start.Tile;
            for (var band = 0; band < outputs; band += Band)
                for (var block = from; block < to; block++)
                {
                    var b = input + ((long)block * inputs + k) * 32;
                    var c = output + (long)block * outputs * 32;
                    var end = Math.Min(band + Band, outputs);
                    for (var n = band; n < end;)
                    {
                        var a = weights + Layout.Panel(n, k, outputs);
                        if (!far)
                        {
                            n += Tile.Multiply<RowsApart, FullWidth>(end - n, a, outputs * 32, b, c + n * 32, bias + n, depth, start);
                            continue;
                        }
                        // each block fetches some panels' part of the tile that the next band, or the next chunk's
                        // first, has in this one's place
                        int step = Math.Min(Chunk / 32, to - from), turn = (block - from) % step;
                        var next = weights + 32L * turn * outputs
                            + (end < outputs ? Layout.Panel(n + Band, k, outputs) : Layout.Panel(n - band, k + Chunk, outputs));
                        var apart = step < Chunk / 32 ? (long)step * outputs * 32 : 0;
                        var ahead = new Ahead(next, next + apart, next + 2 * apart, Tile.LargestRows * 32, depth);
                        n += Tile.Multiply<Prefetching<RowsApart>, FullWidth>(end - n, a,
                            outputs * 32, b, c + n * 32, bias + n, depth, start, &ahead);
                    }
                }
        }
    }

    /// <summary>dX (K x samples) = W^T dZ (N x samples), for blocks <paramref name="from"/> to <paramref name="to"/>.</summary>
    public static void InputGradient(float* weights, float* outputGradient, float* inputGradient, int inputs, int outputs, int from, int to)
    {
        var far = IsFar(inputs, outputs);
        for (var n = 0; n < outputs; n += Chunk)
        {
            var depth = Math.Min(Chunk, outputs - n);
            var start = n == 0 ? Start.Zero : Start.Tile;
            for (var band = 0; band < inputs; band += Band)
                for (var block = from; block < to; block++)
                {
                    var b = outputGradient + ((long)block * outputs + n) * 32;
                    var c = inputGradient + (long)block * inputs * 32;
                    var end = Math.Min(band + Band, inputs);
                    for (var k = band; k < end;)
                    {
                        // a tile stays within its panel of 32 inputs
                        var rows = Math.Min(end - k, 32 - k % 32);
                        var a = weights + Layout.Panel(n, k, outputs);
                        if (!far)
                        {
                            k += Tile.Multiply<RowsTogether, FullWidth>(rows, a, 32 * 32, b, c + k * 32, null, depth, start);
                            continue;
                        }
                        // the panel that the next band, or the next chunk's first, has in this one's place is fetched
                        // by the three tiles of each block
                        var piece = depth * 32 / (3 * (to - from));
                        var first = k - k % 32;
                        var next = weights
                            + (end < inputs ? Layout.Panel(n, first + Band, outputs) : Layout.Panel(n + Chunk, first - band, outputs));
                        next += (3 * (block - from) + k % 32 / Tile.LargestRows) * piece;
                        var ahead = new Ahead(next, next, next, piece, depth);
                        k += Tile.Multiply<Prefetching<RowsTogether>, FullWidth>(rows,
                            a, 32 * 32, b, c + k * 32, null, depth, start, &ahead);
                    }
                }
        }
    }

    /// <summary>
    /// Rows n.. of panel q of dW (N x K) = dZ (N x samples) X^T, the input being transposed into panels, of which
    /// <paramref name="columns"/> are not padding. Answers how many rows it did. <paramref name="ahead"/> is brought into the
    /// cache on the way; null for nothing.
    /// </summary>
    public static int WeightGradient(
        float* outputGradient, float* transposedPanel, float* tile, int n, int outputs, int columns, int blocks, Ahead* ahead = null)
    {
        var rows = 0;
        for (var block = 0; block < blocks; block += Chunk / 32)
        {
            var depth = Math.Min(Chunk, (blocks - block) * 32);
            var start = block == 0 ? Start.Zero : Start.Tile;
            var a = outputGradient + ((long)block * outputs + n) * 32;
            var b = transposedPanel + block * 32 * 32;
            rows = columns <= 16 ? Tile.Multiply<RowsApart, HalfWidth>(outputs - n, a, outputs * 32, b, tile, null, depth, start)
                : ahead == null ? Tile.Multiply<RowsApart, FullWidth>(outputs - n, a, outputs * 32, b, tile, null, depth, start)
                : Tile.Multiply<Prefetching<RowsApart>, FullWidth>(outputs - n, a, outputs * 32, b, tile, null, depth, start, ahead);
        }
        return rows;
    }
}
