using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Diagnostics;

/// <summary>
/// exp of the entropy of s_i / sum(s), s the singular values of a layer's activations on the evaluation rows (rows x units):
/// how many directions they use (Roy &amp; Vetterli 2007, The effective rank, definition 1). The s_i are the roots of the eigenvalues
/// of the Gram matrix (units x units).
/// </summary>
internal sealed unsafe class EffectiveRank(int units, int rows) : IDisposable
{
    /// <summary>Most operations of one evaluation over all layers: a few seconds.</summary>
    public const double MostOperations = 5e9;

    private readonly FloatBuffer _activations = new((long)units * rows);
    private int _row;

    /// <summary>Multiplications and additions: the Gram matrix, and its eigenvalues at a fourth of its speed.</summary>
    public static double Operations(double units, double rows) => units * units * rows + 4 * units * units * units;

    /// <summary>
    /// Bytes of a run with layers of these widths: the activations of all, and half a Gram matrix of each at both ends,
    /// which the collector may leave.
    /// </summary>
    public static long Bytes(IEnumerable<int> widths, int rows) =>
        widths.Sum(units => (long)units * rows * sizeof(float) + (long)units * units * sizeof(double));

    /// <summary>Why layers of these widths can't be measured on so many rows; null if they can.</summary>
    public static string? Refusal(IEnumerable<int> widths, int rows)
    {
        var operations = widths.Sum(units => Operations(units, rows));
        return operations <= MostOperations ? null : string.Create(CultureInfo.InvariantCulture,
            $"the effective ranks of layers this wide would take {operations:0.#E+0} operations (rows units^2 + 4 units^3 of each layer); ")
            + string.Create(CultureInfo.InvariantCulture,
            $"at most {MostOperations:0.#E+0} are allowed: use narrower layers or fewer evaluationRows, or leave effectiveRank out");
    }

    /// <summary>Adds rows, given in blocks (units x samples).</summary>
    public void Add(float* h, int samples)
    {
        for (var unit = 0; unit < units; unit++)
        {
            var target = _activations.At((long)unit * rows + _row, samples);
            for (var s = 0; s < samples; s++)
                target[s] = h[Layout.Block(unit, s, units)];
        }
        _row += samples;
    }

    public void Dispose() => _activations.Dispose();

    /// <summary>0 for activations that are all 0, NaN where one is not finite.</summary>
    public float Value(CancellationToken cancellation)
    {
        var gram = new double[units][];
        for (var i = 0; i < units; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            gram[i] = new double[i + 1];
            for (var j = 0; j <= i; j++)
                gram[i][j] = Product(i, j);
        }
        if (gram.Any(row => row.Any(g => !double.IsFinite(g))))
            return float.NaN;
        var singular = SymmetricEigenvalues.Of(gram, cancellation).Select(e => Math.Sqrt(Math.Max(0, e))).ToArray();
        var sum = singular.Sum();
        return sum == 0 ? 0 : (float)Math.Exp(-singular.Where(s => s > 0).Sum(s => s / sum * Math.Log(s / sum)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Product(int a, int b)
    {
        Vector512<double> low = default, high = default;
        var rest = 0.0;
        float* x = _activations.At((long)a * rows, rows), y = _activations.At((long)b * rows, rows);
        var i = 0;
        for (; i + 16 <= rows; i += 16)
        {
            var (xLow, xHigh) = Vector512.Widen(Vector512.Load(x + i));
            var (yLow, yHigh) = Vector512.Widen(Vector512.Load(y + i));
            low = Vector512.FusedMultiplyAdd(xLow, yLow, low);
            high = Vector512.FusedMultiplyAdd(xHigh, yHigh, high);
        }
        for (; i < rows; i++)
            rest += (double)x[i] * y[i];
        return VectorMath.Sum(low + high) + rest;
    }
}
