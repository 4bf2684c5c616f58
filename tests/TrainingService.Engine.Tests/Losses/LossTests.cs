using TrainingService.Engine.Losses;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.Memory;
using TrainingService.Engine.Tests.References;
using Xunit;

namespace TrainingService.Engine.Tests.Losses;

[Trait("Category", "Kernel")]
public sealed unsafe class LossTests
{
    public static MatrixTheoryData<string, int, int> Cases =>
        new(["cross_entropy", "cross_entropy smoothed", "mse", "mse of classes", "huber", "huber of classes"],
            [1, 2, 3, 10, 33], [1, 7, 32, 33, 100]);

    [Theory, MemberData(nameof(Cases))]
    public void Value_and_gradient_agree_with_the_formula(string loss, int outputs, int rows) => Check(loss, outputs, rows, 3);

    [Theory, InlineData(1), InlineData(33), InlineData(100)]
    public void Binary_cross_entropy_agrees_with_the_formula(int rows) => Check("binary_cross_entropy", 1, rows, 3);

    [Fact]
    public void Extreme_logits_stay_finite_and_right()
    {
        foreach (var scale in new[] { 30.0, 80, 200, 1e4, 1e30 })
        {
            Check("cross_entropy", 3, 40, scale);
            Check("cross_entropy smoothed", 3, 40, scale);
            Check("huber", 2, 40, scale);
            Check("binary_cross_entropy", 1, 40, scale);
        }
    }

    [Theory, InlineData("cross_entropy", 3), InlineData("binary_cross_entropy", 1), InlineData("mse", 2), InlineData("huber", 2)]
    [InlineData("cross_entropy smoothed", 3)]
    public void A_NaN_output_makes_the_loss_NaN(string name, int outputs)
    {
        for (var row = 0; row < 3; row++)
            for (var c = 0; c < outputs; c++)
            {
                var z = Enumerable.Range(0, 3).Select(_ => new double[outputs]).ToArray();
                z[row][c] = double.NaN;
                Assert.True(double.IsNaN(Run(name, z, [.. z.Select(_ => new double[outputs])]).Loss), $"NaN in output {c} of row {row}");
            }
    }

    [Fact]
    public void Correct_counts_the_largest_output_and_the_first_of_equals()
    {
        double[][] z = [[1, 2, 0], [2, 2, 0], [0, 0, 0], [double.NaN, 1, 0], [-1, double.NegativeInfinity, -2]];
        Assert.Equal(2 + 0 + 1, Correct(z[..3], [1, 0, 0]));
        Assert.Equal(0, Correct(z[1..2], [1]));
        Assert.Equal(0, Correct(z[3..4], [0]));
        Assert.Equal(1, Correct(z[4..], [0]));
    }

    [Fact]
    public void Correct_takes_the_sign_of_a_single_output() =>
        Assert.Equal(3, Correct([[1], [-1], [0], [double.NaN], [5]], [1, 0, 0, 0, 0]));

    /// <summary>
    /// z = (1, 2, 3), (0, 0, 0) of classes 2, 0 with weights 1, 2, 4, as PyTorch's CrossEntropyLoss(weight=[1, 2, 4]) has it:
    /// (4 (-ln softmax_2) + 1 ln 3) / 5, and smoothed by .3: (.7 (4 l_22 + l_10) + .1 sum_c w_c (l_1c + l_2c)) / 5.
    /// </summary>
    [Theory, InlineData("cross_entropy", (4 * 0.40760596 + 1.0986123) / 5)]
    [InlineData("cross_entropy smoothed", (0.8 * (4 * 0.40760596 + 1.0986123)
        + 0.2 / 3 * (2.40760596 + 2 * 1.40760596 + 4 * 0.40760596 + 7 * 1.0986123)) / 5)]
    public void Weighted_cross_entropy_is_that_of_PyTorch(string name, double expected) =>
        Close.Assert(expected, RunWeighted(name, [[1, 2, 3], [0, 0, 0]], [2, 0], [1, 2, 4]).Loss, 1e-6, name);

