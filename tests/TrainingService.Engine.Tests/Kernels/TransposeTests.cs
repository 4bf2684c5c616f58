using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Tests.Memory;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

[Trait("Category", "Kernel")]
public sealed unsafe class TransposeTests
{
    public static MatrixTheoryData<int, int> Shapes => new([1, 2, 16, 31, 32, 33, 64, 77], [1, 2, 3]);

    /// <summary>Columns that nobody reads stay as they are: those behind 16, where no more are used.</summary>
    public static int Written(int columns) => columns % 32 is > 0 and <= 16 ? columns / 32 * 32 + 16 : Layout.Padded(columns);

    [Theory, MemberData(nameof(Shapes))]
    public void Blocks_become_panels(int features, int blockCount)
    {
        using GuardedBuffer blocks = new((long)blockCount * features * 32), panels = new((long)Layout.Tiles(features) * blockCount * 1024);
        using GuardedBuffer back = new(blocks.Length);
        for (var i = 0; i < blocks.Length; i++)
            blocks.Values[i] = i + 1;
        panels.Values.Fill(float.NaN);
        Transpose.BlocksToPanels(blocks.Pointer, panels.Pointer, features, blockCount, 0, blockCount);
        panels.AssertIntact();
        for (var sample = 0; sample < blockCount * 32; sample++)
            for (var column = 0; column < Written(features); column++)
            {
                var expected = column < features ? blocks.Values[(int)Layout.Block(column, sample, features)] : 0;
                Assert.Equal(expected, panels.Values[(int)Layout.Panel(sample, column, blockCount * 32)]);
            }
    }
}
