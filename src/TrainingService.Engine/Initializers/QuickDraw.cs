using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Initializers;

/// <summary>
/// The distributions of <see cref="Draw"/> ten times as fast, sixteen numbers at a time from hashes of (key, row, column): for nets that
/// are drawn by the dozen to be looked at, not trained. 23 bits of each number are random.
/// </summary>
internal static class QuickDraw
{
    public static void Fill(Draw draw, WeightMatrix numbers, ulong key, CancellationToken cancellation)
    {
        Span<float> drawn = stackalloc float[16];
        for (var column = 0; column < numbers.Columns; column += drawn.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var samples = Noise.Samples(key, column);
            for (var row = 0; row < numbers.Rows; row++)
            {
                Numbers(draw, Noise.Bits(key, row, samples)).CopyTo(drawn);
                drawn[..Math.Min(drawn.Length, numbers.Columns - column)].CopyTo(numbers.Piece(row, column));
            }
        }
    }

    internal static Vector512<float> Numbers(Draw draw, Vector512<uint> bits)
    {
        // in the middles of 2^23 equal parts of [0, 1]: those of 2^24 are no float32 above 1/2, and the last one would be 1
        var uniform = (Vector512.ConvertToSingle((bits >>> 9).AsInt32()) + V(0.5f)) * V(1f / (1 << 23));
        return draw.Kind switch
        {
            DrawKind.Constant => V(draw.A),
            DrawKind.Uniform => Vector512.FusedMultiplyAdd(V(draw.B - draw.A), uniform, V(draw.A)),
            DrawKind.Normal => Vector512.FusedMultiplyAdd(V(draw.B), Normal(uniform), V(draw.A)),
            _ => Vector512.FusedMultiplyAdd(V(draw.B),
                Normal(Vector512.FusedMultiplyAdd(V(1 - 2 * Beyond2), uniform, V(Beyond2))), V(draw.A)),
        };
    }

    /// <summary>P(z &lt; -2).</summary>
    private const double Beyond2 = 0.022750131948179195;

    /// <summary>
    /// The value that a standard normal number lies below with the probability given (Giles 2010, Approximating the erfinv function,
    /// single precision; error below 3e-7).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Normal(Vector512<float> probability)
    {
        var w = -VectorMath.Log(V(4) * probability * (V(1) - probability));
        Vector512<float> centre = w - V(2.5), tail = Vector512.Sqrt(Vector512.Max(w, V(5))) - V(3);
        var near = Polynomial(centre, Near);
        var far = Polynomial(tail, Far);
        return V(Math.Sqrt(2)) * (probability + probability - V(1)) * Vector512.ConditionalSelect(Vector512.LessThan(w, V(5)), near, far);
    }

    private static ReadOnlySpan<float> Near => [2.81022636e-08f, 3.43273939e-07f, -3.5233877e-06f, -4.39150654e-06f, 0.00021858087f,
        -0.00125372503f, -0.00417768164f, 0.246640727f, 1.50140941f];

    private static ReadOnlySpan<float> Far => [-0.000200214257f, 0.000100950558f, 0.00134934322f, -0.00367342844f, 0.00573950773f,
        -0.0076224613f, 0.00943887047f, 1.00167406f, 2.83297682f];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Polynomial(Vector512<float> x, ReadOnlySpan<float> coefficients)
    {
        var sum = V(coefficients[0]);
        for (var i = 1; i < coefficients.Length; i++)
            sum = Vector512.FusedMultiplyAdd(sum, x, V(coefficients[i]));
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> V(double value) => Vector512.Create((float)value);
}
