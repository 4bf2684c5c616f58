using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Tests.Memory;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

/// <summary>
/// Products of small whole numbers, which float32 adds without rounding in any order: every element must equal the double loop exactly.
/// </summary>
[Trait("Category", "Kernel")]
public sealed unsafe class MatrixProductTests
{
    private static readonly int[] Widths = [1, 2, 3, 6, 8, 10, 12, 13, 16, 17, 31, 32, 33, 64, 513];

    public static TheoryData<int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int>();
            foreach (var batch in new[] { 1, 7, 32, 33, 64 })
                foreach (var inputs in Widths)
                    shapes.Add(batch, inputs);
            return shapes;
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Every_product_equals_the_naive_one(int batch, int inputs)
    {
        foreach (var outputs in Widths)
            new Case(batch, inputs, outputs).Check();
    }

    [Theory, InlineData(33, 513), InlineData(513, 33), InlineData(1, 1), InlineData(12, 64), InlineData(17, 13)]
    public void Long_batches_equal_the_naive_product(int inputs, int outputs) => new Case(1000, inputs, outputs).Check();

    [Fact]
    public void Unused_lanes_of_a_batch_do_not_reach_the_used_ones()
    {
        var test = new Case(7, 33, 13);
        test.PoisonUnusedLanes();
        test.CheckForward();
        test.CheckInputGradient();
    }

    /// <summary>One dense layer on one batch with random whole numbers from -8 to 8.</summary>
    private sealed class Case
    {
        private readonly int _batch, _inputs, _outputs, _blocks;
        private readonly float[] _weights, _bias, _x, _dz;
        private float _unused;

        public Case(int batch, int inputs, int outputs)
        {
            (_batch, _inputs, _outputs, _blocks) = (batch, inputs, outputs, Layout.Tiles(batch));
            var random = new Random(1);
            float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(-8, 9))];
            (_weights, _bias, _x, _dz) = (Draw(outputs * inputs), Draw(outputs), Draw(batch * inputs), Draw(batch * outputs));
        }

        public void PoisonUnusedLanes() => _unused = float.NaN;

        public void Check()
        {
            CheckForward();
            CheckInputGradient();
            CheckWeightGradient();
        }

        public void CheckForward()
        {
            using GuardedBuffer weights = Panels(), bias = new(_bias),
                input = Blocks(_x, _inputs, _unused), output = new((long)_blocks * _outputs * 32);
            output.Values.Fill(float.NaN);
            MatrixProduct.Forward(weights.Pointer, bias.Pointer, input.Pointer, output.Pointer, _inputs, _outputs, 0, _blocks);
            output.AssertIntact();
            var expected = new float[_batch * _outputs];
            for (var r = 0; r < _batch; r++)
                for (var o = 0; o < _outputs; o++)
                {
                    var sum = _bias[o];
                    for (var i = 0; i < _inputs; i++)
                        sum += _weights[o * _inputs + i] * _x[r * _inputs + i];
                    expected[r * _outputs + o] = sum;
                }
            AssertBlocks(output, _outputs, expected, "z");
        }

        public void CheckInputGradient()
        {
            using GuardedBuffer weights = Panels(), gradient = Blocks(_dz, _outputs, _unused), result = new((long)_blocks * _inputs * 32);
            result.Values.Fill(float.NaN);
            MatrixProduct.InputGradient(weights.Pointer, gradient.Pointer, result.Pointer, _inputs, _outputs, 0, _blocks);
            result.AssertIntact();
            var expected = new float[_batch * _inputs];
            for (var r = 0; r < _batch; r++)
                for (var o = 0; o < _outputs; o++)
                    for (var i = 0; i < _inputs; i++)
                        expected[r * _inputs + i] += _weights[o * _inputs + i] * _dz[r * _outputs + o];
            AssertBlocks(result, _inputs, expected, "dx");
        }

        /// <summary>Columns beyond the inputs are padding, and zero.</summary>
        private void CheckWeightGradient()
        {
            using GuardedBuffer gradient = Blocks(_dz, _outputs), input = Blocks(_x, _inputs),
                panels = new((long)Layout.Tiles(_inputs) * _blocks * 1024);
            var expected = new float[_outputs * Layout.Padded(_inputs)];
            for (var r = 0; r < _batch; r++)
                for (var o = 0; o < _outputs; o++)
                    for (var i = 0; i < _inputs; i++)
                        expected[o * Layout.Padded(_inputs) + i] += _dz[r * _outputs + o] * _x[r * _inputs + i];
            using GuardedBuffer tile = new(Tile.MaxRows * 32);
            panels.Values.Fill(float.NaN);
            Transpose.BlocksToPanels(input.Pointer, panels.Pointer, _inputs, _blocks, 0, _blocks);
            panels.AssertIntact();
            for (var q = 0; q < Layout.Tiles(_inputs); q++)
                for (var n = 0; n < _outputs;)
                {
                    tile.Values.Fill(float.NaN);
                    var rows = MatrixProduct.WeightGradient(gradient.Pointer, panels.Pointer + (long)q * _blocks * 1024,
                        tile.Pointer, n, _outputs, _inputs - q * 32, _blocks);
                    Assert.InRange(rows, 1, Math.Min(Tile.MaxRows, _outputs - n));
                    tile.AssertIntact();
                    for (var r = 0; r < rows; r++)
                        for (var lane = 0; lane < (_inputs - q * 32 > 16 ? 32 : 16); lane++)
                            AssertElement(expected[(n + r) * Layout.Padded(_inputs) + q * 32 + lane],
                                tile.Values[r * 32 + lane], "dW", n + r, q * 32 + lane);
                    n += rows;
                }
        }

        private GuardedBuffer Panels()
        {
            var panels = new GuardedBuffer((long)Layout.Tiles(_inputs) * _outputs * 32);
            for (var o = 0; o < _outputs; o++)
                for (var i = 0; i < _inputs; i++)
                    panels.Values[(i / 32 * _outputs + o) * 32 + i % 32] = _weights[o * _inputs + i];
            return panels;
        }

        private GuardedBuffer Blocks(float[] rows, int features, float unused = 0)
        {
            var blocks = new GuardedBuffer((long)_blocks * features * 32);
            blocks.Values.Fill(unused);
            for (var r = 0; r < _batch; r++)
                for (var f = 0; f < features; f++)
                    blocks.Values[(r / 32 * features + f) * 32 + r % 32] = rows[r * features + f];
            return blocks;
        }

        private void AssertBlocks(GuardedBuffer actual, int features, float[] expected, string what)
        {
            for (var r = 0; r < _batch; r++)
                for (var f = 0; f < features; f++)
                    AssertElement(expected[r * features + f], actual.Values[(r / 32 * features + f) * 32 + r % 32], what, r, f);
        }

        private void AssertElement(float expected, float actual, string what, int row, int column)
        {
            if (expected != actual)
                Assert.Fail($"{what}[{row},{column}] of {_batch} x {_inputs} x {_outputs}: expected {expected}, got {actual}");
        }
    }
}
