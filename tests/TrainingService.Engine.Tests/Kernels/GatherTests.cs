using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Tests.Memory;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

[Trait("Category", "Kernel")]
public sealed unsafe class GatherTests
{
    private const int Rows = 50;

    public static MatrixTheoryData<int, int> Shapes => new([1, 2, 15, 16, 17, 31, 32, 33, 64, 97, 131], [1, 7, 31, 32, 33, 70]);

    [Theory, MemberData(nameof(Shapes))]
    public void Rows_come_as_panels_and_as_blocks_with_zeros_behind(int columns, int samples)
    {
        var blockCount = Layout.Tiles(samples);
        using GuardedBuffer source = new(Rows * columns), panels = new((long)Layout.Tiles(columns) * blockCount * 1024),
            blocks = new((long)blockCount * columns * 32);
        for (var i = 0; i < source.Length; i++)
            source.Values[i] = i + 1;
        panels.Values.Fill(float.NaN);
        blocks.Values.Fill(float.NaN);
        int[] rows = [.. Enumerable.Range(0, samples).Select(s => s * 7 % Rows)];
        fixed (int* indices = rows)
            Gather.Batch(source.Pointer, indices, samples, columns, panels.Pointer, blocks.Pointer, blockCount);
        foreach (var buffer in new[] { source, panels, blocks })
            buffer.AssertIntact();
        for (var sample = 0; sample < blockCount * 32; sample++)
            for (var column = 0; column < TransposeTests.Written(columns); column++)
            {
                var expected = sample < samples && column < columns ? source.Values[rows[sample] * columns + column] : 0;
                Assert.Equal(expected, panels.Values[(int)Layout.Panel(sample, column, blockCount * 32)]);
                if (column < columns)
                    Assert.Equal(expected, blocks.Values[(int)Layout.Block(column, sample, columns)]);
            }
    }
}