    /// <summary>z = 0.5 of class 1 with weight 3 and z = -1 of class 0 with weight 1: (3 ln(1 + e^-.5) + ln(1 + e^-1)) / 4.</summary>
    [Fact]
    public void Weighted_binary_cross_entropy_by_hand() => Close.Assert((3 * 0.47407698 + 0.31326169) / 4,
        RunWeighted("binary_cross_entropy", [[0.5], [-1]], [1, 0], [1, 3]).Loss, 1e-6, "loss");

    [Theory, InlineData("cross_entropy", 3), InlineData("cross_entropy smoothed", 4), InlineData("binary_cross_entropy", 1)]
    [InlineData("mse of classes", 3), InlineData("huber of classes", 3), InlineData("cross_entropy", 33)]
    public void Weighted_values_and_gradients_agree_with_the_formula_and_with_central_differences(string name, int outputs)
    {
        const double h = 1e-5;
        foreach (var rows in new[] { 1, 7, 33, 100 })
        {
            var generator = new SplitMix64((ulong)(outputs * 100 + rows));
            var classes = Math.Max(2, outputs);
            int[] labels = [.. Enumerable.Range(0, rows).Select(_ => (int)(generator.Next() % (ulong)classes))];
            double[] weights = [.. Enumerable.Range(0, classes).Select(c => (double)(float)(0.3 + 1.7 * c))];
            double[][] z = [.. labels.Select(_ => generator.Symmetric(outputs, 3).Select(v => (double)(float)v).ToArray())];
            var golden = new GoldenLoss(name.Split(' ')[0], Smoothing(name), Delta);
            var expected = ReferenceLoss.Weighted(golden, z, labels, weights);
            var actual = RunWeighted(name, z, labels, weights);
            Close.Assert(expected.Loss, actual.Loss, 1e-6, "loss");
            Close.Assert(expected.Gradient, actual.Gradient, 1e-6, "gradient");
            for (var r = 0; r < rows; r += 5)
                for (var c = 0; c < outputs; c++)
                {
                    var before = z[r][c];
                    z[r][c] = before + h;
                    var up = ReferenceLoss.Weighted(golden, z, labels, weights).Loss;
                    z[r][c] = before - h;
                    var down = ReferenceLoss.Weighted(golden, z, labels, weights).Loss;
                    z[r][c] = before;
                    Close.Assert((up - down) / (2 * h), expected.Gradient[r][c], 1e-6, "difference");
                }
        }
    }

    [Fact]
    public void A_row_is_taken_for_what_counts_as_correct()
    {
        double[][] z = [[1, 2, 0], [2, 2, 0], [0, 0, 0], [double.NaN, 1, 0], [1, double.NaN, 0],
            [-1, double.NegativeInfinity, -2], [0, 1, 5]];
        Assert.Equal([1, 0, 0, -1, -1, 0, 2], Predicted(z));
        Assert.Equal([1, 0, 0, -1], Predicted([[3], [-1], [0], [double.NaN]]));

        static int[] Predicted(double[][] z)
        {
            using var outputs = Blocks(z);
            var classes = new int[z.Length];
            Loss.Predict(outputs.Pointer, z[0].Length, z.Length, classes);
            return classes;
        }
    }

    private const double Delta = 0.7;

    private static double Smoothing(string name) => name == "cross_entropy smoothed" ? 0.2 : 0;

    private static bool Classes(string name) => name is not ("mse" or "huber");

    private static void Check(string name, int outputs, int rows, double scale)
    {
        var generator = new SplitMix64((ulong)(outputs * 1000 + rows));
        var classes = Classes(name);
        var z =
            Enumerable.Range(0, rows).Select(_ => generator.Symmetric(outputs, scale).Select(v => (double)(float)v).ToArray()).ToArray();
        var labels = (ulong)(name == "binary_cross_entropy" ? 2 : outputs);
        var targets = z.Select(_ => classes ? [generator.Next() % labels] : generator.Symmetric(outputs, 2)).ToArray();
        var numbers = name.EndsWith("of classes", StringComparison.Ordinal)
            ? [.. targets.Select(t => z[0].Select((_, c) => c == (int)t[0] ? 1.0 : 0).ToArray())] : targets;
        var expected = ReferenceLoss.Of(new(name.Split(' ')[0], Smoothing(name), Delta), z, numbers);
        var actual = Run(name, z, targets);
        Close.Assert(expected.Loss, actual.Loss / rows, 1e-6, "loss");
        Close.Assert(expected.Gradient, actual.Gradient, 1e-6, "gradient");
    }

