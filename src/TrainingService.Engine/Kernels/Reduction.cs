using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Kernels;

/// <summary>Sums of and over blocks (units x samples).</summary>
internal static unsafe class Reduction
{
    /// <summary>
    /// sums[unit] = sum over samples of x[unit], padding included (it is 0), for units <paramref name="from"/> to <paramref name="to"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumSamples(float* x, float* sums, int units, int blocks, int from, int to)
    {
        for (var unit = from; unit < to; unit++)
        {
            Vector512<float> low = default, high = default;
            for (var block = 0; block < blocks; block++)
            {
                var row = x + ((long)block * units + unit) * 32;
                low += Vector512.Load(row);
                high += Vector512.Load(row + 16);
            }
            sums[unit] = VectorMath.Sum(low + high);
        }
    }

    /// <summary>Sum of |x| over all units of the samples that exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double SumMagnitudes(float* x, int units, int samples)
    {
        double total = 0;
        for (var first = 0; first < samples; first += 16)
        {
            var sum = Vector512<float>.Zero;
            var row = x + (long)(first / 32) * units * 32 + first % 32;
            for (var unit = 0; unit < units; unit++, row += 32)
                sum += Vector512.Abs(Vector512.Load(row));
            total += VectorMath.Sum(sum & VectorMath.Present(first, samples));
        }
        return total;
    }

    /// <summary>sum = a + b, element by element; <paramref name="count"/> is a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* a, float* b, float* sum, int count)
    {
        for (var i = 0; i < count; i += 16)
            (Vector512.Load(a + i) + Vector512.Load(b + i)).Store(sum + i);
    }

    /// <summary>x = factor x, element by element; <paramref name="count"/> is a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* x, float factor, long count)
    {
        for (var i = 0L; i < count; i += 16)
            (Vector512.Load(x + i) * factor).Store(x + i);
    }
}
