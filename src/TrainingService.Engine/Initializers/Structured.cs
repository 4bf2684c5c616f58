using System.Runtime.Intrinsics;
using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Initializers;

/// <summary>Initialisers that fill a matrix as a whole; all matrices are (rows, columns) = (fan_out, fan_in), row by row.</summary>
internal static class Structured
{
    /// <summary>
    /// Orthonormal rows (or columns, where there are fewer), times gain: modified Gram-Schmidt, twice for orthogonality to rounding, on normal vectors, which
    /// makes the result uniform over all such matrices.
    /// </summary>
    public static void Orthogonal(Span<float> weight, int rows, int columns, double gain, RandomStream random)
    {
        int count = Math.Min(rows, columns), length = Math.Max(rows, columns);
        var vectors = new double[count][];
        for (var i = 0; i < count; i++)
        {
            var v = vectors[i] = new double[length];
            for (var k = 0; k < length; k += 2)
            {
                (v[k], var other) = random.Normals();
                if (k + 1 < length)
                    v[k + 1] = other;
            }
            for (var pass = 0; pass < 2; pass++)
                for (var j = 0; j < i; j++)
                    Subtract(v, vectors[j], Dot(v, vectors[j]));
            var norm = Math.Sqrt(Dot(v, v));
            for (var k = 0; k < length; k++)
                v[k] /= norm;
        }
        for (var i = 0; i < count; i++)
            for (var k = 0; k < length; k++)
                weight[rows <= columns ? i * columns + k : k * columns + i] = (float)(gain * vectors[i][k]);
    }

    /// <summary>Of one entry: the vectors have norm gain and <c>max(rows, columns)</c> entries.</summary>
    public static (double Mean, double Variance) OrthogonalMoments(int rows, int columns, double gain) => (0, gain * gain / Math.Max(rows, columns));

    /// <summary>Normal numbers, but in every column (input) the same share of random rows is 0.</summary>
    public static void Sparse(Span<float> weight, int rows, int columns, double sparsity, double std, RandomStream random)
    {
        Draw.Normal(0, std).Fill(weight, random);
        var order = new int[rows];
        var zeros = Zeros(rows, sparsity);
        // numbers of the fill are not used again
        random = new((long)random.Next(), StreamPurpose.Structure, 0);
        for (var column = 0; column < columns; column++)
        {
            for (var i = 0; i < rows; i++)
                order[i] = i;
            random.Shuffle(order);
            for (var i = 0; i < zeros; i++)
                weight[order[i] * columns + column] = 0;
        }
    }

    /// <summary>Of one entry.</summary>
    public static (double Mean, double Variance) SparseMoments(int rows, double sparsity, double std) =>
        (0, std * std * (1 - (double)Zeros(rows, sparsity) / rows));

    private static int Zeros(int rows, double sparsity) => (int)Math.Ceiling(sparsity * rows);

    /// <summary>
    /// [W b] normal with standard deviation 0.6007 / sqrt(fan_in), where one entry of each row, chosen at random, comes from Beta(2, 1) instead: the
    /// square root of a uniform number. Fills the bias too where it has room.
    /// </summary>
    public static void RandomizedAsymmetric(Span<float> weight, Span<float> bias, int rows, int columns, RandomStream random)
    {
        var deviation = AsymmetricDeviation / Math.Sqrt(columns);
        for (var row = 0; row < rows; row++)
        {
            var chosen = random.Below(columns + 1);
            var positive = Math.Sqrt(random.Uniform());
            for (var column = 0; column <= columns; column++)
            {
                var value = (float)(column == chosen ? positive : deviation * random.Normals().Item1);
                if (column < columns)
                    weight[row * columns + column] = value;
                else if (bias.Length > 0)
                    bias[row] = value;
            }
        }
    }

    private const double AsymmetricDeviation = 0.6007;

    /// <summary>Of one entry of [W b]: Beta(2, 1), with mean 2/3 and mean square 1/2, in one place of <c>columns + 1</c>, else normal.</summary>
    public static (double Mean, double Variance) RandomizedAsymmetricMoments(int columns)
    {
        var chosen = 1.0 / (columns + 1);
        var mean = chosen * 2 / 3;
        return (mean, (1 - chosen) * AsymmetricDeviation * AsymmetricDeviation / columns + chosen / 2 - mean * mean);
    }

    // eight lanes on every instruction set, so that sums have the same order everywhere
    private static double Dot(double[] a, double[] b)
    {
        var lanes = Vector512<double>.Zero;
        var i = 0;
        for (; i + 8 <= a.Length; i += 8)
            lanes += Vector512.Create(a, i) * Vector512.Create(b, i);
        double sum = 0;
        for (var lane = 0; lane < 8; lane++)
            sum += lanes[lane];
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static void Subtract(double[] a, double[] b, double factor)
    {
        var i = 0;
        for (; i + 8 <= a.Length; i += 8)
            (Vector512.Create(a, i) - Vector512.Create(b, i) * factor).CopyTo(a, i);
        for (; i < a.Length; i++)
            a[i] -= b[i] * factor;
    }
}