    private static int Correct(double[][] z, int[] labels)
    {
        using var outputs = Blocks(z);
        fixed (int* l = (int[])[.. labels, .. new int[16]])
            return Loss.Correct(outputs.Pointer, z[0].Length, z.Length, new(l, null));
    }

    /// <summary>The weighted mean and its gradient.</summary>
    private static (double Loss, double[][] Gradient) RunWeighted(string name, double[][] z, int[] labels, double[] weights)
    {
        var loss = GoldenSpecs.Loss(new(name.Split(' ')[0], Smoothing(name), Delta)).Create(true, [.. weights.Select(w => (float)w)]);
        var count = z[0].Length;
        using GuardedBuffer outputs = Blocks(z), gradient = new(outputs.Length);
        gradient.Values.Fill(float.NaN);
        double mean;
        fixed (int* l = (int[])[.. labels, .. new int[16]])
        {
            Targets targets = new(l, null);
            var sum = loss.Sum(outputs.Pointer, count, z.Length, targets, gradient.Pointer, loss.Scale(z.Length, targets));
            Assert.Equal(sum, loss.Sum(outputs.Pointer, count, z.Length, targets));
            mean = sum / loss.Weight(z.Length, targets);
        }
        gradient.AssertIntact();
        for (var s = z.Length; s < Layout.Padded(z.Length); s++)
            for (var c = 0; c < count; c++)
                Assert.Equal(0, gradient.Values[(int)Layout.Block(c, s, count)]);
        return (mean, [.. z.Select((row, s) => row.Select((_, c) => (double)gradient.Values[(int)Layout.Block(c, s, count)]).ToArray())]);
    }

    /// <summary>The sum of the rows' losses and the gradient of their mean.</summary>
    private static (double Loss, double[][] Gradient) Run(string name, double[][] z, double[][] targets)
    {
        var classes = Classes(name);
        var loss = GoldenSpecs.Loss(new(name.Split(' ')[0], Smoothing(name), Delta)).Create(classes);
        int[] labels = [.. targets.Select(t => classes ? (int)t[0] : 0), .. new int[16]];
        float[] values = [.. targets.SelectMany(t => t).Select(v => (float)v)];
        var count = z[0].Length;
        using GuardedBuffer outputs = Blocks(z), gradient = new(outputs.Length);
        gradient.Values.Fill(float.NaN);
        double sum;
        fixed (int* l = labels)
        fixed (float* v = values)
        {
            sum = loss.Sum(outputs.Pointer, count, z.Length, new(l, v), gradient.Pointer, 1f / z.Length);
            Assert.Equal(sum, loss.Sum(outputs.Pointer, count, z.Length, new(l, v)));
        }
        gradient.AssertIntact();
        for (var s = z.Length; s < Layout.Padded(z.Length); s++)
            for (var c = 0; c < count; c++)
                Assert.Equal(0, gradient.Values[(int)Layout.Block(c, s, count)]);
        return (sum, [.. z.Select((row, s) => row.Select((_, c) => (double)gradient.Values[(int)Layout.Block(c, s, count)]).ToArray())]);
    }

    private static GuardedBuffer Blocks(double[][] z)
    {
        var blocks = new GuardedBuffer(Layout.Padded(z.Length) * z[0].Length);
        for (var s = 0; s < z.Length; s++)
            for (var c = 0; c < z[s].Length; c++)
                blocks.Values[(int)Layout.Block(c, s, z[s].Length)] = (float)z[s][c];
        return blocks;
    }
}
