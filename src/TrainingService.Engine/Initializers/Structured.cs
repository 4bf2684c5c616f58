using System.Runtime.Intrinsics;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Initializers;

/// <summary>
/// Initialisers that fill a matrix as a whole. All end soon after a cancellation, with an <see cref="OperationCanceledException"/>.
/// </summary>
internal static unsafe class Structured
{
    /// <summary>
    /// Orthonormal rows (or columns, where there are fewer), times gain: modified Gram-Schmidt, twice for orthogonality to rounding,
    /// on normal vectors, which makes the result uniform over all such matrices.
    /// </summary>
    public static void Orthogonal(WeightMatrix weight, double gain, RandomStream random, CancellationToken cancellation)
    {
        int count = Math.Min(weight.Rows, weight.Columns), length = Math.Max(weight.Rows, weight.Columns);
        using var memory = new FloatBuffer(OrthogonalFloats(weight.Rows, weight.Columns));
        var vectors = (double*)memory.All;
        for (var i = 0; i < count; i++)
        {
            var v = vectors + (long)i * length;
            for (var k = 0; k < length; k += 2)
            {
                (v[k], var other) = random.Normals();
                if (k + 1 < length)
                    v[k + 1] = other;
            }
            for (var pass = 0; pass < 2; pass++)
                for (var j = 0; j < i; j++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var earlier = vectors + (long)j * length;
                    Subtract(v, earlier, Dot(v, earlier, length), length);
                }
            var norm = Math.Sqrt(Dot(v, v, length));
            for (var k = 0; k < length; k++)
                v[k] /= norm;
        }
        for (var row = 0; row < weight.Rows; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var column = 0; column < weight.Columns; column++)
                weight[row, column] = (float)(gain * (weight.Rows <= weight.Columns
                    ? vectors[(long)row * length + column] : vectors[(long)column * length + row]));
        }
    }

    /// <summary>Scratch of <see cref="Orthogonal"/>, whose vectors are float64.</summary>
    public static long OrthogonalFloats(Fans fans) => OrthogonalFloats(fans.Out, fans.In);

    private static long OrthogonalFloats(int rows, int columns) => 2L * rows * columns;

    /// <summary>Of one entry: the vectors have norm gain and <c>max(rows, columns)</c> entries.</summary>
    public static (double Mean, double Variance) OrthogonalMoments(int rows, int columns, double gain) =>
        (0, gain * gain / Math.Max(rows, columns));

    /// <summary>Normal numbers, but in every column (input) the same share of random rows is 0.</summary>
    public static void Sparse(WeightMatrix weight, double sparsity, double std, RandomStream random, CancellationToken cancellation)
    {
        weight.Fill(new(Draw.Normal(0, std), random), cancellation);
        var order = new int[weight.Rows];
        var zeros = Zeros(weight.Rows, sparsity);
        // numbers of the fill are not used again
        random = new((long)random.Next(), StreamPurpose.Structure, 0);
        for (var column = 0; column < weight.Columns; column++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < order.Length; i++)
                order[i] = i;
            random.Shuffle(order);
            for (var i = 0; i < zeros; i++)
                weight[order[i], column] = 0;
        }
    }

    /// <summary>Of one entry.</summary>
    public static (double Mean, double Variance) SparseMoments(int rows, double sparsity, double std) =>
        (0, std * std * (1 - (double)Zeros(rows, sparsity) / rows));

    private static int Zeros(int rows, double sparsity) => (int)Math.Ceiling(sparsity * rows);

    /// <summary>
    /// [W b] normal with standard deviation 0.6007 / sqrt(fan_in), where one entry of each row, chosen at random, comes from Beta(2, 1)
    /// instead: the square root of a uniform number. Fills the bias too where it has room.
    /// </summary>
    public static void RandomizedAsymmetric(WeightMatrix weight, WeightMatrix bias, RandomStream random, CancellationToken cancellation)
    {
        var columns = weight.Columns;
        var deviation = AsymmetricDeviation / Math.Sqrt(columns);
        for (var row = 0; row < weight.Rows; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            var chosen = random.Below(columns + 1);
            var positive = Math.Sqrt(random.Uniform());
            for (var column = 0; column <= columns; column++)
            {
                var value = (float)(column == chosen ? positive : deviation * random.Normals().Item1);
                if (column < columns)
                    weight[row, column] = value;
                else if (bias.Columns > 0)
                    bias[0, row] = value;
            }
        }
    }

    /// <summary>
    /// One number in the first share of the units (the weight's rows, or the bias where that is asked for), 0 in the others.
    /// </summary>
    public static void Constant(WeightMatrix weight, WeightMatrix bias, double value, double share, CancellationToken cancellation)
    {
        var constant = ConstantUnits(bias.Columns > 0 ? bias.Columns : weight.Rows, share);
        for (var unit = 0; unit < bias.Columns; unit++)
            bias[0, unit] = unit < constant ? (float)value : 0;
        for (var row = 0; bias.Columns == 0 && row < weight.Rows; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var column = 0; column < weight.Columns; column++)
                weight[row, column] = row < constant ? (float)value : 0;
        }
    }

    /// <summary>Of one entry.</summary>
    public static (double Mean, double Variance) ConstantMoments(int units, double value, double share)
    {
        var constant = (double)ConstantUnits(units, share) / units;
        return (constant * value, constant * (1 - constant) * value * value);
    }

    private static int ConstantUnits(int units, double share) => (int)Math.Round(share * units, MidpointRounding.AwayFromZero);

    private const double AsymmetricDeviation = 0.6007;

    /// <summary>
    /// Of one entry of [W b]: Beta(2, 1), with mean 2/3 and mean square 1/2, in one place of <c>columns + 1</c>, else normal.
    /// </summary>
    public static (double Mean, double Variance) RandomizedAsymmetricMoments(int columns)
    {
        var chosen = 1.0 / (columns + 1);
        var mean = chosen * 2 / 3;
        return (mean, (1 - chosen) * AsymmetricDeviation * AsymmetricDeviation / columns + chosen / 2 - mean * mean);
    }

    // eight lanes on every instruction set, so that sums have the same order everywhere
    private static double Dot(double* a, double* b, int length)
    {
        var lanes = Vector512<double>.Zero;
        var i = 0;
        for (; i + 8 <= length; i += 8)
            lanes += Vector512.Load(a + i) * Vector512.Load(b + i);
        double sum = 0;
        for (var lane = 0; lane < 8; lane++)
            sum += lanes[lane];
        for (; i < length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static void Subtract(double* a, double* b, double factor, int length)
    {
        var i = 0;
        for (; i + 8 <= length; i += 8)
            (Vector512.Load(a + i) - Vector512.Load(b + i) * factor).Store(a + i);
        for (; i < length; i++)
            a[i] -= b[i] * factor;
    }
}
